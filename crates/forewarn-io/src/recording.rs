use forewarn_schema::{FrameSet, Timestamp};
use std::fmt;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated text with a header line.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Parquet => "Parquet",
        })
    }
}

/// What a file held: the frames, and how complete they are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recording {
    /// The metrics of all services.
    pub frames: FrameSet,
    /// What was read, and what is missing from it.
    pub summary: ReadSummary,
}

/// What was read, and what is missing from it.
///
/// Missing values have two causes, counted apart: a row that is there with an empty cell, and a row that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadSummary {
    /// The file's format, found from its content.
    pub format: Format,
    /// Rows in the file.
    pub rows: u64,
    /// Metric cells that are in the file and hold no number.
    pub missing_cells: u64,
    /// Rows that the clock asks for and the file lacks; the frames have NaN there.
    pub gap_rows: u64,
    /// Each service, in order of name.
    pub services: Vec<ServiceSummary>,
    /// What a user should know before trusting the data, each a sentence without the file's name.
    pub notes: Vec<String>,
}

/// One service's part of a [`ReadSummary`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceSummary {
    /// Service.
    pub name: String,
    /// Time of its first row.
    pub start: Timestamp,
    /// First time after its last row.
    pub end: Timestamp,
    /// Rows in the file.
    pub rows: u64,
    /// Rows between its first and last that the file lacks.
    pub gap_rows: u64,
}

/// A line for people: `43200 rows of 1 service (CSV); 3 cells and 0 rows are missing`.
impl fmt::Display for ReadSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.services.len();
        let plural = if services == 1 { "" } else { "s" };
        write!(
            f,
            "{} rows of {services} service{plural} ({}); {} cells and {} rows are missing",
            self.rows, self.format, self.missing_cells, self.gap_rows
        )
    }
}
