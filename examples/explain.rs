//! Why a failure is foreseen: the metrics and minutes behind the earliest warning of every failure that boosted trees
//! saw coming.
//!
//! `cargo run --release --example explain`, or on metrics of your own: `... explain -- metrics.csv`. The program's
//! `forewarn explain` does it for other rules and models.

use forewarn::{
    core::Explain,
    ensemble::{Calibrated, CalibrationMethod},
    experiment::Data,
    io::ReadOptions,
    prelude::*,
    schema::Episode,
    window::{Impute, Normalisation},
};
use std::{error::Error, process::ExitCode};

/// Warnings on one window in a hundred of those in which nothing was about to fail.
const QUIET_WARNINGS: f64 = 0.01;
/// Failures that are shown.
const SHOWN: usize = 3;

/// The evidence behind the first warnings, as text and as what a program would pass on.
fn explain(path: Option<&str>) -> Result<(), Box<dyn Error>> {
    let data = match path {
        None => Data::from_stress_walk(StressWalk::new(20 * 1440, 7).run()?)?,
        Some(path) => Data::from_path(path.as_ref(), &ReadOptions::default())?,
    };
    let labels = label(data.frames(), &Rule::v1(), WindowSpec::default(), Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;
    let (filled, _) = Impute::last(5)?.fill(data.frames().clone())?;
    // Against each service's own normal, so that a value is given in deviations from it.
    let pipeline =
        Pipeline::fit(Features::default(), split.train(), &filled, Normalisation::ZScore, Scope::Service, 1)?;
    let features = pipeline.apply(&filled)?;
    let (train, validation) = (split.train().on(&features)?, split.validation().on(&features)?);
    let trees = BoostedTrees::default().fit(train, validation, &mut Silent)?;
    let model = Calibrated::fit(trees, CalibrationMethod::Platt, validation)?;

    println!("What the trees go by, in nats of training loss:");
    for (column, importance) in model.inner().importance().iter().take(5) {
        println!("  {:8.1}  {column}", importance.gain);
    }

    let mut quiet: Vec<Score> = model.score_all(validation.windows())?;
    let mut is_positive = validation.positive().iter();
    quiet.retain(|_| !is_positive.next().is_some_and(|&positive| positive));
    quiet.sort();
    let threshold = quiet[((1.0 - QUIET_WARNINGS) * quiet.len() as f64) as usize];

    let test = split.test().on(&features)?;
    let scores = model.score_all(test.windows())?;
    let mut shown = Vec::new();
    let mut last_failure = None;
    for (((index, &score), &positive), (service, time)) in
        scores.iter().enumerate().zip(test.positive()).zip(split.test().places())
    {
        let onset = labels.episodes()[service].iter().map(Episode::onset).find(|&onset| onset > time);
        if !positive || score < threshold || onset == last_failure || shown.len() == SHOWN {
            continue;
        }
        last_failure = onset;
        let window = test.windows().get(index).ok_or("a scored window is there")?;
        let evidence = model.explain(window)?;
        let service = labels.layout().services()[service].name();
        let minutes = onset.map_or(0.0, |onset| onset.minutes_since(time));
        println!("\n{service} at {time}, {minutes} min before it fails: {evidence}");
        shown.push(evidence);
    }
    let Some(first) = shown.first() else { return Err("no failure of the test span was detected".into()) };
    println!("\nAs a program reads it, without the smaller parts:");
    let mut form = serde_json::to_value(first)?;
    if let Some(parts) = form.get_mut("contributions").and_then(|parts| parts.as_array_mut()) {
        parts.truncate(1);
    }
    println!("{form:#}");
    // Base and parts add up to the score.
    let sum = first.base_log_odds() + first.contributions().iter().map(|part| part.log_odds).sum::<f64>();
    assert!((sum - first.score().log_odds()).abs() < 1e-3);
    Ok(())
}

fn main() -> ExitCode {
    match explain(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
