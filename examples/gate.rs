//! LSTM and GRU beside every other model: the table of `docs/recurrent.md`.
//!
//! ```text
//! cargo run --release --example gate -- [--days 30,365] [--input FILE --failure-column NAME] [--models NAMES] [--seed N] [--write docs/recurrent.md]
//! ```
//!
//! Simulates stress walks of so many days (target `active`, where the best possible score is known), reads the file if one is given (target
//! `onset`), fits all standard models on each, and prints Markdown, or puts it into a page between the lines
//! `<!-- gate -->` and `<!-- end of gate -->`.

use forewarn::{
    eval::Interval,
    experiment::{StandardModels, TextObserver},
    io,
    prelude::*,
};
use lexopt::{Arg, ValueExt};
use std::{error::Error, fmt::Write, path::PathBuf, process::ExitCode};

struct Options {
    days: Vec<usize>,
    input: Option<PathBuf>,
    failure_column: String,
    models: Vec<String>,
    seed: u64,
    page: Option<PathBuf>,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        days: vec![30, 365],
        input: None,
        failure_column: "failure".to_owned(),
        models: StandardModels::NAMES.map(str::to_owned).to_vec(),
        seed: 7,
        page: None,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        let list = |text: String| text.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
        match argument {
            Arg::Long("days") => {
                let days = list(arguments.value()?.string()?);
                let days = days.iter().filter(|days| !days.is_empty());
                options.days = days.map(|days| days.parse()).collect::<Result<_, _>>()?;
            }
            Arg::Long("input") => options.input = Some(arguments.value()?.into()),
            Arg::Long("failure-column") => options.failure_column = arguments.value()?.string()?,
            Arg::Long("models") => options.models = list(arguments.value()?.string()?),
            Arg::Long("seed") => options.seed = arguments.value()?.parse()?,
            Arg::Long("write") => options.page = Some(arguments.value()?.into()),
            _ => return Err(argument.unexpected().into()),
        }
    }
    Ok(options)
}

/// Fits all models on one set of data and writes its table.
fn table(
    options: &Options,
    data: Data,
    rule: Rule,
    target: Target,
    title: &str,
) -> Result<String, Box<dyn Error>> {
    let spec = WindowSpec::default();
    let standard = StandardModels {
        rule: rule.clone(),
        schema: data.frames().schema().clone(),
        spec,
        seed: options.seed,
        trainer: StandardModels::preferred_trainer(),
    };
    let mut experiment = Experiment::new(rule).target(target).window(spec);
    for name in &options.models {
        experiment = experiment.model(standard.get(name)?);
    }
    let results = experiment.run(data, &TextObserver::new(std::io::stderr()))?;
    let report = results.report();
    let (positives, windows) = (report.test.positives, report.test.windows);
    let mut text = String::new();
    writeln!(text, "### {title}\n")?;
    writeln!(text, "Target `{target}`, {windows} test windows, {positives} of them positive.\n")?;
    writeln!(text, "| model | PR-AUC | 95 % interval | of the Bayes filter's | ROC-AUC | fit, s |")?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    let bayes =
        report.ceiling.as_ref().and_then(|ceiling| ceiling.bayes_filter.as_ref()).map(|bound| bound.pr_auc);
    for model in report.ranked() {
        let interval = model.intervals.as_ref().and_then(|intervals| intervals.pr_auc);
        let interval =
            interval.map_or("-".to_owned(), |Interval { low, high, .. }| format!("{low:.3} to {high:.3}"));
        let share = bayes.map_or("-".to_owned(), |bayes| format!("{:.1} %", 100.0 * model.pr_auc / bayes));
        let (pr_auc, roc_auc) = (model.pr_auc, model.roc_auc);
        let seconds = model.fit_seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.0}"));
        writeln!(text, "| {} | {pr_auc:.4} | {interval} | {share} | {roc_auc:.3} | {seconds} |", model.name)?;
    }
    writeln!(text, "| a guess: the prevalence | {:.4} | | | .500 | |", positives as f64 / windows as f64)?;
    if let Some(bayes) = bayes {
        writeln!(text, "| ceiling: Bayes filter | {bayes:.4} | | 100 % | | |")?;
    }
    Ok(text)
}

fn run() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    let mut text = String::new();
    for &days in &options.days {
        let minutes = days.checked_mul(24 * 60).ok_or("--days: too many")?;
        let data = Data::from_stress_walk(StressWalk::new(minutes, options.seed)?.run())?;
        let title = format!("Stress walk of {days} days, seed {}", options.seed);
        writeln!(text, "{}", table(&options, data, Rule::v1(), Target::Active, &title)?)?;
    }
    if let Some(path) = &options.input {
        let settings = ReadOptions::default().with_outcome_column(&options.failure_column);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let data = Data::from_recording(io::read(path, &settings)?, name.clone());
        let rule = Rule::outcome(&options.failure_column)?;
        writeln!(text, "{}", table(&options, data, rule, Target::Onset, &format!("`{name}`"))?)?;
    }
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
