//! LSTM and GRU beside every other model: the tables of docs/reference/recurrent.md, as Markdown.
//!
//! ```text
//! cargo run --release --example gate -- [SERVERS_FILE]
//! ```
//!
//! Fits the models on a simulated year of the stress walk (target `active`, for which the best possible score is
//! known), once more without the failure rule's verdicts as features, and on half a year of the shop (target `onset`,
//! four months of it for the test). With a file of recorded servers and a column `failure`, on those too (60/20/20).
//! Takes some hours on two cores. What is not here is for `forewarn evaluate`, which fits the same models on anything.

mod tables;

use forewarn::{
    experiment::{Data, ExperimentError, Results, Simulated, StandardModels, TextObserver, VerdictColumns},
    io::ReadOptions,
    prelude::*,
};
use std::{error::Error, path::Path, process::ExitCode};

const SEED: u64 = 7;
const WALK_DAYS: usize = 365;
const SHOP_DAYS: usize = 180;
/// A month to fit on and four to test on: on a test span of days the order of models would be luck.
const SHOP_SPLIT: &str = "0.2667,0.0667,0.6666";
/// The servers' column that says when one was failing.
const FAILURE_COLUMN: &str = "failure";

/// Controls, rules, linear models, trees, networks, networks served by states, and networks with trees.
const MODELS: [&str; 16] = [
    "lstm",
    "boosted_trees",
    "service_rate",
    "persistence",
    "static_threshold",
    "rolling_mean",
    "trend",
    "logistic_snapshot",
    "logistic_window",
    "gru",
    "lstm_hazard",
    "gru_hazard",
    "lstm_running",
    "gru_running",
    "ensemble",
    "ensemble_stacked",
];

/// Models that are fitted once more, without the failure rule's verdicts as features.
const WITHOUT_VERDICTS: [&str; 4] = ["lstm", "boosted_trees", "logistic_snapshot", "gru"];

/// Fits on one set of data those of the models that the experiment's rule allows, and prints their tables.
fn tables_of(
    title: &str,
    models: &[&str],
    data: Data,
    rule: &Rule,
    question: impl FnOnce(Experiment) -> Experiment,
) -> Result<Results, Box<dyn Error>> {
    let schema = data.frames().schema().clone();
    let standard = StandardModels { seed: SEED, ..StandardModels::new(rule.clone(), schema) };
    let mut experiment = question(Experiment::new(rule.clone()));
    for name in models {
        match standard.get(name) {
            Ok(model) => experiment = experiment.with_model(model),
            // Persistence of a failure that no metric shows has no meaning.
            Err(ExperimentError::NothingToWatch { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let results = experiment.run(data, &TextObserver::new(std::io::stderr()))?;
    println!("{}", tables::tables(title, results.report())?);
    Ok(results)
}

/// The simulated data: `days` of the walk, as it is and without verdicts, and of the shop.
fn simulated() -> Result<(), Box<dyn Error>> {
    let rule = Rule::v1();
    let walk = || Data::simulated(Simulated::StressWalk, WALK_DAYS * 24 * 60, SEED);
    let title = format!("Stress walk of {WALK_DAYS} days, seed {SEED}");
    tables_of(&title, &MODELS, walk()?, &rule, |experiment| experiment.with_target(Target::Active))?;

    let title = format!("The same {WALK_DAYS} days, without the rule's verdicts as features");
    tables_of(&title, &WITHOUT_VERDICTS, walk()?, &rule, |experiment| {
        experiment.with_target(Target::Active).with_verdicts(VerdictColumns::Hidden)
    })?;

    let shop = Data::simulated(Simulated::Shop, SHOP_DAYS * 24 * 60, SEED)?;
    let title = format!("Fleet: the shop of four services, {SHOP_DAYS} days, seed {SEED}");
    let split = SHOP_SPLIT.parse()?;
    let results = tables_of(&title, &MODELS, shop, &rule, |experiment| experiment.with_split(split))?;
    // No model sees the hidden state: one above the oracle has seen the future.
    let report = results.report();
    let oracle = report.ceiling.as_ref().and_then(|ceiling| ceiling.oracle.as_ref());
    assert!(oracle.is_some_and(|oracle| report.models.iter().all(|model| model.pr_auc < oracle.pr_auc)));
    Ok(())
}

/// Recorded servers, named by their file.
fn servers(path: &Path) -> Result<(), Box<dyn Error>> {
    let data = Data::from_path(path, &ReadOptions::default().with_outcome_column(FAILURE_COLUMN))?;
    let rule = Rule::outcome(FAILURE_COLUMN)?;
    let split = "0.6,0.2,0.2".parse()?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    tables_of(&format!("`{name}`"), &MODELS, data, &rule, |experiment| experiment.with_split(split))?;
    Ok(())
}

fn run() -> Result<(), Box<dyn Error>> {
    simulated()?;
    std::env::args_os().nth(1).map_or(Ok(()), |path| servers(path.as_ref()))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
