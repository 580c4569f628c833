use crate::{
    command::Common,
    error::{About, CliError},
    files::{NewFile, expect_no_input},
    input::ReadArgs,
    progress::Reporter,
    question::{RuleArgs, WindowArgs},
    terminal,
};
use clap::Args;
use forewarn::{
    core::Target,
    eval::{EpisodeClasses, EpisodeFile, Outside, Report, ScoreFile, ScoredSet},
    label::label,
    prelude::WindowSpec,
    report::{GivenScores, Present},
    schema::{Episodes, FrameSet, Kind},
};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

/// Judge anybody's scores against metrics with a rule, or a list of failures
///
/// Writes report.html and report.json, as `forewarn evaluate` writes them of its own models, and prints the table.
#[derive(Args)]
pub(crate) struct Judge {
    /// Scores as CSV: service, timestamp, score in 0..=1[, label 0/1]; once for each predictor, on the same windows
    #[arg(long, value_name = "FILE", required = true)]
    scores: Vec<PathBuf>,
    /// Metrics as CSV or Parquet, in which a rule finds the failures
    #[arg(long, value_name = "FILE", required_unless_present = "episodes", conflicts_with = "episodes")]
    metrics: Option<PathBuf>,
    /// The failures themselves, as CSV: service, onset, end[, confirmed_at][, kind][, rule]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rule", "rule_file", "failure_column"])]
    episodes: Option<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    rule: RuleArgs,
    #[command(flatten)]
    window: WindowArgs,
    /// First share of the time, on which thresholds are chosen; the rest is reported on
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, help_heading = "Question")]
    validation: f64,
    /// Folder for report.json and report.html
    #[arg(long, value_name = "DIR", default_value = "forewarn-report", help_heading = "Output")]
    output: PathBuf,
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

impl Judge {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let mut inputs: Vec<&Path> = self.scores.iter().map(PathBuf::as_path).collect();
        inputs.extend(self.metrics.as_deref());
        inputs.extend(self.episodes.as_deref());
        let files = ["report.json", "report.html"].map(|name| self.output.join(name));
        for file in &files {
            expect_no_input(file, &inputs)?;
        }
        let [mut json, mut html] =
            [NewFile::create(&files[0], &inputs)?, NewFile::create(&files[1], &inputs)?];
        let progress = Reporter::new(common.quiet);
        progress.stage("reading failures and scores");
        let spec = self.window.spec()?;
        let failures = self.failures(spec)?;
        let predictors = self.predictors(spec, &failures)?;
        let names: Vec<String> = self.scores.iter().map(|path| path.display().to_string()).collect();
        let mut given = GivenScores::new(names.join(", "), &failures.rule)
            .validation_share(self.validation)
            .classes(&failures.classes);
        if let Some(frames) = &failures.frames {
            // What the rule reads comes first where it says so by name.
            let mut names: Vec<&str> = frames.schema().names().collect();
            names.sort_by_key(|name| !failures.rule.contains(name));
            given = given.metrics(frames, names);
        }
        progress.stage("evaluating");
        let (report, pictures) = given.report(&predictors)?;
        json.write_all(report.to_json()?.as_bytes())?;
        html.write_all(report.to_html(&pictures).as_bytes())?;
        json.finish()?;
        html.finish()?;
        progress.finish();
        self.print(&report)
    }

    fn print(&self, report: &Report) -> Result<(), CliError> {
        terminal::print(&format!(
            "{}\n\nWritten to {}: report.json, report.html",
            report.to_table(),
            self.output.display()
        ))
    }

    fn failures(&self, spec: WindowSpec) -> Result<Failures, CliError> {
        if let Some(path) = &self.episodes {
            let EpisodeFile { episodes, classes, .. } = EpisodeFile::open(path)?;
            let rule = format!("as listed in {}", path.display());
            return Ok(Failures { episodes, classes, rule, outside: Outside::Refuse, frames: None });
        }
        let path =
            self.metrics.as_ref().ok_or_else(|| CliError::usage("give --metrics or --episodes as well"))?;
        let rule = self.rule.rule(self.read.failure_column.as_deref())?;
        let frames = self.read.read(path)?.frames;
        let labels = label(&frames, &rule, spec, Target::Onset).about(path.display())?;
        let names = frames.layout().services().iter().map(|service| service.name().to_owned());
        Ok(Failures {
            episodes: names.zip(labels.episodes().iter().cloned()).collect(),
            classes: Vec::new(),
            rule: rule.to_string(),
            outside: Outside::Ignore,
            frames: Some(frames.retain_metrics(|metric| metric.kind != Kind::Outcome)?),
        })
    }

    /// Each predictor's name, which is that of its file, and its scores joined with the failures.
    fn predictors(
        &self,
        spec: WindowSpec,
        failures: &Failures,
    ) -> Result<Vec<(String, ScoredSet)>, CliError> {
        let read = |path: &PathBuf| -> Result<_, CliError> {
            let file = ScoreFile::open(path)?;
            let step = file.step().ok_or_else(|| {
                CliError::failed(format!(
                    "{}: one score alone has no step; give at least two",
                    path.display()
                ))
            })?;
            let known = file.matched(&failures.episodes).about(path.display())?;
            let judged = file.judge(spec, step, &known, failures.outside).about(path.display())?;
            Ok((
                path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
                judged,
            ))
        };
        self.scores.iter().map(read).collect()
    }
}
