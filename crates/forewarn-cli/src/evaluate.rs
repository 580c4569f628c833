use crate::{
    command::Common,
    error::{About, CliError},
    files::{NewFile, expect_no_input},
    input::DataArgs,
    progress::Progress,
    question::{RuleArgs, SEED, TargetArgs, WindowArgs},
    terminal,
};
use clap::{Args, ValueEnum};
use forewarn::{
    experiment::{Data, Experiment, Results, StandardModels, make_folder},
    prelude::Fractions,
    recurrent::Trainer,
    topology::{ServiceGraph, TopologyFeatures},
};
use std::path::{Path, PathBuf};

/// Fit models on a metrics file or a simulation, and say how well they predict
///
/// Writes report.html, report.json and predictions.csv to a folder and prints the table of the report. Without --input
/// a month of a small shop is simulated.
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
    models: ModelArgs,
    /// Shares of the time for train, validation and test
    #[arg(long, value_name = "A,B,C", default_value = "0.70,0.15,0.15", help_heading = "Question")]
    split: Fractions,
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

/// Which models are fitted, and how.
#[derive(Args)]
#[command(next_help_heading = "Models")]
pub(crate) struct ModelArgs {
    /// Which to fit, separated by commas
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', default_values = StandardModels::NAMES,
          hide_default_value = true, help = models_help())]
    models: Vec<String>,
    /// Networks of different seeds whose mean lstm, gru and their variants are
    #[arg(long, value_name = "N", default_value_t = StandardModels::MEMBERS)]
    members: usize,
    /// Who fits lstm, gru and their variants: native; libtorch, in a program built with --features libtorch; fastest:
    /// libtorch if it finds a GPU, else native
    #[arg(long, value_name = "NAME", default_value = "fastest")]
    trainer: Trainer,
    /// Whether models are told in which minutes the failure rule's limits were reached [default: yes for the target
    /// active]
    #[arg(long, value_name = "yes|no")]
    verdicts: Option<Answer>,
    /// Who calls whom (edge list, TOML, JSON or OpenTelemetry service graph samples): models then see the state of the
    /// services that a service calls; `simulated` for the graph of a simulated fleet
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Seed of the simulation and of the models [default: 7]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Answer {
    Yes,
    No,
}

fn models_help() -> String {
    format!(
        "Which to fit, separated by commas [default: {}]; also {}",
        StandardModels::NAMES.join(","),
        StandardModels::FURTHER.join(", ")
    )
}

impl ModelArgs {
    /// An experiment with these models.
    pub(crate) fn experiment(
        &self,
        data: &Data,
        (rule, target, window): (&RuleArgs, &TargetArgs, &WindowArgs),
        failure_column: Option<&str>,
    ) -> Result<Experiment, CliError> {
        let (rule, spec) = (rule.rule(failure_column)?, window.spec()?);
        let standard = StandardModels {
            spec,
            seed: self.seed.unwrap_or(SEED),
            trainer: self.trainer,
            members: self.members,
            ..StandardModels::new(rule.clone(), data.frames().schema().clone())
        };
        let mut experiment =
            Experiment::new(rule.clone()).target(target.target).window(spec).alternatives(&rule)?;
        experiment = match self.verdicts {
            Some(Answer::Yes) => experiment.with_verdicts(),
            Some(Answer::No) => experiment.without_verdicts(),
            None => experiment,
        };
        if let Some(path) = &self.topology {
            experiment = experiment.topology(topology(path, data)?);
        }
        for name in &self.models {
            let model = standard.get(name.trim());
            experiment =
                experiment.model(model.map_err(|error| CliError::usage(format!("--models: {error}")))?);
        }
        Ok(experiment)
    }
}

/// Who calls whom: as the file says, or, for `simulated`, as the simulation has it.
fn topology(path: &Path, data: &Data) -> Result<TopologyFeatures, CliError> {
    let graph = match path.to_str() {
        Some("simulated") => data
            .service_graph()?
            .ok_or_else(|| CliError::usage("--topology simulated: no fleet is simulated; give a file"))?,
        _ => ServiceGraph::from_path(path)?,
    };
    Ok(TopologyFeatures::new(&graph))
}

impl Evaluate {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        let inputs: Vec<&Path> = self.data.input.iter().map(PathBuf::as_path).collect();
        make_folder(&self.output)?;
        for file in Results::FILES {
            expect_no_input(&self.output.join(file), &inputs)?;
        }
        let saved = self.save.as_deref().map(|path| NewFile::create(path, &inputs)).transpose()?;

        let progress = Progress::new(common.quiet);
        progress.stage("reading metrics");
        let data = self.data.data(self.models.seed)?;
        let question = (&self.rule, &self.target, &self.window);
        let mut experiment =
            self.models.experiment(&data, question, self.data.read.failure_column.as_deref())?;
        experiment = experiment.split(self.split);
        if let Some(days) = self.walk_forward {
            experiment = experiment.walk_forward(days);
        }
        let results = experiment.run(data, &progress).about(self.data.source())?;
        results.write(&self.output)?;
        progress.finish();
        terminal::print(&format!(
            "{}\n\nWritten to {}: {}",
            results.report().to_table(),
            self.output.display(),
            Results::FILES.join(", ")
        ))?;
        match (&self.save, saved) {
            (Some(path), Some(file)) => save(&results, path, file),
            _ => Ok(()),
        }
    }
}

/// The model that validation chose, with all that a program needs to serve it, as one file.
fn save(results: &Results, path: &Path, mut file: NewFile) -> Result<(), CliError> {
    let chosen = results
        .report()
        .chosen()
        .ok_or_else(|| CliError::failed("no model could be chosen on validation"))?;
    let name = &chosen.name;
    let envelope = results.to_envelope(name)?;
    envelope.write(&mut file).about(path.display())?;
    file.finish()?;
    terminal::print(&format!(
        "Saved {name}, the best model on validation, to {path}.\n\
         Run it over metrics: forewarn replay --model {path} --input METRICS",
        path = path.display()
    ))
}
