mod place;

use forewarn_core::{BoxError, table::TableError};
use forewarn_schema::{SchemaError, Step, Timestamp, Unit, ValidRange};
pub(crate) use place::Origin;
pub use place::Place;
use place::earlier;
use std::io;

/// Why a file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoError {
    /// The file cannot be opened or created.
    #[error("{file}: cannot be opened: {source}")]
    Open {
        /// The file.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The path is a directory where one file is expected.
    #[error("{file}: is a directory, expected a file")]
    Directory {
        /// The path.
        file: String,
    },
    /// No file of metrics in a folder or under a pattern.
    #[error(
        "{pattern}: no file with a name in .csv, .tsv, .txt, .json, .jsonl, .ndjson or .parquet (or such in .gz or .zst)"
    )]
    NoFiles {
        /// The folder or the pattern.
        pattern: String,
    },
    /// More files than are read at once.
    #[error("{pattern}: more than {limit} files")]
    TooManyFiles {
        /// The folder or the pattern.
        pattern: String,
        /// Most files.
        limit: usize,
    },
    /// A setting that cannot be used.
    #[error("{option} {value:?}: expected {expected}")]
    Setting {
        /// The setting.
        option: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        expected: String,
    },
    /// A schema file that cannot be understood.
    #[error("schema file: {source}")]
    SchemaFile {
        /// What is wrong, with its place.
        source: BoxError,
    },
    /// Columns that are not those of the shape.
    #[error("{file}: expected {expected}; the columns are {}", quoted(columns))]
    Shape {
        /// The file.
        file: String,
        /// What the shape needs.
        expected: String,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// A record that is not JSON.
    #[error("{place}: {source}")]
    NotJson {
        /// Where the record begins.
        place: Place,
        /// What is wrong.
        source: BoxError,
    },
    /// A cell that holds several values.
    #[error("{place}, column {column:?}: is an array or an object, expected text or a number")]
    Nested {
        /// Where it is.
        place: Place,
        /// The column.
        column: String,
    },
    /// Parquet pages compressed by what is not built in.
    #[error(
        "{file}, column {column:?}: is compressed by {codec}; expected none, zstd, snappy, gzip, lz4 or lz4_raw: write it with one of these"
    )]
    Codec {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The codec.
        codec: String,
    },
    /// A part of a Parquet file that is larger than it may be.
    #[error("{file}, column {column:?}: {what} of {size} bytes, at most {limit} are read")]
    TooLarge {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: u64,
        /// The largest that is read.
        limit: u64,
    },
    /// Reading stopped in the middle.
    #[error("{file}: cannot be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Writing failed.
    #[error("{file}: cannot be written: {source}")]
    Write {
        /// The file; `"CSV"` where only a writer is known.
        file: String,
        /// The writer's reason.
        source: BoxError,
    },
    /// Not a byte, or only blank lines.
    #[error("{file}: is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// Columns, but not one row.
    #[error("{file}: has columns but no rows")]
    NoRows {
        /// The file.
        file: String,
    },
    /// Not the text of a CSV file.
    #[error("{file}: looks like {looks_like}, expected text in UTF-8")]
    NotCsv {
        /// The file.
        file: String,
        /// What its first bytes look like.
        looks_like: &'static str,
    },
    /// The name says Parquet and the content does not.
    #[error("{file}: does not begin with PAR1, as every Parquet file does: it looks like {looks_like}")]
    NotParquet {
        /// The file.
        file: String,
        /// What its first bytes look like.
        looks_like: &'static str,
    },
    /// A Parquet file, and a build that cannot read it.
    #[error(
        "{file}: is a Parquet file, which this build cannot read: enable the cargo feature `parquet` of forewarn-io"
    )]
    ParquetDisabled {
        /// The file.
        file: String,
    },
    /// A file that holds other rows than it did when it was opened.
    #[error("{file}: has changed since it was opened")]
    Changed {
        /// The file.
        file: String,
    },
    /// A Parquet file without its end.
    #[error("{file}: the Parquet footer is missing: the file was cut off")]
    ParquetCut {
        /// The file.
        file: String,
    },
    /// Parquet that is damaged, or uses something that is not supported.
    #[error("{file}: {}damaged or unsupported Parquet: {source}", .column.as_ref().map(|column| format!("column {column:?}: ")).unwrap_or_default())]
    ParquetDamaged {
        /// The file.
        file: String,
        /// The column, where only one is affected.
        column: Option<String>,
        /// What the decoder found.
        source: BoxError,
    },
    /// A Parquet column of a type that is not a metric, time or service name.
    #[error("{file}, column {column:?}: is {got}, expected {expected}")]
    ColumnType {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its type.
        got: String,
        /// Types that would do.
        expected: &'static str,
    },
    /// No column says when.
    #[error(
        "{file}: has no column \"timestamp\", nor one of the other usual names of a time: the columns are {}; name it with \
         `time_columns`",
        quoted(columns)
    )]
    NoTimestamp {
        /// The file.
        file: String,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// A first line that holds a time, as rows do.
    #[error(
        "{place}: looks like a row, expected the names of the columns, such as timestamp,service,error_rate: found {}",
        quoted(names)
    )]
    NoHeader {
        /// The line.
        place: Place,
        /// What it holds.
        names: Vec<String>,
    },
    /// Two columns of one name.
    #[error("{file}: columns {first} and {second} are both called {column:?}")]
    DuplicateColumn {
        /// The file.
        file: String,
        /// The name.
        column: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// A column without a name.
    #[error("{file}: column {position} has no name")]
    EmptyColumnName {
        /// The file.
        file: String,
        /// Position, from 1.
        position: usize,
    },
    /// Nothing besides the time, the service and the outcome.
    #[error("{file}: has no metric: the columns are {}", quoted(columns))]
    NoMetrics {
        /// The file.
        file: String,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// A column asked for is not there.
    #[error("{file}: has no column {column:?}: the columns are {}", quoted(available))]
    UnknownColumn {
        /// The file.
        file: String,
        /// The column asked for.
        column: String,
        /// The columns there are.
        available: Vec<String>,
    },
    /// A name in the settings that neither a column nor a metric has.
    #[error(
        "{file}: no column or metric is called {name:?}, which `{setting}` names: there are {}",
        quoted(available)
    )]
    UnknownName {
        /// The file, or the first of several.
        file: String,
        /// The setting.
        setting: &'static str,
        /// The name.
        name: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// A column asked for twice: twice as words, or as words and as the outcome.
    #[error("{file}: column {column:?} is asked for twice")]
    ColumnTwice {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// The outcome column asked for is not there.
    #[error("{file}: has no column {column:?} to be the outcome: it could be {}", quoted(available))]
    UnknownOutcome {
        /// The file.
        file: String,
        /// The column asked for.
        column: String,
        /// Columns that could be meant.
        available: Vec<String>,
    },
    /// A row with more or fewer fields than the header.
    #[error("{place}: has {got} fields where the header has {expected}")]
    FieldCount {
        /// The row.
        place: Place,
        /// Fields of the header.
        expected: usize,
        /// Fields of the row.
        got: usize,
    },
    /// A last row with too few fields and no line break.
    #[error(
        "{place}: has {got} fields where the header has {expected}, and the file ends in it: it was cut off"
    )]
    CutRow {
        /// The row.
        place: Place,
        /// Fields of the header.
        expected: usize,
        /// Fields of the row.
        got: usize,
    },
    /// No end of a row within any sensible length.
    #[error("{place}: this row has no end within {limit_bytes} bytes: is a quote left open?")]
    LongRow {
        /// The row's first line.
        place: Place,
        /// Bytes that were read in search of the end.
        limit_bytes: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("{place}, column {column:?}: is not valid UTF-8")]
    InvalidUtf8 {
        /// The row.
        place: Place,
        /// The column.
        column: String,
    },
    /// A comma that may separate thousands or a fraction.
    #[error(
        "{place}, column {column:?}: {text:?} may be above one thousand or below two: set `decimal` to \"point\" or \"comma\""
    )]
    AmbiguousNumber {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// The text.
        text: String,
    },
    /// Text where a number is expected.
    #[error("{place}, column {column:?}: {text:?} is not a number")]
    NotANumber {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// The text.
        text: String,
    },
    /// A value outside the metric's valid range (infinities always are).
    #[error("{place}, column {column:?}: {value} is outside {range} ({unit}){}", way_out(value, unit))]
    OutOfRange {
        /// The row.
        place: Place,
        /// The metric.
        column: String,
        /// The value, as the file has it.
        value: String,
        /// What is allowed.
        range: ValidRange,
        /// The metric's unit.
        unit: Unit,
    },
    /// An outcome that is neither 0 nor 1.
    #[error(
        "{place}, column {column:?}: {value:?} is not an outcome, expected 0 or 1, true or false, yes or no, or an empty cell; name the one that means failing as `outcome_equals` (--failure-column 'NAME == WORD'), or words for unknown as `unknown_labels`"
    )]
    InvalidOutcome {
        /// The row.
        place: Place,
        /// The outcome column.
        column: String,
        /// The value, as the file has it.
        value: String,
    },
    /// A row that does not say when.
    #[error("{place}, column {column:?}: {text:?} is not a time, expected {expected}")]
    InvalidTime {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// What is there; empty for a missing cell.
        text: String,
        /// What this file's times look like.
        expected: &'static str,
    },
    /// A row that does not say which service.
    #[error("{place}: the service is empty, expected its name")]
    MissingService {
        /// The row.
        place: Place,
    },
    /// A row of a long file that does not say which metric.
    #[error("{place}: the metric is empty, expected its name")]
    MissingMetric {
        /// The row.
        place: Place,
    },
    /// Two rows of one service and time.
    #[error(
        "{place}: {service:?} has had a row at {time} already, in {}; set `duplicates` to first, last or mean to take one, \
         name further `service_columns` where these are two services, or the `timezone` where it is the repeated hour of local times",
        earlier(place, previous_place)
    )]
    DuplicateTime {
        /// The later row.
        place: Place,
        /// Service.
        service: String,
        /// The time of both.
        time: Timestamp,
        /// The earlier row.
        previous_place: Place,
    },
    /// A row earlier than the one of its service before it.
    #[error(
        "{place}: {service:?} goes back in time, from {previous} in {} to {time}: a stream needs rows in order",
        earlier(place, previous_place)
    )]
    OutOfOrder {
        /// The later row.
        place: Place,
        /// Service.
        service: String,
        /// Its time.
        time: Timestamp,
        /// Time of the row before.
        previous: Timestamp,
        /// The row before.
        previous_place: Place,
    },
    /// A row that is not a whole number of steps after the one before it.
    #[error(
        "{place}: {service:?} is off its clock: {time} is {} s after {previous} in {}, expected a multiple of {} s: is `step` right?",
        seconds(time.millis() - previous.millis()), earlier(place, previous_place), seconds(step.millis())
    )]
    OffClock {
        /// The row.
        place: Place,
        /// Service.
        service: String,
        /// Its time.
        time: Timestamp,
        /// Time of the row before.
        previous: Timestamp,
        /// The row before.
        previous_place: Place,
        /// The step asked for.
        step: Step,
    },
    /// Every row is further from the one before than a step: the file has a slower clock.
    #[error("{file}: no two rows of a service are closer than {} s, expected a row every {} s", *found_millis as f64 / 1e3, expected.millis() as f64 / 1e3)]
    OtherStep {
        /// The file.
        file: String,
        /// Shortest time between two rows of a service, in milliseconds.
        found_millis: i64,
        /// The step asked for.
        expected: Step,
    },
    /// No step between a second and a day fits the rows.
    #[error(
        "{file}: rows of a service are {} s apart, expected 1 s to 1 day: is one of the times wrong? Set `step` if not",
        *found_millis as f64 / 1e3
    )]
    NoStep {
        /// The file.
        file: String,
        /// The interval found, in milliseconds.
        found_millis: i64,
    },
    /// More missing rows than could be filled.
    #[error(
        "{place}: {missing_rows} rows of {service:?} are missing between {previous} in {} and {time}: \
         is one of these times wrong, or `step` too short?",
        earlier(place, previous_place)
    )]
    Gap {
        /// The row after the gap.
        place: Place,
        /// Service.
        service: String,
        /// Its time.
        time: Timestamp,
        /// Time of the row before.
        previous: Timestamp,
        /// The row before.
        previous_place: Place,
        /// Rows that would have to be filled.
        missing_rows: i64,
    },
    /// More rows than a frame set holds.
    #[error("{place}: with the missing ones filled in these are more than {limit} rows")]
    TooManyRows {
        /// The first row too many.
        place: Place,
        /// Most rows of a frame set.
        limit: u32,
    },
    /// The frames cannot be written so that they would be read again as they are.
    #[error("cannot be written: {what} {name:?} {reason}")]
    Unwritable {
        /// `"service"` or `"metric"`.
        what: &'static str,
        /// Its name.
        name: String,
        /// What is the matter with it.
        reason: &'static str,
    },
    /// The rows break the rules of a frame.
    #[error("{file}: {source}")]
    Schema {
        /// The file.
        file: String,
        /// Which rule.
        source: SchemaError,
    },
}

/// The first of these names, each at a readable length.
fn quoted(names: &[String]) -> String {
    const SHOWN: usize = 30;
    let shown =
        names.iter().take(SHOWN).map(|name| format!("{:?}", clip(name))).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

/// A text of a file at a length that fits into a message.
pub(crate) fn clip(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
    }
}

/// What a number outside of its range may mean.
fn way_out(value: &str, unit: &Unit) -> &'static str {
    match unit {
        _ if value.starts_with('-') => "; name it in `missing_words` if it means that nothing is known",
        Unit::Ratio if !value.contains('%') => "; give the unit % (`units`) if it is per cent",
        _ => "",
    }
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

impl IoError {
    /// What is wrong with a table, in the file that it is.
    pub(crate) fn of_table(error: TableError, origin: &Origin) -> Self {
        match error {
            TableError::Read(source) => Self::Read { file: origin.file(), source },
            TableError::Empty => Self::Empty { file: origin.file() },
            TableError::NotText { looks_like } => Self::NotCsv { file: origin.file(), looks_like },
            TableError::LongRow { line, limit_bytes } => {
                Self::LongRow { place: origin.at(line), limit_bytes }
            }
            TableError::FieldCount { line, expected, got, cut: true } => {
                Self::CutRow { place: origin.at(line), expected, got }
            }
            TableError::FieldCount { line, expected, got, cut: false } => {
                Self::FieldCount { place: origin.at(line), expected, got }
            }
            TableError::InvalidUtf8 { line, column } => {
                Self::InvalidUtf8 { place: origin.at(line), column: clip(&column) }
            }
            other => {
                Self::Read { file: origin.file(), source: io::Error::new(io::ErrorKind::InvalidData, other) }
            }
        }
    }
}
