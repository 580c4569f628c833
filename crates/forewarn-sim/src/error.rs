use forewarn_core::CoreError;
use forewarn_schema::{SchemaError, Timestamp};

/// Why a simulation, or a ceiling for one, was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// A service's name, a start or a column was wrong.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A score could not be made.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A simulation of no time, or of more than is allowed.
    #[error("a simulation has 1 to {max} minutes, got {minutes}")]
    Minutes {
        /// Minutes asked for.
        minutes: usize,
        /// Most that there can be.
        max: usize,
    },
    /// A prediction period that ends further ahead than is computed.
    #[error("a ceiling looks at most {max} minutes ahead, the window ends {horizon} minutes ahead")]
    HorizonTooLong {
        /// Minutes from the last observed row to the end of the period.
        horizon: usize,
        /// Most that is computed.
        max: usize,
    },
    /// The process goes by the minute; a frame on another clock is not of it.
    #[error("{service} has one row in {got_millis} ms: the process has one in {expected_millis} ms")]
    WrongStep {
        /// Service.
        service: String,
        /// The process's step, in milliseconds.
        expected_millis: i64,
        /// The frame's step, in milliseconds.
        got_millis: i64,
    },
    /// The parts of a run do not have one entry for each row of its frame.
    #[error("{what} of a run: expected {expected}, got {got}")]
    LengthMismatch {
        /// `"stress values"` or `"rule states"`.
        what: &'static str,
        /// Rows of the frame.
        expected: usize,
        /// Entries found.
        got: usize,
    },
    /// A hidden stress that is not in 0..=1.
    #[error("row {row}: stress is {value}, outside 0..=1")]
    StressOutOfRange {
        /// Row of the run.
        row: usize,
        /// The value.
        value: f64,
    },
    /// No hidden state that was possible until then explains a row, so the frame is not of this process.
    #[error("{service} at {time} (row {row}): the process cannot have made these metrics")]
    ImpossibleRow {
        /// Service.
        service: String,
        /// When.
        time: Timestamp,
        /// Row of the frame.
        row: usize,
    },
}
