//! Where metrics come from: a file, or a simulation.

use crate::{
    data::manifest::metrics_of,
    error::{About, CliError},
};
use clap::{Args, ValueEnum};
use forewarn::{
    core::{SMALL_FILE_BYTES, read_text_file},
    experiment::{Data, Simulated},
    io::{self, DateOrder, Decimal, Duplicates, MetricSpec, ReadOptions, Recording, Shape, SidedRecording},
    schema::Step,
    sim::Fleet,
};
use std::path::{Path, PathBuf};

/// How a metrics file is read. Without options, columns, separator, times and step are found from the file.
#[derive(Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct ReadArgs {
    /// A column that says when the service was failing (0/1, yes/no, true/false), or `NAME == VALUE` for one with
    /// another value
    #[arg(long, value_name = "NAME")]
    pub(crate) failure_column: Option<String>,
    /// Word of the failure column that means unknown, besides the usual missing ones
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    unknown_label: Vec<String>,
    /// Column of times; several are joined with a blank
    #[arg(long, value_name = "NAME")]
    time_column: Vec<String>,
    /// Column of service names; several are joined with `/`
    #[arg(long, value_name = "NAME")]
    service_column: Vec<String>,
    /// Columns that are metrics, separated by commas [default: all other columns]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    columns: Vec<String>,
    /// Columns to leave out, separated by commas
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    drop: Vec<String>,
    /// Another name for a column
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    rename: Vec<(String, String)>,
    /// Unit in which the file has a metric, such as p99_latency=s
    #[arg(long, value_name = "METRIC=UNIT", value_parser = pair)]
    unit: Vec<(String, String)>,
    /// Cumulative counter; it becomes the increase per step
    #[arg(long, value_name = "METRIC")]
    counter: Vec<String>,
    /// Definitions of metrics as TOML: name, column, unit, kind, range
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Time between the rows of a service, such as 15s, 1m, 1h [default: found from the file]
    #[arg(long, value_name = "DURATION", value_parser = step)]
    step: Option<Step>,
    /// Zone of times that have none: an IANA name or an offset [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Which number of dates such as 1/2/2024 is the day [default: as one of the first rows shows]
    #[arg(long, value_name = "ORDER")]
    date_order: Option<DayOrMonth>,
    /// Character between two cells [default: found from the header]
    #[arg(long, value_name = "CHARACTER")]
    separator: Option<char>,
    /// Decimal mark of numbers [default: found from the rows]
    #[arg(long, value_name = "MARK")]
    decimal: Option<DecimalMark>,
    /// Meaning of rows and columns of the file
    #[arg(long, value_name = "SHAPE", default_value = "auto")]
    shape: FileShape,
    /// The metric of a wide file, in which each column is a service; for `forewarn roots`, the metric that fails: a
    /// column, or latency or availability for the usual one
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Word that means a missing value, besides the usual ones
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    missing: Vec<String>,
    /// What to do with two rows of one service and time
    #[arg(long, value_name = "POLICY", default_value = "error")]
    duplicates: DuplicatePolicy,
}

/// Order of day and month.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DayOrMonth {
    /// 1 February
    DayFirst,
    /// 2 January
    MonthFirst,
}

#[derive(Clone, Copy, ValueEnum)]
enum DecimalMark {
    Point,
    Comma,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileShape {
    /// Found from the header
    Auto,
    /// A row is a service at a time, a column a metric
    Records,
    /// A row is one metric of a service at a time
    Long,
    /// A row is a time, a column a service: give --metric
    Wide,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DuplicatePolicy {
    /// An error that names both lines
    Error,
    /// Take the first
    First,
    /// Take the last
    Last,
    /// Take their mean
    Mean,
}

/// `a=b`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// A duration with a unit.
pub(crate) fn step(text: &str) -> Result<Step, String> {
    let millis = crate::options::duration::millis(text).ok_or("expected a duration such as 15s, 1m or 1h")?;
    Step::from_millis(millis).map_err(|error| error.to_string())
}

impl ReadArgs {
    /// The names of all these options, in their order.
    pub(crate) const NAMES: [&'static str; 19] = [
        "failure_column",
        "unknown_label",
        "time_column",
        "service_column",
        "columns",
        "drop",
        "rename",
        "unit",
        "counter",
        "schema",
        "step",
        "timezone",
        "date_order",
        "separator",
        "decimal",
        "shape",
        "metric",
        "missing",
        "duplicates",
    ];

    /// The name of the failure column, and the value that means failing where that is not a yes.
    fn outcome(&self) -> Option<(&str, Option<&str>)> {
        let column = self.failure_column.as_deref()?;
        let parts = column.split_once("==").map(|(name, value)| (name.trim(), value.trim()));
        Some(
            parts.map_or((column, None), |(name, value)| {
                (name.trim_matches('"'), Some(value.trim_matches('"')))
            }),
        )
    }

    /// The column that says when the service was failing.
    pub(crate) fn outcome_column(&self) -> Option<&str> {
        self.outcome().map(|(column, _)| column)
    }

    /// Whether the unit of a metric is given.
    pub(crate) fn names_unit_of(&self, metric: &str) -> bool {
        self.unit.iter().any(|(name, _)| name == metric)
    }

    /// Refuses options about a metrics file where none is read: all that are given but those of `used`, which
    /// something else reads. `way_out` says what to do.
    pub(crate) fn expect_unused(&self, used: &[&str], way_out: &str) -> Result<(), CliError> {
        let given = [
            self.failure_column.is_some(),
            !self.unknown_label.is_empty(),
            !self.time_column.is_empty(),
            !self.service_column.is_empty(),
            !self.columns.is_empty(),
            !self.drop.is_empty(),
            !self.rename.is_empty(),
            !self.unit.is_empty(),
            !self.counter.is_empty(),
            self.schema.is_some(),
            self.step.is_some(),
            self.timezone.is_some(),
            self.date_order.is_some(),
            self.separator.is_some(),
            self.decimal.is_some(),
            self.shape != FileShape::Auto,
            self.metric.is_some(),
            !self.missing.is_empty(),
            self.duplicates != DuplicatePolicy::Error,
        ];
        let mut given = Self::NAMES.into_iter().zip(given).filter(|(_, is_given)| *is_given);
        match given.find(|(name, _)| !used.contains(name)) {
            Some((name, _)) => {
                let name = name.replace('_', "-");
                Err(CliError::usage(format!("--{name} says how a metrics file is read: {way_out}")))
            }
            None => Ok(()),
        }
    }

    /// The metric that a command is about.
    pub(crate) fn metric(&self) -> Option<&str> {
        self.metric.as_deref()
    }

    /// Time between rows, where it is given.
    pub(crate) fn step(&self) -> Option<Step> {
        self.step
    }

    /// The same for the library.
    pub(crate) fn options(&self) -> Result<ReadOptions, CliError> {
        let mut options = ReadOptions::default()
            .with_time_columns(self.time_column.clone())
            .with_service_columns(self.service_column.clone())
            .with_columns(self.columns.clone())
            .with_drop(self.drop.clone())
            .with_unknown_labels(self.unknown_label.clone())
            .with_missing_words(self.missing.clone())
            .with_counters(self.counter.clone())
            .with_shape(match self.shape {
                FileShape::Auto => Shape::Auto,
                FileShape::Records => Shape::Records,
                FileShape::Long => Shape::Long,
                FileShape::Wide => Shape::Wide,
            })
            .with_duplicates(match self.duplicates {
                DuplicatePolicy::Error => Duplicates::Error,
                DuplicatePolicy::First => Duplicates::First,
                DuplicatePolicy::Last => Duplicates::Last,
                DuplicatePolicy::Mean => Duplicates::Mean,
            });
        for (old, new) in &self.rename {
            options = options.with_rename(old, new);
        }
        for (metric, unit) in &self.unit {
            options = options.with_unit(metric, unit);
        }
        if let Some((column, value)) = self.outcome() {
            options = options.with_outcome_column(column);
            options = value.map_or(options.clone(), |value| options.with_outcome_equals(value));
        }
        if let Some(path) = &self.schema {
            let text = read_text_file(path, SMALL_FILE_BYTES).about(path.display())?;
            options = options.with_metrics(MetricSpec::from_toml(&text).about(path.display())?);
        }
        options.step = self.step;
        options.timezone.clone_from(&self.timezone);
        options.date_order = self.date_order.map(|order| match order {
            DayOrMonth::DayFirst => DateOrder::DayFirst,
            DayOrMonth::MonthFirst => DateOrder::MonthFirst,
        });
        options.separator = self.separator;
        options.metric.clone_from(&self.metric);
        options.decimal = self.decimal.map(|mark| match mark {
            DecimalMark::Point => Decimal::Point,
            DecimalMark::Comma => Decimal::Comma,
        });
        Ok(options)
    }

    /// Reads files, of which only sides of limits are kept; `None` where that does not do, and for standard input,
    /// which can only be read once.
    pub(crate) fn read_sides(
        &self,
        paths: &[PathBuf],
        limits: impl Fn(&str) -> Option<Vec<f32>> + Send + Sync + 'static,
    ) -> Result<Option<SidedRecording>, CliError> {
        if paths.iter().any(|path| path == Path::new("-")) {
            return Ok(None);
        }
        Ok(io::read_sides(paths, &self.options()?, limits)?)
    }

    /// Reads files, of which only the values of some metrics are kept; `None` for standard input, which can only be
    /// read once.
    pub(crate) fn read_metrics(
        &self,
        paths: &[PathBuf],
        keep: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Recording>, CliError> {
        if paths.iter().any(|path| path == Path::new("-")) {
            return Ok(None);
        }
        Ok(Some(io::read_metrics(paths, &self.options()?, keep)?))
    }

    /// Reads files, or standard input for `-`; the error names them.
    pub(crate) fn read(&self, paths: &[PathBuf]) -> Result<Recording, CliError> {
        let mut options = self.options()?;
        if self.schema.is_none() {
            options = options.with_metrics(metrics_of(paths)?);
        }
        if let [path] = paths
            && path == Path::new("-")
        {
            return Ok(io::read_from(std::io::stdin().lock(), "standard input", &options)?);
        }
        Ok(io::read_files(paths, &options)?)
    }
}

/// What is simulated.
#[derive(Args, Clone)]
#[command(next_help_heading = "Simulation")]
pub(crate) struct SimulationArgs {
    /// What to simulate: shop (four services with simulated faults), twelve (a larger shop), stress-walk (one service
    /// under a random stress), or a scenario FILE.toml
    #[arg(long, value_name = "WHAT", default_value = "shop")]
    pub(crate) simulate: String,
    /// Days to simulate, or of the past to read from Prometheus [default: 30, or as the scenario says]
    #[arg(long, value_name = "N")]
    pub(crate) days: Option<usize>,
}

const DAYS: usize = 30;
const MINUTES_A_DAY: usize = 24 * 60;

impl SimulationArgs {
    /// Whether nothing is said of how long it is.
    pub(crate) fn is_usual(&self) -> bool {
        self.days.is_none() && self.simulate.parse::<Simulated>().is_ok()
    }

    /// The same for a number of days.
    pub(crate) fn with_days(&self, days: usize) -> Self {
        Self { days: Some(days), ..self.clone() }
    }

    /// Runs it. `seed` is that of the command line, where it names one.
    pub(crate) fn run(&self, seed: Option<u64>) -> Result<Data, CliError> {
        let minutes = |days: usize| {
            days.checked_mul(MINUTES_A_DAY).ok_or_else(|| CliError::usage("--days: too many days"))
        };
        if let Ok(simulated) = self.simulate.parse::<Simulated>() {
            let minutes = minutes(self.days.unwrap_or(DAYS))?;
            return Ok(Data::simulated(simulated, minutes, seed.unwrap_or(crate::options::question::SEED))?);
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
        let text = read_text_file(path, SMALL_FILE_BYTES).about(path.display())?;
        let mut fleet = Fleet::from_toml(&text).about(path.display())?;
        if let Some(days) = self.days {
            let minutes = days.checked_mul(MINUTES_A_DAY);
            fleet = fleet.with_minutes(minutes.ok_or_else(|| CliError::usage("--days: too many days"))?);
        }
        if let Some(seed) = seed {
            fleet = fleet.with_seed(seed);
        }
        Ok(fleet)
    }
}

/// Metrics files or a simulation.
#[derive(Args)]
pub(crate) struct DataArgs {
    /// Metrics as CSV (any usual dialect, gzip or zstd), JSON lines or Parquet; a file, a pattern such as
    /// 'day-*.csv', a partitioned folder, or - for standard input; may be repeated. Without this option, metrics are
    /// simulated
    #[arg(long, value_name = "FILE", help_heading = "Input", conflicts_with_all = ["simulate", "days"])]
    pub(crate) input: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) simulation: SimulationArgs,
}

impl DataArgs {
    /// Reads or simulates.
    pub(crate) fn data(&self, seed: Option<u64>) -> Result<Data, CliError> {
        self.data_of(&self.simulation, seed)
    }

    /// The same with another simulation.
    pub(crate) fn data_of(&self, simulation: &SimulationArgs, seed: Option<u64>) -> Result<Data, CliError> {
        if self.input.is_empty() {
            self.read.expect_unused(&[], "give --input as well")?;
            return simulation.run(seed);
        }
        let name =
            |path: &PathBuf| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let names: Vec<String> = self.input.iter().map(name).collect();
        Ok(Data::from_recording(self.read.read(&self.input)?, names.join(", ")))
    }

    /// Files that are read, which no output may replace.
    pub(crate) fn inputs(&self) -> Vec<&Path> {
        let scenario = Some(Path::new(&self.simulation.simulate)).filter(|path| path.extension().is_some());
        let files = self.input.iter().map(PathBuf::as_path);
        if self.input.is_empty() { scenario.into_iter().collect() } else { files.collect() }
    }

    /// What an error is about.
    pub(crate) fn source(&self) -> String {
        let names: Vec<String> = self.input.iter().map(|path| path.display().to_string()).collect();
        if names.is_empty() { "simulation".to_owned() } else { names.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Command;

    #[test]
    fn every_option_of_reading_is_named() {
        let command = ReadArgs::augment_args(Command::new("read"));
        let names: Vec<&str> = command.get_arguments().map(|option| option.get_id().as_str()).collect();
        assert_eq!(names, ReadArgs::NAMES);
    }
}
