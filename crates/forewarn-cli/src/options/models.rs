//! Which models are fitted, and how.

use crate::{
    error::CliError,
    options::{
        memory,
        question::{RuleArgs, SEED, TargetArgs, WindowArgs, expect_applicable},
    },
};
use clap::{Args, ValueEnum};
use forewarn::{
    core::{Target, WindowSpec},
    experiment::{Blending, Data, Experiment, Model, ModelRows, StandardModels, VerdictColumns},
    label::Rule,
    recurrent::Trainer,
    topology::{ServiceGraph, TopologyFeatures},
};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Networks of each model, and minutes for all fits, of a run that is to give a newcomer a first look.
const LOOK_MEMBERS: usize = 1;
const LOOK_MINUTES: f64 = 1.75;

/// The model that weighs others.
const AUTO: &str = "auto";

/// Options of them.
#[derive(Args, Clone)]
#[command(next_help_heading = "Models")]
pub(crate) struct ModelArgs {
    /// Which to fit, separated by commas
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', default_values = StandardModels::NAMES,
          hide_default_value = true, help = models_help())]
    models: Vec<String>,
    /// Ensemble size of lstm, gru and their variants: networks of different seeds whose scores are averaged
    /// [default: 3; 1 where `evaluate` is told nothing of its data]
    #[arg(long, value_name = "N")]
    members: Option<usize>,
    /// Trainer of lstm, gru and their variants: native; libtorch, in a program built with --features libtorch; fastest,
    /// which is libtorch if it finds a GPU, else native
    #[arg(long, value_name = "NAME", default_value = "fastest")]
    trainer: Trainer,
    /// Whether models see in which minutes the conditions of the failure rule hold [default: yes for the target active,
    /// no for onset]
    #[arg(long, value_name = "yes|no")]
    verdicts: Option<Answer>,
    /// Service graph (edge list, TOML, JSON or OpenTelemetry service graph samples): models then see the state of the
    /// services that a service calls, and wide models that of all that it depends on and that depend on it; `simulated`
    /// for the graph of a simulated fleet [default: none, but for wide models of a simulated fleet]
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Minutes for all fits together: those that run into them end with what they have, and `auto` leaves out members
    /// that it has no time to weigh, the slowest first [default: no limit; 1.75 where `evaluate` is told nothing of its
    /// data]
    #[arg(long, value_name = "N", value_parser = minutes)]
    fit_minutes: Option<f64>,
    /// Memory that may be taken besides the metrics, such as 2G; what would need more is refused before it begins
    /// [default: what is available]
    #[arg(long, value_name = "SIZE", value_parser = memory::size)]
    memory_limit: Option<u64>,
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
    /// The same, quick enough for a look where nothing else is said.
    pub(crate) fn for_a_look(&self) -> Self {
        let members = self.members.or(Some(LOOK_MEMBERS));
        Self { members, fit_minutes: self.fit_minutes.or(Some(LOOK_MINUTES)), ..self.clone() }
    }

    /// An experiment with these models.
    pub(crate) fn experiment(
        &self,
        data: &Data,
        (rule, target, window): (&RuleArgs, &TargetArgs, &WindowArgs),
        failure_column: Option<&str>,
    ) -> Result<Experiment, CliError> {
        let (rule, spec) = (rule.rule(failure_column)?, window.spec(data.frames().layout().step())?);
        self.experiment_on(data, &rule, target.target, spec)
    }

    /// The same, of a question that is known already.
    pub(crate) fn experiment_on(
        &self,
        data: &Data,
        rule: &Rule,
        target: Target,
        spec: WindowSpec,
    ) -> Result<Experiment, CliError> {
        expect_applicable(rule, data.frames())?;
        let standard = StandardModels {
            spec,
            seed: self.seed.unwrap_or(SEED),
            trainer: self.trainer,
            members: self.members.unwrap_or(StandardModels::MEMBERS),
            ..StandardModels::new(rule.clone(), data.frames().schema().clone())
        };
        let mut experiment =
            Experiment::new(rule.clone()).with_target(target).with_window(spec).with_alternatives(rule);
        experiment = experiment.with_verdicts(match self.verdicts {
            Some(Answer::Yes) => VerdictColumns::Shown,
            Some(Answer::No) => VerdictColumns::Hidden,
            None => VerdictColumns::ByTarget,
        });
        if let Some(path) = &self.topology {
            experiment = experiment.with_topology(topology(path, data)?);
        }
        // Asked for now, so that the metrics, which have been read, are taken off already.
        if let Some(bytes) = self.memory_limit.or_else(memory::available) {
            experiment = experiment.with_memory_limit(bytes);
        }
        if let Some(minutes) = self.fit_minutes {
            experiment = experiment.with_fit_limit(Duration::from_secs_f64(60.0 * minutes));
        }
        for name in &self.names() {
            let model = if name == AUTO { Ok(self.auto()) } else { standard.get(name) };
            experiment =
                experiment.with_model(model.map_err(|error| CliError::usage(format!("--models: {error}")))?);
        }
        if self.topology.is_none()
            && experiment.reads(ModelRows::Wide)
            && let Some(graph) = data.service_graph()?
        {
            experiment = experiment.with_graph(graph);
        }
        Ok(experiment)
    }
}

impl ModelArgs {
    /// Models asked for, and those that `auto` weighs.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.models.iter().map(|name| name.trim().to_owned()).collect();
        if names.iter().any(|name| name == AUTO) && self.members_of_auto().is_empty() {
            names.extend(StandardModels::AUTO.map(str::to_owned));
        }
        names
    }

    /// Members of `auto` that are asked for by name.
    fn members_of_auto(&self) -> Vec<&str> {
        let names = self.models.iter().map(|name| name.trim());
        names.filter(|name| StandardModels::AUTO.contains(name)).collect()
    }

    /// `auto` of its members that are asked for, or of all.
    fn auto(&self) -> Model {
        match self.members_of_auto() {
            none if none.is_empty() => Model::blend(AUTO, StandardModels::AUTO, Blending::Folds),
            some => Model::blend(AUTO, some, Blending::Folds),
        }
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.trim().parse::<f64>().ok();
    minutes
        .filter(|minutes| (0.0..=1e6).contains(minutes))
        .ok_or_else(|| "expected minutes, 0 to 1,000,000".to_owned())
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
