//! LSTM and GRU beside every other model: the table of `docs/reference/recurrent.md`.
//!
//! ```text
//! cargo run --release --example gate -- [--walk FILE] [--days 365] [--fleet-days 30] [--servers FILE --failure-column NAME]
//!     [--models NAMES] [--seed N] [--write docs/reference/recurrent.md]
//! ```
//!
//! Fits the models on a recorded stress walk, on simulated ones of so many days (both with target `active`, for which the best possible score
//! is known; there some once more, without the failure rule's verdicts as features), on a simulated fleet and on recorded servers (target `onset`, 60/20/20), and prints Markdown, or puts it into a page between
//! the lines `<!-- gate -->` and `<!-- end of gate -->`. What is not asked for is left out. Recurrent models that are served by states
//! (`lstm_running`, `gru_running`) have a small table of their own, beside the same fits by windows.

use forewarn::experiment::Data;
use forewarn::io::ReadOptions;
mod options;
mod tables;

use forewarn::{
    experiment::{ExperimentError, Results, Simulated, StandardModels, TextObserver, VerdictColumns},
    io,
    prelude::*,
    recurrent::Trainer,
    sim::bayes_filter,
};
use options::Options;
use std::{error::Error, fmt::Write, path::Path, process::ExitCode};

/// Models that are fitted once more, without the failure rule's verdicts as features.
const WITHOUT_VERDICTS: [&str; 4] = ["lstm", "boosted_trees", "logistic_snapshot", "gru"];

/// Fits those of the models that the rule allows on one set of data.
fn fit(
    models: &[String],
    seed: u64,
    data: Data,
    rule: &Rule,
    question: impl FnOnce(Experiment) -> Experiment,
) -> Result<Results, Box<dyn Error>> {
    let standard = StandardModels {
        rule: rule.clone(),
        schema: data.frames().schema().clone(),
        spec: WindowSpec::default(),
        seed,
        trainer: Trainer::fastest(),
        members: StandardModels::MEMBERS,
    };
    let mut experiment = question(Experiment::new(rule.clone()));
    for name in models {
        match standard.get(name) {
            Ok(model) => experiment = experiment.with_model(model),
            // Persistence of a failure that no metric shows has no meaning.
            Err(ExperimentError::NothingToWatch { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(experiment.run(data, &TextObserver::new(std::io::stderr()))?)
}

/// What a Bayes filter that knows the process scores on the test windows of a walk.
fn bayes(frames: &FrameSet, results: &Results) -> Result<f64, Box<dyn Error>> {
    let frame = frames.frame(0).ok_or("no service")?;
    let known = bayes_filter(frame, WindowSpec::default(), Target::Active)?;
    let (_, set) = results.sets().next().ok_or("no model")?;
    let series = &set.series()[0];
    let row = |time: &Timestamp| (time.minutes_since(frame.start()) / frame.step().minutes()) as usize;
    let scores: Vec<Score> = series.times().iter().map(|time| known[row(time)]).collect();
    Ok(average_precision(&scores, series.positive())?)
}

fn all(options: &Options) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    let (models, seed) = (options.models.as_slice(), options.seed);
    let mut walk = |title: &str, data: Data, models: &[String], question: fn(Experiment) -> Experiment| {
        let frames = data.frames().clone();
        let results = fit(models, seed, data, &Rule::v1(), |experiment| {
            question(experiment.with_target(Target::Active))
        })?;
        let bound = ("Bayes filter", bayes(&frames, &results)?);
        Ok::<_, Box<dyn Error>>(writeln!(text, "{}", tables::tables(title, &results, Some(bound))?)?)
    };
    if let Some(path) = &options.walk {
        let data = Data::from_path(path, &ReadOptions::default())?;
        walk(&format!("`{}`", name(path)), data, models, |experiment| experiment)?;
    }
    let minutes = |days: usize| days.checked_mul(24 * 60).ok_or("too many days");
    for &days in &options.days {
        let data =
            || Data::simulated(Simulated::StressWalk, minutes(days)?, seed).map_err(Box::<dyn Error>::from);
        let title = format!("Stress walk of {days} days, seed {seed}");
        walk(&title, data()?, models, |experiment| experiment)?;
        let few: Vec<String> =
            models.iter().filter(|model| WITHOUT_VERDICTS.contains(&model.as_str())).cloned().collect();
        if !few.is_empty() {
            let title = format!("The same {days} days, without the rule's verdicts as features");
            walk(&title, data()?, &few, |experiment| experiment.with_verdicts(VerdictColumns::Hidden))?;
        }
    }
    for &days in &options.fleet_days {
        let data = Data::simulated(Simulated::Shop, minutes(days)?, seed)?;
        let results = fit(models, seed, data, &Rule::v1(), |experiment| experiment)?;
        let bound = results.report().ceiling.as_ref().and_then(|ceiling| ceiling.oracle.as_ref());
        let bound = bound.map(|bound| ("oracle, who sees the hidden state", bound.pr_auc));
        let title = format!("Fleet: the shop of four services, {days} days, seed {seed}");
        writeln!(text, "{}", tables::tables(&title, &results, bound)?)?;
    }
    if let Some(path) = &options.servers {
        let settings = ReadOptions::default().with_outcome_column(&options.failure_column);
        let data = Data::from_recording(io::read(path, &settings)?, name(path));
        let rule = Rule::outcome(&options.failure_column)?;
        let split = "0.6,0.2,0.2".parse()?;
        let results = fit(models, seed, data, &rule, |experiment| experiment.with_split(split))?;
        writeln!(text, "{}", tables::tables(&format!("`{}`", name(path)), &results, None)?)?;
    }
    Ok(text)
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let text = all(&options)?;
    match &options.page {
        None => print!("{text}"),
        Some(path) => {
            let page = std::fs::read_to_string(path)?;
            let (begin, end) = ("<!-- gate -->\n", "<!-- end of gate -->");
            let parts =
                page.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
            let (before, after) = parts.ok_or("the page has no place for the table")?;
            std::fs::write(path, format!("{before}{begin}{text}{end}{after}"))?;
        }
    }
    Ok(())
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
