//! Judges any predictor by its scores alone: a vendor's, a colleague's, one of your own.
//!
//! `cargo run --release --example evaluate_scores -- --help`

use forewarn::{
    eval::{
        BlockBootstrap, Comparison, Curve, CurveKind, InputSummary, LeakAudit, ModelReport, ModelRun,
        Outside, Pictures, ScoreFile, ServiceOnsets, SplitSummary, TestSummary, WindowSummary, read_episodes,
    },
    io,
    prelude::*,
};
use lexopt::{Arg, ValueExt};
use std::{collections::BTreeMap, error::Error, fs, path::PathBuf, process::ExitCode, time::Duration};

const HELP: &str = "\
Judges predictors by their scores, and writes the report that forewarn writes of its own models.

Usage: cargo run --release --example evaluate_scores -- --scores FILE... (--metrics FILE | --episodes FILE) [OPTIONS]

  --scores FILE           CSV: service, timestamp, score in 0..=1[, label 0/1]; once for each predictor, on the same windows
  --metrics FILE          metrics as CSV or Parquet, in which a rule finds the failures
  --rule RULE             what failing means in them [error_rate >= 0.05 for 2 consecutive steps]
  --failure-column NAME   or: a 0/1 column of them that says when the service was failing
  --episodes FILE         or: the failures themselves, CSV: service, onset, end[, confirmed_at]
  --lead N, --period N    a score at t is about steps t+lead+1 to t+lead+period [0, 5]
  --observation N         steps that a predictor looks back; parts of the data lie at least so far apart [10]
  --validation SHARE      first share of the time, on which thresholds are chosen; the rest is reported on [0.5]
  --output DIR            folder for report.json and report.html [forewarn-report]
  --help                  this text
";

struct Options {
    scores: Vec<PathBuf>,
    metrics: Option<PathBuf>,
    rule: ThresholdRule,
    settings: ReadOptions,
    episodes: Option<PathBuf>,
    window: [usize; 3],
    validation: f64,
    output: PathBuf,
}

/// The options, or `None` when help was asked for.
fn parse_options() -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        scores: Vec::new(),
        metrics: None,
        rule: ThresholdRule::v1(),
        settings: ReadOptions::default(),
        episodes: None,
        window: [10, 0, 5],
        validation: 0.5,
        output: "forewarn-report".into(),
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        let Arg::Long(name) = argument else { return Err(argument.unexpected().into()) };
        match name {
            "scores" => options.scores.push(arguments.value()?.into()),
            "metrics" => options.metrics = Some(arguments.value()?.into()),
            "rule" => options.rule = arguments.value()?.parse()?,
            "failure-column" => {
                let column = arguments.value()?.string()?;
                options.rule = ThresholdRule::outcome(&column);
                options.settings = options.settings.with_outcome_column(column);
            }
            "episodes" => options.episodes = Some(arguments.value()?.into()),
            "observation" => options.window[0] = arguments.value()?.parse()?,
            "lead" => options.window[1] = arguments.value()?.parse()?,
            "period" => options.window[2] = arguments.value()?.parse()?,
            "validation" => options.validation = arguments.value()?.parse()?,
            "output" => options.output = arguments.value()?.into(),
            "help" => return Ok(None),
            _ => return Err(argument.unexpected().into()),
        }
    }
    if options.scores.is_empty() || options.metrics.is_some() == options.episodes.is_some() {
        return Err("needed: --scores, and either --metrics or --episodes".into());
    }
    if !(options.validation > 0.0 && options.validation < 1.0) {
        return Err("--validation: expected a share above 0 and below 1".into());
    }
    Ok(Some(options))
}

/// Failures by service, a sentence on what they are, and what to do with those outside the scores.
type Failures = (BTreeMap<String, Episodes>, String, Outside);

fn failures(options: &Options, spec: WindowSpec) -> Result<Failures, Box<dyn Error>> {
    if let Some(path) = &options.episodes {
        let failures = fs::File::open(path)
            .map_err(Into::into)
            .and_then(|file| Ok::<_, Box<dyn Error>>(read_episodes(file)?));
        let failures = failures.map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok((failures, format!("as listed in {}", path.display()), Outside::Refuse));
    }
    let path = options.metrics.as_ref().ok_or("needed: --metrics or --episodes")?;
    let frames = io::read(path, &options.settings)?.frames;
    let labels = label(&frames, &options.rule, spec, Target::Onset)?;
    let names = frames.layout().services().iter().map(|service| service.name().to_owned());
    let rule = options.rule.describe();
    Ok((names.zip(labels.episodes().iter().cloned()).collect(), rule, Outside::Ignore))
}

/// Failures under the names that the scores have for services. A single service needs no name: metrics files often have none.
fn matched(
    file: &ScoreFile,
    failures: &BTreeMap<String, Episodes>,
) -> Result<BTreeMap<String, Episodes>, Box<dyn Error>> {
    let names: Vec<&str> = file.services().collect();
    if let ([name], [(_, episodes)]) = (&names[..], &failures.iter().collect::<Vec<_>>()[..]) {
        return Ok(BTreeMap::from([((*name).to_owned(), (*episodes).clone())]));
    }
    if !names.iter().any(|&name| failures.contains_key(name)) {
        let known: Vec<&str> = failures.keys().map(String::as_str).collect();
        return Err(format!(
            "no service is the same: scores of {}, failures of {}",
            names.join(", "),
            known.join(", ")
        )
        .into());
    }
    Ok(failures.clone())
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let spec = WindowSpec::new(options.window[0], options.window[1], options.window[2])?;
    let (failures, rule, outside) = failures(options, spec)?;
    let mut models = Vec::new();
    for path in &options.scores {
        let judged = || -> Result<_, Box<dyn Error>> {
            let file = ScoreFile::read(fs::File::open(path)?)?;
            let step = file.step().ok_or("a single score has no time between two rows")?;
            let failures = matched(&file, &failures)?;
            let set = file.judge(spec, step, &failures, outside)?;
            let (first, last) =
                set.span().ok_or("no score is left: all lie in failures or too near the end")?;
            let share = options.validation * (last.millis() - first.millis()) as f64;
            let cut =
                Timestamp::from_millis(first.millis() + share as i64).ok_or("time beyond the calendar")?;
            let (validation, test) = set.split_after(cut, spec.purge(1))?;
            Ok((set, validation, test))
        };
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        models.push((name, judged().map_err(|error| format!("{}: {error}", path.display()))?));
    }
    let (all, validation, test) = &models.first().ok_or("needed: --scores")?.1;
    let mut report = Report::new(
        InputSummary::of_scores(format!("{} files of scores", models.len()), "csv", all)?,
        rule,
        Target::Onset,
        WindowSummary::new(spec, all.step()),
        Vec::new(),
        SplitSummary::of_scores(validation, test, spec.purge(1))?,
        TestSummary::new(test)?,
    );
    let mut pictures = Pictures::default();
    for (name, (_, validation, test)) in &models {
        let (validation_scores, validation_positive) = validation.pooled("validation")?;
        report.models.push(ModelReport::evaluate(&ModelRun {
            name,
            trainer: None,
            description: "Scores from a file",
            validation_scores: &validation_scores,
            validation_positive: &validation_positive,
            validation: Some(validation),
            test,
            fit_time: Duration::ZERO,
            score_time: Duration::ZERO,
        })?);
        let (scores, positive) = test.pooled("test")?;
        pictures.curves.push(Curve::new(name, CurveKind::Model, &scores, &positive)?);
        for check in LeakAudit::new().scores(test).run()?.checks {
            report.notes.push(format!("{name}: {}: {}.", check.name, check.text));
        }
    }
    let compared: Vec<(&str, &ScoredSet)> =
        models.iter().map(|(name, (_, _, test))| (&**name, test)).collect();
    report.comparison = Comparison::new(&compared, &BlockBootstrap::default())?;
    pictures.onsets = failures.iter().map(|(name, episodes)| ServiceOnsets::new(name, episodes)).collect();
    fs::create_dir_all(&options.output)?;
    fs::write(options.output.join("report.json"), report.to_json()?)?;
    fs::write(options.output.join("report.html"), report.to_html(&pictures))?;
    println!("{}\nWritten to {}: report.html, report.json", report.to_table(), options.output.display());
    Ok(())
}

fn main() -> ExitCode {
    match parse_options() {
        Ok(None) => print!("{HELP}"),
        Ok(Some(options)) => {
            if let Err(error) = run(&options) {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
        Err(error) => {
            eprintln!("error: {error}\nTry --help.");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
