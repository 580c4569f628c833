use forewarn_core::CoreError;
use forewarn_schema::{SchemaError, Timestamp, printable};

/// Why a failure rule or its labels were refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// A frame lacks a metric, or a rule failed.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A limit that is NaN or infinite.
    #[error("{} cannot be compared with {limit}", printable(metric))]
    InvalidLimit {
        /// The metric of the rule.
        metric: String,
        /// Its limit.
        limit: f32,
    },
    /// A rule that is satisfied by no sample at all.
    #[error("a rule on {} must hold for at least one step", printable(metric))]
    NeverSustained {
        /// The metric of the rule.
        metric: String,
    },
    /// A text that is no comparison.
    #[error("{text:?} is none of >=, >, <=, <, ==, !=")]
    UnknownComparison {
        /// The text.
        text: String,
    },
    /// A text that is no rule.
    #[error("{text:?} is not a failure rule: {reason}")]
    UnreadableRule {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A part of a rule that makes no sense, by its path from the root.
    #[error("{} is {}: expected {expected}", printable(field), printable(value))]
    InvalidField {
        /// Path, such as `when.any[1].compare.limit`.
        field: String,
        /// What it is.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// A text that is not a span of time.
    #[error("{text:?} is not a span of time: expected such as 3 steps, 90 s, 5 min, 1 h, 2 d")]
    UnreadableSpan {
        /// The text.
        text: String,
    },
    /// A file that cannot be read, or is too large.
    #[error("{}: {source}", printable(&path.display().to_string()))]
    UnreadablePath {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file that holds neither a rule nor a list of objectives.
    #[error("no {what} in this {format}, at {}: {}", printable(field), printable(reason))]
    UnreadableFile {
        /// What was expected: `"failure rule"`.
        what: &'static str,
        /// `"JSON"` or `"TOML"`.
        format: &'static str,
        /// Path of the field, such as `when.any[1].compare`; `.` for the whole.
        field: String,
        /// What is wrong with it, with line and column where known.
        reason: String,
    },
    /// A rule that a format cannot express.
    #[error("the rule cannot be written: {reason}")]
    UnwritableRule {
        /// Why.
        reason: String,
    },
    /// A stream has come to the end of the calendar.
    #[error("row {row} of a stream that began at {start} is beyond the calendar")]
    BeyondCalendar {
        /// First row's time.
        start: Timestamp,
        /// Row, from 0.
        row: usize,
    },
    /// A live row that comes after a later one.
    #[error(
        "a row of {time} is late: the next row is that of {expected}; sort rows, or align samples, before they are pushed"
    )]
    LateRow {
        /// Its time.
        time: Timestamp,
        /// The time of the next row.
        expected: Timestamp,
    },
    /// A live row between two steps of the clock.
    #[error(
        "a row of {time} is off the clock: rows are {step_millis} ms apart, and the next is that of {expected}"
    )]
    RowOffClock {
        /// Its time.
        time: Timestamp,
        /// The time of the next row.
        expected: Timestamp,
        /// Time between rows, in milliseconds.
        step_millis: i64,
    },
    /// A live row so far ahead that its time must be wrong.
    #[error("a row of {time} comes more than {most} steps after that of {expected}, which was the next")]
    GapTooLong {
        /// Its time.
        time: Timestamp,
        /// The time of the next row.
        expected: Timestamp,
        /// Most steps that may be missed.
        most: usize,
    },
    /// A rule gave an episode with a time that is no row of the frame.
    #[error("{rule:?} found an episode of {} at {time}, which is not a row of its frame", printable(service))]
    OffClock {
        /// The rule's sentence.
        rule: String,
        /// Service.
        service: String,
        /// The time in question.
        time: Timestamp,
    },
    /// A rule called rows unknown that the frame does not have.
    #[error("{rule:?} says that rows up to {end} of {} are unknown, it has {rows}", printable(service))]
    UnknownRows {
        /// The rule's sentence.
        rule: String,
        /// Service.
        service: String,
        /// End of the range.
        end: usize,
        /// Rows of the frame.
        rows: usize,
    },
}

impl From<SchemaError> for LabelError {
    fn from(error: SchemaError) -> Self {
        Self::Core(error.into())
    }
}

/// The error of a field that must fulfil a condition.
pub(crate) fn refuse_unless(
    fine: bool,
    field: &str,
    value: &str,
    expected: &'static str,
) -> Result<(), LabelError> {
    if fine {
        return Ok(());
    }
    Err(LabelError::InvalidField { field: field.to_owned(), value: value.to_owned(), expected })
}
