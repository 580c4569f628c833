//! The simulated fleet with the stages that it meets.

use crate::prelude::*;
use forewarn_core::BoxError;
use forewarn_experiment::{Progress, StandardModels};
use forewarn_recurrent::Trainer;
use forewarn_sim::fleet::{Blueprint, Defects, FaultSchedule};
use forewarn_window::Alignment;

/// No model scores above what the hidden state allows, and every model above the no-skill baseline.
#[test]
fn a_fleet_is_an_experiment_with_a_ceiling() -> Result<(), BoxError> {
    let fleet = Fleet::new(Blueprint::shop(), 8 * 1440, 7);
    let standard = StandardModels {
        rule: Rule::v1(),
        schema: Schema::v1(),
        spec: WindowSpec::default(),
        seed: 7,
        trainer: Trainer::Native,
        members: StandardModels::MEMBERS,
    };
    let experiment = Experiment::new(Rule::v1()).with_model(standard.get("logistic_snapshot")?);
    let results = experiment.run(Data::from_fleet(fleet)?, &|_: Progress<'_>| {})?;
    let report = results.report();
    assert_eq!(report.input.services, 4);
    let ceiling = report.ceiling.ok_or("the truth is known")?;
    let oracle = ceiling.oracle.ok_or("by drawing futures")?;
    assert_eq!(ceiling.bayes_filter, None);
    assert!(oracle.pr_auc > report.models[0].pr_auc, "{} {}", oracle.pr_auc, report.models[0].pr_auc);
    assert!(oracle.pr_auc < 0.95 && oracle.pr_auc > 5.0 * report.test.prevalence, "{}", oracle.pr_auc);
    assert!(report.notes.iter().any(|note| note.contains("32 futures")), "{:?}", report.notes);
    Ok(())
}

/// What telemetry did to the samples, alignment puts right: late, doubled and out of order, as counters that restart.
#[test]
fn spoilt_samples_become_the_frame_that_they_were() -> Result<(), BoxError> {
    let fleet = Fleet::shop(3).with_minutes(1440).with_faults(FaultSchedule::none());
    let run = fleet.run()?;
    let clean = run.frames.frame(0).ok_or("there are services")?;
    let metrics = Schema::v1().metrics().to_vec().into_iter();
    let raw = Schema::new(
        metrics
            .map(|metric| match metric.kind {
                Kind::Delta => Metric { kind: Kind::Counter, unit: Unit::Dimensionless, ..metric },
                _ => metric,
            })
            .collect(),
    )?;
    let defects = Defects { late: 0.05, duplicate: 0.05, resets_per_day: 4.0, ..Defects::default() };
    let arrivals = defects.arrivals(clean, 5)?;
    let (frame, counts) = Alignment::to(Step::MINUTE).frame("auth", &raw, arrivals)?;
    assert!((1..15).contains(&counts.resets), "{}", counts.resets);
    let aligned = frame.view();
    let mut same = 0;
    for row in 1..1_400 {
        let (a, b) = (clean.row(row).ok_or("a row")?, aligned.row(row).ok_or("a row")?);
        same += usize::from(a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
    assert!(same > 1_380, "{same} of 1,399 rows are as they were");
    Ok(())
}
