use crate::StepSource;
use forewarn_schema::{FrameSet, Metric, Step, Timestamp};
use serde::Serialize;
use std::fmt;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Format {
    /// Separated text with a header line.
    Csv,
    /// JSON lines, or a JSON array of records.
    Json,
    /// Apache Parquet.
    Parquet,
    /// Columns in memory.
    Memory,
    /// Files of several kinds.
    Several,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Json => "JSON",
            Self::Parquet => "Parquet",
            Self::Memory => "columns in memory",
            Self::Several => "several formats",
        })
    }
}

/// What files held: the frames, and how complete they are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recording {
    /// The metrics of all services.
    pub frames: FrameSet,
    /// What was read, and what is missing from it.
    pub summary: ReadSummary,
}

/// What was read, how it was understood, and what is missing from it. Nothing is left out without being counted here.
///
/// Missing values have two causes, counted apart: a row that is there with an empty cell, and a row that is not there.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReadSummary {
    /// The files' format, found from their content.
    pub format: Format,
    /// Files.
    pub files: u64,
    /// Rows in the files; in long files, in which a row is a cell, the times of each service.
    pub rows: u64,
    /// Metric cells that are in the files and hold no number, or infinity.
    pub missing_cells: u64,
    /// Rows that the clock asks for and the files lack; the frames have NaN there.
    pub gap_rows: u64,
    /// Time between the rows of a service.
    pub step: Step,
    /// How that became known.
    pub step_source: StepSource,
    /// The metrics of the frames, in order.
    pub metrics: Vec<Metric>,
    /// Each service, in order of name.
    pub services: Vec<ServiceSummary>,
    /// Cells that were not taken as they are, by service and metric.
    pub cells: Vec<CellCount>,
    /// How the files were understood and what a user should know before trusting the data, each a sentence without
    /// the file's name.
    pub notes: Vec<String>,
}

/// One service's part of a [`ReadSummary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceSummary {
    /// Service.
    pub name: String,
    /// Time of its first row.
    pub start: Timestamp,
    /// First time after its last row.
    pub end: Timestamp,
    /// Its rows in the files, or its times in long ones.
    pub rows: u64,
    /// Cells of those rows that hold no number, or infinity.
    pub missing_cells: u64,
    /// Rows between its first and last that the files lack.
    pub gap_rows: u64,
    /// Rows that have the time of another.
    pub duplicate_rows: u64,
    /// Infinite cells, which count as missing.
    pub infinite_cells: u64,
    /// Cells that were outside their metric's range by no more than rounding, and were put on its end.
    pub clamped_cells: u64,
}

/// Cells of one metric of one service that were not taken as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CellCount {
    /// Service.
    pub service: String,
    /// Metric.
    pub metric: String,
    /// What became of them.
    pub change: CellChange,
    /// How many.
    pub cells: u64,
}

/// What became of a cell that was not taken as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CellChange {
    /// Infinite, such as a quantile of no requests; taken as missing.
    Infinite,
    /// Outside the metric's range by no more than rounding; put on its end.
    Clamped,
    /// Written with a unit or a per cent sign, which was converted.
    Converted,
    /// A counter that fell: its process began again.
    Reset,
}

/// A line for people: `43200 rows of 1 service every 1 min (CSV); 3 cells and 0 rows are missing`.
impl fmt::Display for ReadSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.services.len();
        let plural = if services == 1 { "" } else { "s" };
        write!(
            f,
            "{} rows of {services} service{plural} every {} ({}); {} cells and {} rows are missing",
            self.rows, self.step, self.format, self.missing_cells, self.gap_rows
        )
    }
}
