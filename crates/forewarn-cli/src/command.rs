use crate::{
    data::{backfill::Backfill, check::Check, graph::Graph, roots::Roots, simulate::Simulate},
    error::CliError,
    experiments::{evaluate::Evaluate, explain::Explain, gate::Gate, judge::Judge, train::Train},
    options::common::Common,
    service::{demo::Demo, replay::Replay, state::State, token::Token, watch::Watch},
    shell,
};
use clap::{CommandFactory, Parser, Subcommand};

/// Predicts microservice failures minutes before they begin, from the metrics that services already export.
#[derive(Parser)]
#[command(
    name = "forewarn",
    version,
    max_term_width = 110,
    after_help = "Exit codes: 0 success, 1 an error in the data or the system, 2 an error in the command line. Results \
                  go to standard output, progress to standard error."
)]
pub(crate) struct Command {
    #[command(subcommand)]
    subcommand: Subcommands,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Subcommands {
    /// Show a simulated shop, a model trained on it, and the live service with its page
    Demo(Demo),
    /// Fit models on a metrics file or a simulation, and report how well they predict
    Evaluate(Box<Evaluate>),
    /// Fit models on all data, and save the best on validation as one file
    Train(Box<Train>),
    /// Run a saved model over a metrics file by the live code path
    Replay(Replay),
    /// Judge the scores of any predictor against metrics with a rule, or a list of failures
    Judge(Judge),
    /// Write simulated metrics and their true failures to files
    Simulate(Simulate),
    /// Score a service graph: health, cascade risk, critical path, likely roots
    Graph(Graph),
    /// Rank the services that a failure may have come from
    Roots(Roots),
    /// Fit models on several sets of data and seeds, and print one table of how well each predicts
    Gate(Box<Gate>),
    /// Explain the score of a model at a time of a metrics file
    Explain(Explain),
    /// Read the past of services from Prometheus into Parquet files
    Backfill(Backfill),
    /// Run the live service: metrics in, events out
    Watch(Watch),
    /// Hand services over between the shards of a live service
    State(State),
    /// Read a metrics file, Prometheus, rule, graph, model or configuration and show what was understood
    Check(Box<Check>),
    /// Make a token for the API of the live service
    Token(Token),
    /// Print a completion script for a shell
    Completions(shell::Completions),
    /// Print the manual page
    Man,
}

impl Command {
    pub(crate) fn run(self) -> Result<(), CliError> {
        match self.subcommand {
            Subcommands::Demo(demo) => demo.run(&self.common),
            Subcommands::Evaluate(evaluate) => evaluate.run(&self.common),
            Subcommands::Train(train) => train.run(&self.common),
            Subcommands::Replay(replay) => replay.run(&self.common),
            Subcommands::Judge(judge) => judge.run(&self.common),
            Subcommands::Simulate(simulate) => simulate.run(&self.common),
            Subcommands::Graph(graph) => graph.run(),
            Subcommands::Roots(roots) => roots.run(),
            Subcommands::Gate(gate) => gate.run(&self.common),
            Subcommands::Explain(explain) => explain.run(&self.common),
            Subcommands::Backfill(backfill) => backfill.run(&self.common),
            Subcommands::Watch(watch) => watch.run(&self.common),
            Subcommands::State(state) => state.run(),
            Subcommands::Check(check) => check.run(),
            Subcommands::Token(token) => token.run(),
            Subcommands::Completions(completions) => completions.run(Self::command()),
            Subcommands::Man => shell::manual(&Self::command()),
        }
    }
}

#[cfg(test)]
mod pages;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_fit_together() {
        Command::command().debug_assert();
    }
}
