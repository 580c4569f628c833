//! Where metrics come from: a file, or a simulation.

use crate::error::{About, CliError};
use clap::Args;
use forewarn::{
    experiment::{Data, Simulated},
    io::{self, ReadOptions, Recording},
    sim::Fleet,
};
use std::path::{Path, PathBuf};

/// How a metrics file is to be read.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct ReadArgs {
    /// A 0/1 column that is 1 while the service is failing
    #[arg(long, value_name = "NAME")]
    pub(crate) failure_column: Option<String>,
}

impl ReadArgs {
    /// The same for the library.
    pub(crate) fn options(&self) -> ReadOptions {
        match &self.failure_column {
            Some(column) => ReadOptions::default().with_outcome_column(column),
            None => ReadOptions::default(),
        }
    }

    /// Reads a file; the error names it.
    pub(crate) fn read(&self, path: &Path) -> Result<Recording, CliError> {
        Ok(io::read(path, &self.options())?)
    }
}

/// What is simulated.
#[derive(Args)]
#[command(next_help_heading = "Simulation")]
pub(crate) struct SimulationArgs {
    /// What to simulate: shop (four services with simulated faults), twelve (a larger shop), stress-walk (one service
    /// under a random stress), or a scenario FILE.toml
    #[arg(long, value_name = "WHAT", default_value = "shop")]
    pub(crate) simulate: String,
    /// Days to simulate [default: 30, or as the scenario says]
    #[arg(long, value_name = "N")]
    pub(crate) days: Option<usize>,
}

/// Most bytes of a scenario or rule file.
pub(crate) const TEXT_LIMIT: u64 = 16 << 20;
const DAYS: usize = 30;
const MINUTES_A_DAY: usize = 24 * 60;

impl SimulationArgs {
    /// Runs it. `seed` is that of the command line, where it names one.
    pub(crate) fn run(&self, seed: Option<u64>) -> Result<Data, CliError> {
        let minutes = |days: usize| {
            days.checked_mul(MINUTES_A_DAY).ok_or_else(|| CliError::usage("--days: too many days"))
        };
        if let Ok(simulated) = self.simulate.parse::<Simulated>() {
            let minutes = minutes(self.days.unwrap_or(DAYS))?;
            return Ok(Data::simulated(simulated, minutes, seed.unwrap_or(crate::question::SEED))?);
        }
        Ok(Data::from_fleet(self.scenario(seed)?)?)
    }

    /// The scenario of a file.
    pub(crate) fn scenario(&self, seed: Option<u64>) -> Result<Fleet, CliError> {
        let path = Path::new(&self.simulate);
        if path.extension().is_none_or(|extension| extension != "toml") {
            let names = Simulated::NAMES.map(|(name, _)| name).join(", ");
            return Err(CliError::usage(format!(
                "--simulate {:?}: expected {names}, or a scenario file whose name ends in .toml",
                self.simulate
            )));
        }
        let text = crate::files::read_text(path, TEXT_LIMIT)?;
        let mut fleet = Fleet::from_toml(&text).about(path.display())?;
        if let Some(days) = self.days {
            let minutes = days.checked_mul(MINUTES_A_DAY);
            fleet = fleet.with_minutes(minutes.ok_or_else(|| CliError::usage("--days: too many days"))?)?;
        }
        if let Some(seed) = seed {
            fleet = fleet.with_seed(seed);
        }
        Ok(fleet)
    }
}

/// A metrics file or a simulation.
#[derive(Args)]
pub(crate) struct DataArgs {
    /// Metrics as CSV, JSON or Parquet: a timestamp column, rows at regular times, any metric columns, and a service
    /// column if there are many services. Without this option, metrics are simulated
    #[arg(long, value_name = "FILE", help_heading = "Input", conflicts_with_all = ["simulate", "days"])]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) simulation: SimulationArgs,
}

impl DataArgs {
    /// Reads or simulates.
    pub(crate) fn data(&self, seed: Option<u64>) -> Result<Data, CliError> {
        let Some(path) = &self.input else {
            if self.read.failure_column.is_some() {
                return Err(CliError::usage(
                    "--failure-column names a column of a file: give --input as well",
                ));
            }
            return self.simulation.run(seed);
        };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Ok(Data::from_recording(self.read.read(path)?, name))
    }

    /// Files that are read, which no output may replace.
    pub(crate) fn inputs(&self) -> Vec<&Path> {
        let scenario = Some(Path::new(&self.simulation.simulate)).filter(|path| path.extension().is_some());
        self.input.as_deref().or(scenario).into_iter().collect()
    }

    /// What an error is about.
    pub(crate) fn source(&self) -> String {
        self.input.as_ref().map_or_else(|| "simulation".to_owned(), |path| path.display().to_string())
    }
}
