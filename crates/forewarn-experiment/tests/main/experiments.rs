//! The experiment from data to files.

use crate::prelude::*;
use forewarn_baseline::{FittedLogisticRegression, Input};
use forewarn_core::BoxError;
use forewarn_eval::{Delays, EpisodeClasses, Finding, LeakCheck};
use forewarn_experiment::{
    ExperimentError, Phase, Progress, Results, StandardModels, VerdictColumns, prepare_folder,
};
use forewarn_io::{ReadOptions, csv};
use forewarn_recurrent::{Output, Settings, Trainer};
use forewarn_report::Present;
use std::{
    fs,
    sync::{Arc, Mutex},
};

const DAY: usize = 24 * 60;

fn standard(seed: u64) -> StandardModels {
    StandardModels {
        rule: Rule::v1(),
        schema: Schema::v1(),
        spec: WindowSpec::default(),
        seed,
        trainer: Trainer::Native,
        members: StandardModels::MEMBERS,
    }
}

fn experiment(target: Target, models: &[&str]) -> Result<Experiment, ExperimentError> {
    let mut experiment = Experiment::new(ThresholdRule::v1()).with_target(target);
    for name in models {
        experiment = experiment.with_model(standard(7).get(name)?);
    }
    Ok(experiment)
}

fn run(data: Data, target: Target, models: &[&str]) -> Result<Results, ExperimentError> {
    experiment(target, models)?.run(data, &|_: Progress<'_>| {})
}

/// A network that is fitted in a second.
fn small(name: &str, cell: Cell) -> Model {
    let settings = Settings { cell, hidden: 8, max_epochs: 2, seed: 7, ..Settings::default() };
    Model::new(name, "a small network", ModelRows::Features, Recurrent::new(settings).unwrap())
}

fn walk(days: usize) -> Data {
    Data::from_stress_walk(StressWalk::new(days * DAY, 7).run().unwrap()).unwrap()
}

/// A CSV file of ten simulated days, after `edit` has rewritten its lines.
fn recorded(edit: impl Fn(usize, &str) -> Option<String>) -> Result<Data, BoxError> {
    let run = StressWalk::new(10 * DAY, 7).with_service("service").run()?;
    let mut text = Vec::new();
    csv::write(&FrameSet::from_frames(vec![run.frame])?, &mut text)?;
    let text = String::from_utf8(text)?;
    let lines: Vec<String> = text.lines().enumerate().filter_map(|(index, line)| edit(index, line)).collect();
    let recording = csv::read_from((lines.join("\n") + "\n").as_bytes(), "m.csv", &ReadOptions::default())?;
    Ok(Data::from_recording(recording, "m.csv"))
}

fn is_timed(line: &str) -> bool {
    line.contains("_seconds")
}

#[test]
fn the_same_seed_gives_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let contents = |name: &str| {
        let results = experiment(Target::Onset, &["rolling_mean", "logistic_window"])
            .unwrap()
            .with_model(small("lstm", Cell::Lstm))
            .with_model(small("gru", Cell::Gru))
            .run(walk(10), &|_: Progress<'_>| {})
            .unwrap();
        let folder = folder.path().join(name);
        results.write(&folder).unwrap();
        let [json, html, csv] = Results::FILES.map(|file| fs::read_to_string(folder.join(file)).unwrap());
        // Seconds differ from run to run; nothing else may.
        let json: Vec<String> = json.lines().filter(|line| !is_timed(line)).map(str::to_owned).collect();
        assert!(html.starts_with("<!doctype html>"), "{}", &html[..20]);
        (json, csv)
    };
    assert_eq!(contents("a"), contents("b"));
}

/// A phase and the steps that were reported of it, done and total.
type Seen = (Phase, Vec<(usize, usize)>);

/// Phases in order.
fn phases(experiment: Experiment, data: Data) -> Vec<Seen> {
    let seen: Mutex<Vec<Seen>> = Mutex::new(Vec::new());
    let observer = |progress: Progress<'_>| {
        let Progress::Phase { phase, done, total } = progress else { return };
        let mut seen = seen.lock().unwrap();
        match seen.last_mut() {
            Some((last, steps)) if *last == phase && done > 0 => steps.push((done, total)),
            _ => seen.push((phase, vec![(done, total)])),
        }
    };
    let folder = tempfile::tempdir().unwrap();
    experiment.run(data, &observer).unwrap().write_observed(folder.path(), &observer).unwrap();
    seen.into_inner().unwrap()
}

#[test]
fn every_phase_is_reported_from_its_beginning_to_its_end() {
    let models = ["rolling_mean", "logistic_snapshot"];
    let seen = phases(experiment(Target::Onset, &models).unwrap(), walk(10));
    let names: Vec<Phase> = seen.iter().map(|(phase, _)| *phase).collect();
    assert_eq!(
        names,
        [
            Phase::Labelling,
            Phase::Features,
            Phase::Evaluation,
            Phase::Comparison,
            Phase::Audit,
            Phase::Ceiling,
            Phase::Pictures,
            Phase::Writing
        ]
    );
    for (phase, mut steps) in seen {
        // Models are evaluated side by side.
        steps.sort_unstable();
        let total = steps[0].1;
        assert_eq!(steps, (0..=total).map(|done| (done, total)).collect::<Vec<_>>(), "{phase}");
        let expected = match phase {
            Phase::Evaluation => models.len(),
            Phase::Audit => 3 + 2 * models.len(),
            Phase::Writing => 3,
            _ => 1,
        };
        assert_eq!(total, expected, "{phase}");
    }
}

#[test]
fn results_do_not_replace_the_metrics_they_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("predictions.csv");
    let run = StressWalk::new(10 * DAY, 7).with_service("service").run().unwrap();
    let mut text = Vec::new();
    csv::write(&FrameSet::from_frames(vec![run.frame]).unwrap(), &mut text).unwrap();
    fs::write(&input, &text).unwrap();
    assert!(prepare_folder(folder.path(), &[&input]).is_err());
    let data = Data::from_path(&input, &ReadOptions::default()).unwrap();
    let results = self::run(data, Target::Onset, &["rolling_mean"]).unwrap();
    let error = results.write(folder.path()).unwrap_err();
    assert!(matches!(error, ExperimentError::WouldOverwrite { .. }), "{error}");
    assert_eq!(fs::read(&input).unwrap(), text);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written at all");
    results.write(folder.path().join("report")).unwrap();
}

#[test]
fn predictions_recompute_to_the_reported_figures() {
    let results = run(walk(10), Target::Active, &["trend", "logistic_snapshot"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    results.write(folder.path()).unwrap();
    let text = fs::read_to_string(folder.path().join("predictions.csv")).unwrap();
    for model in &results.report().models {
        let rows: Vec<(f64, bool)> = text
            .lines()
            .map(|line| line.split(',').collect::<Vec<_>>())
            .filter(|cells| cells[3] == model.name)
            .map(|cells| (cells[4].parse().unwrap(), cells[2] == "1"))
            .collect();
        assert_eq!(rows.len(), results.report().test.windows);
        let threshold: f64 = model.threshold.get().to_string().parse().unwrap();
        let count = |wanted: fn(bool, bool) -> bool| {
            rows.iter().filter(|&&(score, label)| wanted(score >= threshold, label)).count() as f64
        };
        let (hits, called, positives) = (count(|a, l| a && l), count(|a, _| a), count(|_, l| l));
        assert!((model.recall - hits / positives).abs() < 1e-12);
        assert!((model.precision - hits / called).abs() < 1e-12);
        let brier =
            rows.iter().map(|&(score, label)| (score - f64::from(u8::from(label))).powi(2)).sum::<f64>();
        assert!((model.brier - brier / rows.len() as f64).abs() < 1e-7);
        // Pairs of a positive and a negative window in the right order.
        let (mut right, mut pairs) = (0.0, 0.0);
        for (a, _) in rows.iter().filter(|row| row.1) {
            for (b, _) in rows.iter().filter(|row| !row.1) {
                pairs += 1.0;
                right += if a > b {
                    1.0
                } else if a == b {
                    0.5
                } else {
                    0.0
                };
            }
        }
        assert!((model.roc_auc - right / pairs).abs() < 1e-12);
    }
}

#[test]
fn a_simulation_knows_its_ceiling_and_no_model_is_above_the_oracle() {
    let results = run(walk(60), Target::Active, &["rolling_mean", "logistic_snapshot"]).unwrap();
    let ceiling = results.report().ceiling.unwrap();
    let (oracle, filter) = (ceiling.oracle.unwrap(), ceiling.bayes_filter.unwrap());
    assert!(oracle.pr_auc > filter.pr_auc);
    for model in &results.report().models {
        assert!(
            model.pr_auc < filter.pr_auc && model.pr_auc > 2.0 * results.report().test.prevalence,
            "{}",
            model.name
        );
    }
    // The ceiling is that of the rule that drives the process; another rule has another, which is not known.
    let other: ThresholdRule = "error_rate >= 0.04".parse().unwrap();
    let model = standard(7).get("rolling_mean").unwrap();
    let other = Experiment::new(other).with_model(model).run(walk(10), &|_: Progress<'_>| {}).unwrap();
    assert_eq!(other.report().ceiling, None);
}

#[test]
fn windows_in_a_failure_are_left_out_for_onset_only() {
    let onset = run(walk(10), Target::Onset, &["rolling_mean"]).unwrap();
    let active = run(walk(10), Target::Active, &["rolling_mean"]).unwrap();
    let left_out = |results: &Results| results.report().split.train.unwrap().excluded.unwrap().ongoing;
    assert!(left_out(&onset) > 0);
    assert_eq!(left_out(&active), 0);
}

#[test]
fn missing_samples_are_counted_and_survive() {
    let data = recorded(|index, line| match index {
        1000..1004 => None,
        2000 => Some(line.split(',').next().unwrap().to_owned() + &",".repeat(10)),
        _ => Some(line.to_owned()),
    });
    let results = experiment(Target::Onset, &["trend", "logistic_window"])
        .unwrap()
        .with_model(small("lstm", Cell::Lstm))
        .run(data.unwrap(), &|_: Progress<'_>| {})
        .unwrap();
    let report = results.report();
    assert_eq!((report.input.gap_rows, report.input.missing_cells), (5, 0));
    assert!(report.split.train.unwrap().excluded.unwrap().missing >= 5);
    assert!(report.notes[0].starts_with("50 missing values: for the features 50 took"), "{:?}", report.notes);
}

#[test]
fn what_cannot_be_answered_says_why() {
    let flat = |_: usize, line: &str| Some(line.to_owned());
    let models = ["rolling_mean"];
    let error = |data: Data, models: &[&str]| run(data, Target::Onset, models).err().unwrap().to_string();

    let healthy = recorded(|index, line| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if index > 0 {
            cells[2] = "0.001";
        }
        Some(cells.join(","))
    });
    assert!(error(healthy.unwrap(), &models).starts_with("nothing ever fails"));

    let late = recorded(|index, line| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if index > 0 && index < 9 * DAY {
            cells[2] = "0.001";
        }
        Some(cells.join(","))
    });
    let late = error(late.unwrap(), &models);
    assert!(
        late.starts_with("the train span (2024-01-01T00:09:00Z to") && late.contains("0 positive"),
        "{late}"
    );

    assert_eq!(error(recorded(flat).unwrap(), &[]), "an experiment needs at least one model");
    assert_eq!(error(recorded(flat).unwrap(), &["trend", "trend"]), "two models are called \"trend\"");
    assert!(error(recorded(flat).unwrap(), &["prophet"]).starts_with("there is no model \"prophet\""));

    let renamed = recorded(|_, line| Some(line.replace("error_rate", "eror_rate")));
    let renamed = error(renamed.unwrap(), &models);
    assert!(renamed.contains("\"error_rate\" is missing") && renamed.contains("eror_rate"), "{renamed}");
}

#[test]
fn networks_report_how_they_were_fitted_and_a_hazard_when_failures_come() {
    let settings =
        |output| Settings { hidden: 8, output, members: 2, max_epochs: 3, seed: 7, ..Settings::default() };
    let model = |name: &str, output| {
        Model::new(name, "a small network", ModelRows::Features, Recurrent::new(settings(output)).unwrap())
    };
    let results = Experiment::new(ThresholdRule::v1())
        .with_target(Target::Active)
        .with_model(model("whether", Output::Probability))
        .with_model(model("when", Output::Hazard))
        .with_model(Model::blend("both", ["whether", "when"], Blending::Average))
        .run(walk(20), &|_: Progress<'_>| {})
        .unwrap();
    let [whether, when, both] = &results.report().models[..] else { panic!("three models") };
    for network in [whether, when] {
        assert_eq!(network.training.len(), 2, "one log a network");
        for fit in &network.training {
            assert_eq!(fit.epochs.len(), 3);
            let kept = fit.epochs[fit.best_epoch - 1].validation_pr_auc;
            assert!(fit.epochs.iter().all(|epoch| epoch.validation_pr_auc <= kept));
        }
    }
    assert!(both.training.is_empty() && both.timing.is_none() && whether.timing.is_none());
    let timing = when.timing.as_ref().unwrap();
    let positives = results.report().test.positives;
    assert_eq!((timing.windows, timing.within.len()), (positives, 5));
    let whole = &timing.within[4];
    assert_eq!(whole.windows, results.report().test.windows);
    assert!((whole.happened - results.report().test.prevalence).abs() < 1e-12, "the period is the label's");
    let page = results.report().to_html(results.pictures());
    assert!(page.contains("How fitting went") && page.contains("When the failure will come"));
    assert!(standard(7).get("gru_hazard").is_ok() && standard(7).get("lstm_hazard").is_ok());
}

#[test]
fn a_network_is_served_by_states_that_have_seen_every_row_so_far() {
    let settings = Settings { hidden: 8, members: 2, max_epochs: 2, seed: 7, ..Settings::default() };
    let network = || Recurrent::new(settings.clone()).unwrap();
    let results = Experiment::new(ThresholdRule::v1())
        .with_target(Target::Active)
        .with_model(Model::running("states", "windows"))
        .with_model(Model::recurrent("windows", "a small network", ModelRows::Features, network()))
        .run(walk(20), &|_: Progress<'_>| {})
        .unwrap();
    let [states, windows] = &results.report().models[..] else { panic!("two models") };
    assert!(states.training.is_empty() && windows.training.len() == 2, "one fit, and its own log");
    assert_eq!(states.fit_seconds, windows.fit_seconds);
    let audit = results.report().audit.iter().filter(|check| check.model.as_deref() == Some("states"));
    assert!(audit.clone().count() > 1 && audit.clone().all(|check| check.finding == Finding::Clean));

    let scores = |name: &str| results.scores(name).unwrap().pooled("test").unwrap().0;
    let apart =
        scores("states").iter().zip(scores("windows")).filter(|(state, window)| **state != *window).count();
    assert!(apart > scores("windows").len() / 2, "a state remembers more than a window");

    let error = |model: Model| {
        let experiment = experiment(Target::Active, &["rolling_mean"]).unwrap().with_model(model);
        experiment.run(walk(10), &|_: Progress<'_>| {}).err().unwrap().to_string()
    };
    let of = "is to run on with states of";
    let none = "which is no LSTM or GRU of this experiment: it has none";
    assert_eq!(error(standard(7).get("gru_running").unwrap()), format!("gru_running {of} \"gru\", {none}"));
    assert_eq!(error(Model::running("a", "rolling_mean")), format!("a {of} \"rolling_mean\", {none}"));
}

#[test]
fn models_on_different_rows_are_blended() {
    let models = ["logistic_snapshot", "rolling_mean"];
    let results = experiment(Target::Active, &models)
        .unwrap()
        .with_model(Model::blend("mean", models, Blending::Average))
        .with_model(standard(7).get("seasonal_band").unwrap())
        // In any order, and on any rows.
        .with_model(Model::blend("stack", ["seasonal_band", "logistic_snapshot"], Blending::Stacked))
        .run(walk(20), &|_: Progress<'_>| {})
        .unwrap();
    let scores = |name: &str| {
        let (scores, _) = results.scores(name).unwrap().pooled("test").unwrap();
        scores.into_iter().map(Score::log_odds).collect::<Vec<f64>>()
    };
    let members: Vec<Vec<f64>> = models.iter().map(|name| scores(name)).collect();
    for ((line, rule), mean) in members[0].iter().zip(&members[1]).zip(scores("mean")) {
        assert!(((line + rule) / 2.0 - mean).abs() < 1e-3 * (1.0 + mean.abs()), "{line} {rule} {mean}");
    }
    let names: Vec<&str> = results.report().models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["logistic_snapshot", "rolling_mean", "mean", "seasonal_band", "stack"]);
    let pr_auc = |name: &str| {
        results.report().models.iter().find(|model| model.name == name).map(|model| model.pr_auc).unwrap()
    };
    // A stack on validation cannot lose much to its members.
    assert!(pr_auc("stack") > 0.9 * pr_auc("logistic_snapshot"), "{}", pr_auc("stack"));
    let audit = results.report().audit.iter().filter(|check| check.model.as_deref() == Some("stack"));
    assert!(
        audit.clone().count() > 1 && audit.clone().all(|check| check.finding == Finding::Clean),
        "{:?}",
        audit.collect::<Vec<_>>()
    );

    let error = |model: Model| {
        let experiment = experiment(Target::Active, &["rolling_mean"]).unwrap().with_model(model);
        experiment.run(walk(10), &|_: Progress<'_>| {}).err().unwrap().to_string()
    };
    let ensemble = error(standard(7).get("ensemble").unwrap());
    assert_eq!(
        ensemble,
        "ensemble blends \"boosted_trees\", which this experiment does not fit: it fits rolling_mean"
    );
    assert!(error(Model::blend("a", ["a"], Blending::Stacked)).contains("does not fit"));
    assert_eq!(error(Model::blend("a", [""; 0], Blending::Stacked)), "a blends no models");
}

#[test]
fn models_are_told_what_the_rule_says_of_each_minute_where_it_helps_or_they_are_asked_to() {
    let features = |experiment: Experiment| {
        let results = experiment.run(walk(8), &|_: Progress<'_>| {}).unwrap();
        results.report().features.clone()
    };
    let about = |target| experiment(target, &["logistic_snapshot"]).unwrap();
    let (with, without) = (features(about(Target::Active)), features(about(Target::Onset)));
    assert_eq!(with.len(), 20);
    assert_eq!(with[..19], without);
    assert_eq!(with[19], "verdict(error_rate >= 0.05)");
    assert_eq!(features(about(Target::Active).with_verdicts(VerdictColumns::Hidden)), without);
    assert_eq!(features(about(Target::Onset).with_verdicts(VerdictColumns::Shown)), with);
}

/// Logistic regression, which notes the largest value of the last column that it is fitted on.
struct Noting(Arc<Mutex<f32>>);

impl Estimator for Noting {
    type Fitted = FittedLogisticRegression;

    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<Self::Fitted, CoreError> {
        let last = train.windows().iter_last().filter_map(|row| row.last().copied());
        *self.0.lock().unwrap() = last.fold(0.0, f32::max);
        LogisticRegression::new(Input::Snapshot).fit(train, validation, monitor)
    }
}

/// Features take the last value before a gap of three minutes; a rule that asks for the gap sees it.
#[test]
fn what_a_rule_says_is_of_metrics_as_they_were_measured() {
    let gap = |index: usize, line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let cells: Vec<&str> = match index {
            3000..3003 => {
                cells.iter().enumerate().map(|(at, &cell)| if at == 1 { "" } else { cell }).collect()
            }
            _ => cells,
        };
        Some(cells.join(","))
    };
    let data = recorded(gap).unwrap();
    assert_eq!(data.frames().schema().names().next(), Some("request_count"), "the cell after the time");
    let rule = Rule::new(Rule::v1().when().clone().or(Condition::absent("request_count"))).unwrap();
    let largest = Arc::new(Mutex::new(0.0));
    let model = Model::new("noting", "notes", ModelRows::Features, Noting(Arc::clone(&largest)));
    let results = Experiment::new(rule)
        .with_target(Target::Active)
        .with_model(model)
        .run(data, &|_: Progress<'_>| {})
        .unwrap();
    assert_eq!(results.report().features.last().unwrap(), "verdict(request_count is absent)");
    assert!(*largest.lock().unwrap() > 5.0, "{largest:?}");
}

#[test]
fn failures_from_a_column_are_no_input() {
    let run = StressWalk::new(20 * DAY, 7).with_service("service").run().unwrap();
    let frames = FrameSet::from_frames(vec![run.frame]).unwrap();
    let mut text = Vec::new();
    csv::write(&frames, &mut text).unwrap();
    let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset).unwrap();
    let start = frames.frame(0).unwrap();
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(index, line)| match index {
            0 => format!("{line},down"),
            _ => {
                let time = start.time(index - 1);
                let failing = labels.episodes()[0].iter().any(|episode| episode.contains(time));
                format!("{line},{}", u8::from(failing))
            }
        })
        .collect();
    let options = ReadOptions::default().with_outcome_column("down");
    let recording = csv::read_from((lines.join("\n") + "\n").as_bytes(), "m.csv", &options).unwrap();
    let rule = Rule::outcome("down").unwrap();
    let standard = StandardModels { rule: rule.clone(), ..standard(7) };
    let error = standard.get("persistence").err().unwrap();
    assert!(error.to_string().contains("down >= 1"), "{error}");
    let mut experiment = Experiment::new(rule);
    for name in ["static_threshold", "logistic_snapshot"] {
        experiment = experiment.with_model(standard.get(name).unwrap());
    }
    let data = Data::from_recording(recording, "m.csv");
    let results = experiment.run(data, &|_: Progress<'_>| {}).unwrap();
    assert!(results.report().features.iter().all(|feature| !feature.contains("down")));
    assert_eq!(results.report().failure_rule, "down >= 1");
    let episodes: usize = results.pictures().onsets.iter().map(|service| service.onsets.len()).sum();
    assert_eq!(episodes, labels.episodes()[0].len());
}

#[test]
fn models_are_refitted_on_all_days_before() {
    let run = |days: usize| {
        experiment(Target::Onset, &["rolling_mean", "logistic_snapshot"])
            .unwrap()
            .with_model(Model::blend("both", ["rolling_mean", "logistic_snapshot"], Blending::Stacked))
            .with_walk_forward(days)
            .run(walk(20), &|_: Progress<'_>| {})
    };
    let results = run(1).unwrap();
    let (report, test) = (results.report(), results.report().split.test);
    let found = report.walk_forward.as_ref().unwrap();
    // Nearly three days of test have room for two whole ones.
    assert_eq!((found.folds.len(), found.refit_days), (2, 1.0));
    for (fold, next) in found.folds.iter().zip(&found.folds[1..]) {
        assert!(fold.end < next.start && fold.train_windows < next.train_windows, "{fold:?} {next:?}");
    }
    for fold in &found.folds {
        assert!(fold.train_end < fold.start && test.start <= fold.start && fold.end <= test.end);
    }
    let names: Vec<_> = found.models.iter().map(|model| model.model.as_str()).collect();
    assert_eq!(names, ["rolling_mean", "logistic_snapshot", "both"]);
    for (model, once) in found.models.iter().zip(&report.models) {
        assert_eq!((model.refitted.len(), model.fixed.len()), (2, 2));
        assert!(model.fixed.iter().all(|fold| fold.threshold == Some(once.threshold)));
        let total = model.fixed_total.pr_auc.unwrap();
        // Most of the test span is in the folds, so the two figures are close.
        assert!((total / once.pr_auc - 1.0).abs() < 0.5, "{total} {}", once.pr_auc);
        assert!((model.gain.value.unwrap() - (model.refitted_total.pr_auc.unwrap() - total)).abs() < 1e-12);
    }
    assert!(report.to_table().contains("refit every day, 2 folds"), "{}", report.to_table());
    assert!(report.to_html(results.pictures()).contains("Quality over time"));
    let error = run(9).err().unwrap().to_string();
    assert!(
        error
            .starts_with("refitting every 9 days needs a test span of at least that length; it has 3.0 days"),
        "{error}"
    );
    assert!(run(0).is_err());
}

#[test]
fn failures_are_told_apart_by_the_rule_that_they_satisfy() {
    let rule = Rule::new(
        "error_rate >= 0.05 for 2 steps"
            .parse::<Condition>()
            .unwrap()
            .or("cpu_usage >= 0.8 for 2 steps".parse().unwrap()),
    )
    .unwrap();
    let mut experiment = Experiment::new(rule.clone()).with_alternatives(&rule);
    experiment = experiment.with_model(standard(7).get("logistic_snapshot").unwrap());
    let results = experiment.run(walk(10), &|_: Progress<'_>| {}).unwrap();
    let classes = &results.report().models[0].classes;
    let names: Vec<_> = classes.iter().filter_map(|class| class.class.as_deref()).collect();
    assert!(names.contains(&"error_rate >= 0.05 for 2 consecutive steps"), "{names:?}");
    assert!(classes.iter().all(|class| class.by == "failure rule" && class.class.is_some()));
    let episodes: usize = classes.iter().map(|class| class.episodes).sum();
    assert!(episodes >= results.report().test.episodes, "a failure may be of both");
    assert!(results.report().to_table().contains("failures by failure rule"));
    // A rule that is no alternative tells nothing apart.
    let plain = run(walk(10), Target::Onset, &["rolling_mean"]).unwrap();
    assert!(plain.report().models[0].classes.is_empty());
}

#[test]
fn faults_that_are_known_are_reported_apart() {
    let data = walk(10);
    let service = data.frames().layout().services()[0].name().to_owned();
    let (start, end) = data.frames().layout().span().unwrap();
    let mut classes = EpisodeClasses::new("fault kind");
    classes.span(service, start, end, "memory leak").unwrap();
    let results = run(data.with_classes(classes), Target::Onset, &["rolling_mean"]).unwrap();
    let (report, found) = (results.report(), &results.report().models[0].classes);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].by.as_str(), found[0].class.as_deref()), ("fault kind", Some("memory leak")));
    assert_eq!(
        (found[0].episodes, found[0].episodes_caught),
        (report.test.episodes, report.models[0].episodes_caught)
    );
}

#[test]
fn experiments_look_for_leaks() {
    let results = run(walk(10), Target::Onset, &["rolling_mean", "logistic_snapshot"]).unwrap();
    let report = results.report();
    let of = |model: Option<&str>| -> Vec<&str> {
        let checks = report.audit.iter().filter(|check| check.model.as_deref() == model);
        checks.map(|check| check.name.as_str()).collect()
    };
    assert_eq!(of(None), ["duplicate windows", "telling feature"]);
    assert_eq!(of(Some("rolling_mean")), ["shifted labels", "too good", "label edge", "shuffled future"]);
    assert_eq!(of(Some("logistic_snapshot")), of(Some("rolling_mean")));
    assert_eq!(report.audit_summary(), "10 checks for leaks found nothing to explain.");
    // It says how many scores it compared: of a day of windows, one in three and those of the last hour.
    for check in report.audit.iter().filter(|check| check.name == "shuffled future") {
        assert!(check.text.starts_with("none of 397 scores up to "), "{}", check.text);
    }
}

/// A model that looks at the row after each window.
struct Peeking;

impl Estimator for Peeking {
    type Fitted = Peeked;

    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        _: Validation<LabelledWindows<'_>>,
        _: &mut dyn Monitor,
    ) -> Result<Peeked, CoreError> {
        Ok(Peeked(train.windows().schema().clone(), train.windows().observation()))
    }
}

struct Peeked(Schema, usize);

impl Predictor for Peeked {
    fn input(&self) -> &Schema {
        &self.0
    }

    fn observation(&self) -> usize {
        self.1
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        let errors = self.0.index_of("error_rate")?;
        for (score, &row) in scores.iter_mut().zip(windows.last_rows()) {
            let next = (row as usize + 2).min(windows.block().len() / self.0.len()) - 1;
            *score = Score::new(windows.block()[next * self.0.len() + errors].clamp(0.0, 1.0))?;
        }
        Ok(())
    }
}

#[test]
fn a_model_that_peeks_is_found_and_so_is_a_blend_of_it() {
    let results = experiment(Target::Onset, &["rolling_mean"])
        .unwrap()
        .with_model(Model::new("peeking", "the row after a window", ModelRows::Metrics, Peeking))
        .with_model(Model::blend("both", ["rolling_mean", "peeking"], Blending::Average))
        .run(walk(10), &|_: Progress<'_>| {})
        .unwrap();
    let check = |model: &str| {
        let of =
            |check: &&LeakCheck| check.model.as_deref() == Some(model) && check.name == "shuffled future";
        results.report().audit.iter().find(of).unwrap()
    };
    assert_eq!(check("rolling_mean").finding, Finding::Clean);
    for model in ["peeking", "both"] {
        let LeakCheck { finding, text, .. } = check(model);
        assert_eq!(*finding, Finding::Suspect, "{text}");
        assert!(text.starts_with("1 of 397 scores up to "), "{text}");
    }
}

#[test]
fn a_metric_that_knows_the_outcome_is_named() {
    // The error rate of three minutes later, under another name.
    let ahead = |text: Vec<String>| -> Vec<String> {
        let rate = |line: &str| line.split(',').nth(2).unwrap().to_owned();
        (0..text.len() - 3)
            .map(|i| match i {
                0 => text[0].clone() + ",hint",
                _ => format!("{},{}", text[i], rate(&text[i + 3])),
            })
            .collect()
    };
    let walked = StressWalk::new(20 * DAY, 7).with_service("service").run().unwrap();
    let mut text = Vec::new();
    csv::write(&FrameSet::from_frames(vec![walked.frame]).unwrap(), &mut text).unwrap();
    let lines: Vec<String> = String::from_utf8(text).unwrap().lines().map(str::to_owned).collect();
    let text = ahead(lines).join("\n") + "\n";
    let recording = csv::read_from(text.as_bytes(), "m.csv", &ReadOptions::default()).unwrap();
    let results = run(Data::from_recording(recording, "m.csv"), Target::Onset, &["logistic_window"]).unwrap();
    let telling = results.report().audit.iter().find(|check| check.name == "telling feature").unwrap();
    assert!(telling.text.contains("hint"), "{}", telling.text);
}

#[test]
fn delays_shorten_net_lead_times() {
    let net = |notification_minutes: f64| {
        let delays = Delays { notification_minutes, ..Delays::default() };
        let experiment = experiment(Target::Onset, &["rolling_mean"]).unwrap().with_delays(delays);
        let results = experiment.run(walk(10), &|_: Progress<'_>| {})?;
        Ok::<_, ExperimentError>(
            results.report().models[0].operation.clone().unwrap().net_lead_time_minutes.all,
        )
    };
    let (soon, late) = (net(0.0).unwrap(), net(2.0).unwrap());
    assert!(!soon.is_empty() && late.len() <= soon.len());
    assert!(soon.iter().sum::<f64>() > late.iter().sum::<f64>());
    assert!(net(-1.0).err().unwrap().to_string().contains("delay of an alarm"));
}
