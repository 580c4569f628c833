use crate::{
    error::{About, CliError},
    options::{
        common::Common,
        input::DataArgs,
        models::ModelArgs,
        question::{BudgetArgs, RuleArgs, TargetArgs, WindowArgs},
    },
    output::{progress::Reporter, terminal},
};
use clap::Args;
use forewarn::{
    experiment::{Data, Results, prepare_file, prepare_folder, write_model},
    prelude::Fractions,
    report::Present,
};
use std::path::{Path, PathBuf};

/// Fit models on a metrics file or a simulation, and report how well they predict
///
/// Writes report.html, report.json and predictions.csv to a folder and prints the table of the report. Without --input,
/// --days and --split, simulates 120 days of a shop with four services, fits on the first month and tests on the rest.
#[derive(Args)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    data: DataArgs,
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
    /// Shares of the time for train, validation and test [default: 0.70,0.15,0.15; where days are simulated and not
    /// counted by --days, 0.20,0.05,0.75]
    #[arg(long, value_name = "A,B,C", help_heading = "Question")]
    split: Option<Fractions>,
    /// Also refit every model each DAYS days of the test span, and report quality over time
    #[arg(long, value_name = "DAYS", help_heading = "Question")]
    walk_forward: Option<usize>,
    /// Folder for report.json, report.html and predictions.csv
    #[arg(long, value_name = "DIR", default_value = "forewarn-report", help_heading = "Output")]
    output: PathBuf,
    /// Save the model that is best on validation, with its features, normaliser and alarm policy, as one file for
    /// `forewarn replay` and for programs of your own
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save: Option<PathBuf>,
}

impl Evaluate {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let inputs = self.data.inputs();
        // A place that cannot be written is an error now, not after fitting.
        prepare_folder(&self.output, &inputs)?;
        self.save.as_deref().map_or(Ok(()), |path| prepare_file(path, &inputs))?;
        let progress = Reporter::new(common.quiet);
        progress.stage("reading metrics");
        let (data, split) = self.data_and_split()?;
        let question = (&self.rule, &self.target, &self.window);
        let models = if self.is_a_look() { self.models.for_a_look() } else { self.models.clone() };
        let experiment = models.experiment(&data, question, self.data.read.outcome_column())?;
        let mut experiment = experiment.with_split(split).with_budget(self.budget.budget);
        if let Some(days) = self.walk_forward {
            experiment = experiment.with_walk_forward(days);
        }
        let results = experiment.run(data, &progress).about(self.data.source())?;
        results.write_observed(&self.output, &progress)?;
        progress.finish();
        terminal::print(&format!(
            "{}\n\nWritten to {}: {}",
            results.report().to_table(),
            self.output.display(),
            Results::FILES.join(", ")
        ))?;
        self.save.as_deref().map_or(Ok(()), |path| save(&results, path, &inputs))
    }

    /// Whether nothing is said of the data: a first look.
    fn is_a_look(&self) -> bool {
        self.split.is_none() && self.data.simulation.is_usual() && self.data.inputs().is_empty()
    }

    /// What is evaluated, and how its time is split. A simulation of which nothing is said is long enough behind the
    /// fits that the order of models is not luck.
    fn data_and_split(&self) -> Result<(Data, Fractions), CliError> {
        let (seed, simulation) = (self.models.seed, &self.data.simulation);
        if !self.is_a_look() {
            return Ok((self.data.data(seed)?, self.split.unwrap_or_default()));
        }
        let split = Fractions::new(TRAIN, VALIDATION, 1.0 - TRAIN - VALIDATION).about("--split")?;
        Ok((self.data.data_of(&simulation.with_days(SIMULATED_DAYS), seed)?, split))
    }
}

/// Days that are simulated unless others are asked for: a month to fit on, and three to test on.
const SIMULATED_DAYS: usize = 120;
/// Shares of them.
const TRAIN: f64 = 0.20;
const VALIDATION: f64 = 0.05;

/// The model that validation chose, with all that a program needs to serve it, as one file.
fn save(results: &Results, path: &Path, inputs: &[&Path]) -> Result<(), CliError> {
    let chosen = results
        .report()
        .chosen()
        .ok_or_else(|| CliError::failed("no model could be chosen on validation"))?;
    let name = &chosen.name;
    write_model(path, &results.to_envelope(name)?, inputs)?;
    terminal::print(&saved(name, path))
}

/// Says where a model is, and what can be done with it.
pub(crate) fn saved(name: &str, path: &Path) -> String {
    format!(
        "Saved {name}, the model to use, to {path}.\n\
         Run it over metrics: forewarn replay --model {path} --input METRICS",
        path = path.display()
    )
}
