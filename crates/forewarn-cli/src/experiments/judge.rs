use crate::{
    error::{About, CliError},
    options::{
        common::Common,
        input::{ReadArgs, step},
        question::{RuleArgs, WindowArgs, expect_applicable},
    },
    output::{
        files::{NewFile, expect_no_input},
        progress::Reporter,
        terminal,
    },
};
use clap::{Args, ValueEnum};
use forewarn::{
    core::Target,
    eval::{EpisodeFile, FileSettings, KnownFailures, LabelMeaning, Report, ScoreFile},
    io::{CellRows, ReadOptions},
    label::{HiddenOutages, label},
    report::{GivenScores, Present},
    schema::{Kind, Step},
};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

/// Judge the scores of any predictor against metrics with a rule, or a list of failures
///
/// Writes report.html and report.json, like `forewarn evaluate`, and prints the table.
#[derive(Args)]
pub(crate) struct Judge {
    /// Scores as CSV, JSON or Parquet, a folder of them, or - for standard input: service, timestamp, score in
    /// 0..=1[, label 0/1]; repeat for other predictors of the same windows
    #[arg(long, value_name = "FILE", required = true)]
    scores: Vec<PathBuf>,
    /// Metrics in which a rule finds the failures, in any form that `forewarn check` understands. Without metrics and
    /// episodes, the labels in the scores say when a service was failing (--label-means failing)
    #[arg(long, value_name = "FILE", conflicts_with = "episodes")]
    metrics: Vec<PathBuf>,
    /// The failures themselves, as CSV, JSON or Parquet: service, onset, end or duration[, confirmed_at][, kind]
    /// [, rule]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rule", "rule_file", "failure_column"])]
    episodes: Option<PathBuf>,
    /// How long a failure lasts whose end the list of episodes does not say [default: the step, or a minute]
    #[arg(long, value_name = "DURATION", value_parser = step, requires = "episodes", help_heading = "Question")]
    lasting: Option<Step>,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    rule: RuleArgs,
    #[command(flatten)]
    window: WindowArgs,
    /// Share of the time, from its start, on which thresholds are chosen; the rest is reported
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, help_heading = "Question")]
    validation: f64,
    /// Meaning of a label of 1 in the scores; labels that contradict the failures are refused
    #[arg(long, value_name = "MEANING", value_enum, default_value_t = LabelMeans::Begins, help_heading = "Question")]
    label_means: LabelMeans,
    /// Folder for report.json and report.html
    #[arg(long, value_name = "DIR", default_value = "forewarn-report", help_heading = "Output")]
    output: PathBuf,
}

/// Options of reading that files of scores and lists of failures have as well.
const OF_SCORES: [&str; 9] = [
    "time_column",
    "service_column",
    "rename",
    "step",
    "timezone",
    "date_order",
    "separator",
    "decimal",
    "missing",
];

/// What a label of 1 says.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LabelMeans {
    /// A failure begins in the prediction period of the row
    Begins,
    /// The service is failing at the time of the row
    Failing,
}

impl Judge {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let are_labels = self.metrics.is_empty() && self.episodes.is_none();
        if are_labels && !matches!(self.label_means, LabelMeans::Failing) {
            return Err(CliError::usage(
                "what became of the services? Give their metrics (--metrics FILE, with --rule or --failure-column), a list \
                 of the failures (--episodes FILE), or scores with a column `label` that says when a service was failing \
                 (--label-means failing)",
            ));
        }
        if self.metrics.is_empty() {
            self.read.expect_unused(&OF_SCORES, "give --metrics as well")?;
        }
        if are_labels && (self.rule.rule.is_some() || self.rule.rule_file.is_some()) {
            return Err(CliError::usage("a failure rule is about metrics: give --metrics as well"));
        }
        let mut inputs: Vec<&Path> = self.scores.iter().map(PathBuf::as_path).collect();
        inputs.extend(self.metrics.iter().map(PathBuf::as_path));
        inputs.extend(self.episodes.as_deref());
        let files = ["report.json", "report.html"].map(|name| self.output.join(name));
        for file in &files {
            expect_no_input(file, &inputs)?;
        }
        let [mut json, mut html] =
            [NewFile::create(&files[0], &inputs)?, NewFile::create(&files[1], &inputs)?];
        let progress = Reporter::new(common.quiet);
        progress.stage("reading failures and scores");
        let given = GivenScores::new(self.names(), self.rule_text()?)
            .with_validation_share(self.validation)
            .with_label_meaning(match self.label_means {
                LabelMeans::Begins => LabelMeaning::Begins,
                LabelMeans::Failing => LabelMeaning::Failing,
            });
        let (options, settings) = self.reading()?;
        let (mut report, pictures, outages) = match &self.episodes {
            Some(path) => {
                let spec = self.window.spec(self.read.step().unwrap_or(Step::MINUTE))?;
                let list = EpisodeFile::from_rows(rows(path, &options)?, &settings)?;
                let EpisodeFile { episodes, classes, notes, .. } = list;
                let known = KnownFailures::List { episodes: &episodes, spec, step: self.read.step() };
                let scores = self.read_scores(&options, &settings)?;
                progress.stage("evaluating");
                let (mut report, pictures) = given.with_classes(&classes).judge_read(scores, known)?;
                report.notes.extend(notes);
                (report, pictures, None)
            }
            None if are_labels => {
                let spec = self.window.spec(self.read.step().unwrap_or(Step::MINUTE))?;
                let scores = self.read_scores(&options, &settings)?;
                progress.stage("evaluating");
                let known = KnownFailures::InScores { spec, step: self.read.step() };
                let (report, pictures) = given.judge_read(scores, known)?;
                (report, pictures, None)
            }
            None => {
                let rule = self.rule.rule(self.read.outcome_column())?;
                let frames = self.read.read(&self.metrics)?.frames;
                let spec = self.window.spec(frames.layout().step())?;
                expect_applicable(&rule, &frames)?;
                let labels = label(&frames, &rule, spec, Target::Onset).about("--metrics")?;
                let outages = HiddenOutages::find(&frames, &rule);
                let frames = frames.retain_metrics(|metric| metric.kind != Kind::Outcome)?;
                // What the rule reads comes first where it says so by name.
                let rule = rule.to_string();
                let mut names: Vec<&str> = frames.schema().names().collect();
                names.sort_by_key(|name| !rule.contains(name));
                let scores = self.read_scores(&options, &settings)?;
                progress.stage("evaluating");
                let known = KnownFailures::Labels(&labels);
                let (report, pictures) = given.with_metrics(&frames, names).judge_read(scores, known)?;
                (report, pictures, outages)
            }
        };
        report.notes.extend(outages.map(|found| found.to_string()));
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

    /// How scores and episodes are read.
    fn reading(&self) -> Result<(ReadOptions, FileSettings), CliError> {
        let mut options = self.read.options()?;
        // Where there are metrics, these name their columns.
        if !self.metrics.is_empty() {
            options.rename.clear();
            options.time_columns.clear();
            options.service_columns.clear();
        }
        let mut settings = FileSettings::default()
            .with_time_columns(options.time_columns.clone())
            .with_service_columns(options.service_columns.clone())
            .with_missing_words(options.missing_words.clone());
        settings.timezone.clone_from(&options.timezone);
        settings.date_order = options.date_order;
        let step = self.read.step().unwrap_or(Step::MINUTE);
        settings.lasting_millis = self.lasting.unwrap_or(step).millis();
        Ok((options, settings))
    }

    /// The scores of each file by model.
    fn read_scores(&self, options: &ReadOptions, settings: &FileSettings) -> Result<Scores, CliError> {
        let read = |path: &PathBuf| -> Result<_, CliError> {
            Ok((path.clone(), ScoreFile::from_rows(rows(path, options)?, settings)?))
        };
        self.scores.iter().map(read).collect()
    }

    /// The files of scores.
    fn names(&self) -> String {
        let names: Vec<String> = self.scores.iter().map(|path| path.display().to_string()).collect();
        names.join(", ")
    }

    /// What counts as a failure, as a sentence.
    fn rule_text(&self) -> Result<String, CliError> {
        match &self.episodes {
            Some(path) => Ok(format!("as listed in {}", path.display())),
            None if self.metrics.is_empty() => Ok("as the labels of the scores say".to_owned()),
            None => Ok(self.rule.rule(self.read.outcome_column())?.to_string()),
        }
    }
}

/// Scores by model, of each file.
type Scores = Vec<(PathBuf, BTreeMap<String, ScoreFile>)>;

/// The rows of a file or a folder, or of standard input for `-`.
fn rows(path: &Path, options: &ReadOptions) -> Result<CellRows, CliError> {
    Ok(match path == Path::new("-") {
        true => CellRows::from_reader(std::io::stdin().lock(), "standard input", options)?,
        false => CellRows::open(path, options)?,
    })
}
