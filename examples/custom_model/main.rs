//! A source, a failure rule, a feature and a model of one's own, beside forewarn's: nothing in forewarn knows about
//! job queues.
//!
//! `cargo run --release --example custom_model`

mod feature;
#[cfg(test)]
mod laws;
mod model;
mod rule;
mod source;

use feature::SmoothArrivals;
use forewarn::{
    baseline::Input,
    eval::Report,
    experiment::{Data, ModelRows, Progress},
    prelude::*,
    report::Present,
};
use model::NearestMean;
use rule::Backlog;
use source::Queues;
use std::error::Error;

/// An experiment with all four; its report has our model beside forewarn's.
fn experiment() -> Result<Report, Box<dyn Error>> {
    let data = Data::from_source(&mut Queues { minutes: 14 * 24 * 60 })?;
    // Failing: more jobs wait than three minutes of work.
    let results = Experiment::new(Backlog { jobs: 360.0 })
        .with_features(Features::default().with(SmoothArrivals { weight: 0.2 }))
        .with_model(Model::new(
            "nearest_mean",
            "the nearer of two class means",
            ModelRows::Features,
            NearestMean,
        ))
        .with_model(Model::new(
            "logistic_snapshot",
            "logistic regression on the last minute",
            ModelRows::Features,
            LogisticRegression::new(Input::Snapshot),
        ))
        .run(data, &|_: Progress<'_>| {})?;
    Ok(results.report().clone())
}

fn main() -> Result<(), Box<dyn Error>> {
    let report = experiment()?;
    println!("{}", report.to_table());
    assert!(report.models.iter().all(|model| model.pr_auc > report.test.prevalence));
    Ok(())
}

#[test]
fn a_source_a_rule_a_feature_and_a_model_of_ones_own() {
    let report = experiment().unwrap();
    let names: Vec<&str> = report.models.iter().map(|model| &*model.name).collect();
    assert_eq!(names, ["nearest_mean", "logistic_snapshot"]);
    assert_eq!(report.failure_rule, "more than 360 jobs wait");
    assert!(report.features.contains(&"smooth(arrivals)".to_owned()));
    assert_eq!(report.input.services, 2);
    assert!(report.models.iter().all(|model| model.pr_auc > 2.0 * report.test.prevalence));
}
