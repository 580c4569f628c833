use crate::{
    error::{About, CliError},
    options::{common::Common, input::SimulationArgs, question::RuleArgs},
    output::{progress::Reporter, terminal::Sink},
};
use clap::Args;
use forewarn::io;
use std::{
    io::Write,
    path::{Path, PathBuf},
};

/// Write simulated metrics and their true failures to files
///
/// Every other command reads the metrics. The truth lists each failure with its onset and end. For a simulated fleet it
/// also names the fault, the service that the fault struck, and the services that failed because of it.
#[derive(Args)]
pub(crate) struct Simulate {
    #[command(flatten)]
    simulation: SimulationArgs,
    /// Seed of the simulation [default: 7, or as the scenario says]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    rule: RuleArgs,
    /// File for the metrics: Parquet if its name ends in .parquet or .pq, else CSV [default: CSV to standard output]
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// File for the failures: JSON if its name ends in .json, else CSV, which `forewarn judge --episodes` reads
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    truth: Option<PathBuf>,
    /// Not an option of simulations: what fails is found by the rule
    #[arg(long, hide = true)]
    failure_column: Option<String>,
}

impl Simulate {
    pub(crate) fn run(&self, common: &Common) -> Result<(), CliError> {
        if self.failure_column.is_some() {
            return Err(CliError::usage(
                "--failure-column: simulated metrics have no such column; use --rule",
            ));
        }
        let rule = self.rule.rule(None)?;
        let mut metrics = Sink::open(self.output.as_deref(), &[])?;
        let truth = self.truth.as_deref().map(|path| Sink::open(Some(path), &[])).transpose()?;
        let progress = Reporter::new(common.quiet);
        progress.stage(&format!("simulating {}", self.simulation.simulate));
        let data = self.simulation.run(self.seed)?;
        if let (Some(path), Some(mut sink)) = (&self.truth, truth) {
            progress.stage("finding the cause of each failure");
            let truth = data.truth(&rule)?;
            if has_extension(path, &["json"]) {
                serde_json::to_writer_pretty(&mut sink, &truth)?;
                sink.write_all(b"\n")?;
            } else {
                truth.write_csv(&mut sink).about(path.display())?;
            }
            sink.finish()?;
        }
        progress.stage("writing metrics");
        if self.output.as_deref().is_some_and(|path| has_extension(path, &["parquet", "pq"])) {
            write_parquet(&data, &mut metrics)?;
        } else {
            io::csv::write(data.frames(), &mut metrics)?;
        }
        metrics.finish()?;
        progress.finish();
        Ok(())
    }
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .is_some_and(|found| extensions.iter().any(|extension| found.eq_ignore_ascii_case(extension)))
}

#[cfg(feature = "parquet")]
fn write_parquet(data: &forewarn::experiment::Data, to: &mut Sink) -> Result<(), CliError> {
    Ok(io::parquet::write_to(data.frames(), to)?)
}

#[cfg(not(feature = "parquet"))]
fn write_parquet(_: &forewarn::experiment::Data, _: &mut Sink) -> Result<(), CliError> {
    Err(CliError::failed("this program was built without the feature parquet; name a .csv file"))
}
