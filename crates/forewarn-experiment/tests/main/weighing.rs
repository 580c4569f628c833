//! Blends that are weighed by several blocks of time.

use crate::prelude::*;
use forewarn_experiment::{Progress, Results, StandardModels};
use forewarn_recurrent::Trainer;
use std::{sync::Mutex, time::Duration};

const DAY: usize = 24 * 60;
const MEMBERS: [&str; 3] = ["logistic_window", "logistic_snapshot", "poisson_warnings"];

/// A blend of two lines and of warnings at random moments, and the lines of progress.
fn run(limit: Option<Duration>) -> (Results, Vec<String>) {
    let standard = StandardModels {
        rule: Rule::v1(),
        schema: Schema::v1(),
        spec: WindowSpec::default(),
        seed: 7,
        trainer: Trainer::Native,
        members: 1,
    };
    let mut experiment = Experiment::new(ThresholdRule::v1()).with_target(Target::Active);
    for name in MEMBERS {
        experiment = experiment.with_model(standard.get(name).unwrap());
    }
    experiment = experiment.with_model(Model::blend("by folds", MEMBERS, Blending::Folds));
    if let Some(limit) = limit {
        experiment = experiment.with_fit_limit(limit);
    }
    let data = Data::from_stress_walk(StressWalk::new(20 * DAY, 7).run().unwrap()).unwrap();
    let lines = Mutex::new(Vec::new());
    let observer = |progress: Progress<'_>| {
        if let Progress::Stage(text) = progress {
            lines.lock().unwrap().push(text.to_owned());
        }
    };
    let results = experiment.run(data, &observer).unwrap();
    (results, lines.into_inner().unwrap())
}

#[test]
fn a_blend_by_folds_is_chosen_and_leaves_out_who_guesses() {
    let (results, lines) = run(None);
    let report = results.report();
    let of = |name: &str| report.models.iter().find(|model| model.name == name).unwrap();
    let blend = of("by folds");
    assert!(blend.is_weighed_by_blocks && report.models[..3].iter().all(|model| !model.is_weighed_by_blocks));
    assert_eq!(report.chosen().unwrap().name, "by folds");
    let about = |name: &str| {
        let found = lines.iter().filter(|line| line.starts_with(&format!("by folds: {name},")));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "a line a member: {lines:?}");
        assert!(found[0].contains("in 3 blocks"), "{}", found[0]);
        found[0].clone()
    };
    assert!(about("poisson_warnings").ends_with("weight 0.00"));
    assert!(!about("logistic_window").ends_with("weight 0.00"));
    let best = MEMBERS.iter().map(|name| of(name).pr_auc).fold(0.0, f64::max);
    assert!(blend.pr_auc > best - 0.015, "{} of {best}", blend.pr_auc);
    // Thresholds come from more time than validation: half of train besides, of which more budgets are proved.
    let proved = |name: &str| of(name).operation.as_ref().unwrap().budgets.len();
    assert!(proved("by folds") >= proved("logistic_window"));
    assert_eq!(blend.validation.windows, of("logistic_window").validation.windows);
    let again = run(None).0;
    assert_eq!(
        again.scores("by folds"),
        results.scores("by folds"),
        "the same scores, whatever the machine does"
    );
}

#[test]
fn without_time_validation_weighs_the_members() {
    let (results, lines) = run(Some(Duration::ZERO));
    let blend = results.report().models.iter().find(|model| model.name == "by folds").unwrap();
    assert!(!blend.is_weighed_by_blocks);
    assert!(lines.iter().any(|line| line.contains("no time is left for folds")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("in 1 block ")), "{lines:?}");
}
