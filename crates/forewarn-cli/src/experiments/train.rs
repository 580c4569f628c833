use crate::{
    data::manifest::queries_of,
    error::{About, CliError},
    experiments::evaluate::saved,
    options::{
        common::Common,
        input::{DataArgs, ReadArgs},
        journal,
        models::ModelArgs,
        prometheus::{Past, PrometheusArgs},
        question::{BudgetArgs, RuleArgs, TargetArgs, WindowArgs},
    },
    output::{progress::Reporter, terminal},
};
use clap::Args;
use forewarn::{
    experiment::{Data, Experiment, SampleAbout, TrainingSummary, prepare_file, write_model},
    live::ActedOn,
    prelude::Fractions,
};
use forewarn_server::PrometheusQueries;
use serde_json::Value;
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

/// Days of the past that are trained on unless others are asked for.
const DAYS: usize = 30;

/// Fit models on all data, and save the best on validation as one file
///
/// The last part of the time is kept as validation, for thresholds, early stopping and the choice of model. There is no
/// test span: run `forewarn evaluate` to measure what a model is worth.
#[derive(Args)]
pub(crate) struct Train {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    server: PrometheusArgs,
    #[command(flatten)]
    rule: RuleArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    budget: BudgetArgs,
    #[command(flatten)]
    models: ModelArgs,
    /// Store folder of a live service, whose journal is trained on in place of metrics: what the service saw, without
    /// the time after warnings that an operator acted on
    #[arg(long, value_name = "DIR", requires = "live_model", help_heading = "Input",
          conflicts_with_all = ["input", "simulate", "days", "prometheus"])]
    journal: Option<PathBuf>,
    /// Model file with which that service warned
    #[arg(long, value_name = "FILE", requires = "journal", help_heading = "Input")]
    live_model: Option<PathBuf>,
    /// Count the time after warnings that an operator acted on as time without a failure
    #[arg(long, requires = "journal", help_heading = "Input")]
    keep_averted: bool,
    /// Fill in values that came too late for a score. More failures are known then, but rows are tidier than those that
    /// a live service scores
    #[arg(long, requires = "journal", help_heading = "Input")]
    keep_late: bool,
    /// Folder of a sample that the Python module labelled, on Spark or not, with its rule, window and target: every
    /// label and weight is found again before anything is fitted
    #[arg(long, value_name = "DIR", help_heading = "Input",
          conflicts_with_all = ANSWERED_BY_SAMPLE.into_iter().chain(ReadArgs::NAMES))]
    sample: Option<PathBuf>,
    /// Shares of the time for train, validation and test; the test share is trained on as well
    #[arg(long, value_name = "A,B,C", default_value = "0.70,0.15,0.15", help_heading = "Question")]
    split: Fractions,
    /// File for the model
    #[arg(long, value_name = "FILE", default_value = "model.safetensors", help_heading = "Output")]
    save: PathBuf,
}

/// Options that say what a sample says already, beside those about reading metrics.
const ANSWERED_BY_SAMPLE: [&str; 11] = [
    "input",
    "simulate",
    "days",
    "prometheus",
    "journal",
    "rule",
    "rule_file",
    "target",
    "observation",
    "lead",
    "period",
];

/// What a model file says of the sample that the model was fitted on.
const SAMPLE: &str = "sample";

impl Train {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let inputs = self.data.inputs();
        prepare_file(&self.save, &inputs)?;
        let progress = Reporter::new(common.quiet);
        if let Some(folder) = &self.sample {
            return self.of_sample(folder, &progress);
        }
        let (data, queries) = match (&self.journal, &self.live_model) {
            (Some(folder), Some(model)) => {
                self.data.read.expect_unused(&["failure_column"], "the journal needs none")?;
                let acted_on = if self.keep_averted { ActedOn::Kept } else { ActedOn::LeftOut };
                (journal::data((folder, model), (acted_on, self.keep_late), &progress)?, None)
            }
            _ if self.server.is_given() => {
                if !self.data.input.is_empty() {
                    return Err(CliError::usage("--prometheus and --input: give one of them"));
                }
                self.data
                    .read
                    .expect_unused(&["failure_column", "step"], "with --prometheus there is none")?;
                let asked = (self.data.simulation.days.unwrap_or(DAYS), self.data.read.step());
                let (mut past, queries) = Past::read(&self.server, asked, (&progress, common))?;
                (Data::from_source(&mut past)?, Some((PrometheusQueries::KEY, queries)))
            }
            _ => {
                progress.stage("reading metrics");
                (self.data.data(self.models.seed)?, queries_of(&self.data.input)?)
            }
        };
        let question = (&self.rule, &self.target, &self.window);
        let experiment = self.models.experiment(&data, question, self.data.read.outcome_column())?;
        self.fit(experiment, data, queries, &progress)
    }

    /// Fits on a sample, by the question that came with it.
    fn of_sample(&self, folder: &Path, progress: &Reporter) -> Result<(), CliError> {
        progress.stage("reading the sample, and labelling it again");
        let (about, data) = SampleAbout::open(folder).about("--sample")?;
        let question = &about.question;
        let experiment =
            self.models.experiment_on(&data, &question.rule, question.target, question.window)?;
        self.fit(experiment, data, Some((SAMPLE, about.summary())), progress)
    }

    /// Fits, and saves the best model with `more` of what it says about itself.
    fn fit(
        &self,
        experiment: Experiment,
        data: Data,
        more: Option<(&str, Value)>,
        progress: &Reporter,
    ) -> Result<(), CliError> {
        let trained = experiment.with_split(self.split).with_budget(self.budget.budget);
        let trained = trained.train(data, progress).about(self.source())?;
        let chosen = trained
            .summary()
            .chosen()
            .ok_or_else(|| CliError::failed("no model could be chosen on validation"))?;
        let mut envelope = trained.to_envelope(&chosen.name)?;
        // A model that is served by other queries than those that it was trained on is refused.
        envelope.metadata.extend(more.map(|(key, value)| (key.to_owned(), value)));
        write_model(&self.save, &envelope, &self.data.inputs())?;
        progress.finish();
        terminal::print(&format!("{}\n{}", table(trained.summary()), saved(&chosen.name, &self.save)))
    }
}

impl Train {
    /// What an error is about.
    fn source(&self) -> String {
        match self.journal.as_ref().or(self.sample.as_ref()) {
            Some(folder) => folder.display().to_string(),
            None if self.server.is_given() => self.server.about(),
            None => self.data.source(),
        }
    }
}

/// Validation figures of every model. They flatter: validation chose thresholds and stopping.
fn table(summary: &TrainingSummary) -> String {
    let mut text = format!(
        "failure    {}\ntrain      {} windows, {} positive\nvalidation {} windows, {} positive\n\n",
        summary.failure_rule,
        summary.train.windows,
        summary.train.positives,
        summary.validation.windows,
        summary.validation.positives
    );
    text += "on validation             PR-AUC  ROC-AUC  failures detected  false alarms a service and week\n";
    for model in &summary.models {
        let _ = writeln!(
            text,
            "{:<24}  {:>6.3}  {:>7.3}  {:>9} of {:<5}  {:>31.1}",
            model.name,
            model.pr_auc,
            model.roc_auc,
            model.failures_detected,
            model.failures,
            model.false_alarms_per_service_week
        );
    }
    let proved = summary.models.iter().filter_map(|model| model.budget);
    text += &match proved.map(|choice| choice.budget.per_service_week).reduce(f64::max) {
        Some(most) => format!(
            "alarms at thresholds of which validation shows that they keep {most} false alarms per service and week\n"
        ),
        None => {
            "alarms at the best F1: validation is too short to prove any budget of false alarms\n".to_owned()
        }
    };
    for note in &summary.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}
