//! Judges any predictor by its scores alone: a vendor's, a colleague's, one of your own.
//!
//! `cargo run --release --example evaluate_scores -- --help`

use forewarn::eval::ScoredSet;
use forewarn::io::ReadOptions;
use forewarn::schema::Kind;
use forewarn::{
    eval::{EpisodeClasses, EpisodeFile, GivenScores, Outside, ScoreFile},
    io,
    prelude::*,
};
use lexopt::{Arg, ValueExt};
use std::{collections::BTreeMap, error::Error, fs, path::PathBuf, process::ExitCode};

const HELP: &str = include_str!("evaluate_scores.txt");

struct Options {
    scores: Vec<PathBuf>,
    metrics: Option<PathBuf>,
    rule: Rule,
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
        rule: Rule::v1(),
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
            "rule-file" => options.rule = Rule::from_toml(&fs::read_to_string(arguments.value()?)?)?,
            "failure-column" => {
                let column = arguments.value()?.string()?;
                options.rule = Rule::outcome(&column)?;
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
    Ok(Some(options))
}

/// What failed, and what is known of it.
struct Failures {
    episodes: BTreeMap<String, Episodes>,
    classes: Vec<EpisodeClasses>,
    /// What counts as one, as a sentence.
    rule: String,
    /// A list of failures is about these scores; metrics may go further back.
    outside: Outside,
    /// To be drawn beside the scores.
    frames: Option<FrameSet>,
}

fn failures(options: &Options, spec: WindowSpec) -> Result<Failures, Box<dyn Error>> {
    if let Some(path) = &options.episodes {
        let EpisodeFile { episodes, classes, .. } = EpisodeFile::open(path)?;
        let rule = format!("as listed in {}", path.display());
        return Ok(Failures { episodes, classes, rule, outside: Outside::Refuse, frames: None });
    }
    let path = options.metrics.as_ref().ok_or("needed: --metrics or --episodes")?;
    let frames = io::read(path, &options.settings)?.frames;
    let labels = label(&frames, &options.rule, spec, Target::Onset)?;
    let names = frames.layout().services().iter().map(|service| service.name().to_owned());
    Ok(Failures {
        episodes: names.zip(labels.episodes().iter().cloned()).collect(),
        classes: Vec::new(),
        rule: options.rule.to_string(),
        outside: Outside::Ignore,
        frames: Some(frames.retain_metrics(|metric| metric.kind != Kind::Outcome)?),
    })
}

/// Each predictor's name, which is that of its file, and its scores joined with the failures.
fn predictors(
    options: &Options,
    spec: WindowSpec,
    failures: &Failures,
) -> Result<Vec<(String, ScoredSet)>, Box<dyn Error>> {
    let read = |path: &PathBuf| -> Result<_, Box<dyn Error>> {
        let file = ScoreFile::open(path)?;
        let judge = || -> Result<_, Box<dyn Error>> {
            let step = file.step().ok_or("a single score has no time between two rows")?;
            Ok(file.judge(spec, step, &file.matched(&failures.episodes)?, failures.outside)?)
        };
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok((name, judge().map_err(|error| format!("{}: {error}", path.display()))?))
    };
    options.scores.iter().map(read).collect()
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let spec = WindowSpec::new(options.window[0], options.window[1], options.window[2])?;
    let failures = failures(options, spec)?;
    let predictors = predictors(options, spec, &failures)?;
    let files: Vec<String> = options.scores.iter().map(|path| path.display().to_string()).collect();
    let mut given = GivenScores::new(files.join(", "), &failures.rule)
        .validation_share(options.validation)
        .classes(&failures.classes);
    if let Some(frames) = &failures.frames {
        // What the rule reads comes first where it says so by name.
        let mut names: Vec<&str> = frames.schema().names().collect();
        names.sort_by_key(|name| !failures.rule.contains(name));
        given = given.metrics(frames, names);
    }
    let (report, pictures) = given.report(&predictors)?;
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
