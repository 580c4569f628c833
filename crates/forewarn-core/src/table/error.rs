use crate::BoxError;
use std::io;

/// Why a table of text could not be read. Lines count from 1, as an editor shows them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Reading stopped in the middle.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    /// Not a byte, or only blank lines.
    #[error("is empty")]
    Empty,
    /// Not text.
    #[error("looks like {looks_like}, expected text in UTF-8")]
    NotText {
        /// What its first bytes look like.
        looks_like: &'static str,
    },
    /// No end of a row within any sensible length.
    #[error("line {line}: this row has no end within {limit_bytes} bytes: is a quote left open?")]
    LongRow {
        /// The row's first line.
        line: u64,
        /// Bytes that were read in search of the end.
        limit_bytes: usize,
    },
    /// More rows than the caller takes.
    #[error("line {line}: more than {limit} rows")]
    TooManyRows {
        /// The first row too many.
        line: u64,
        /// Most rows.
        limit: u64,
    },
    /// A row with more or fewer fields than the header.
    #[error("line {line}: has {got} fields where the header has {expected}{}", if *cut { ", and the file ends in it: it was cut off" } else { "" })]
    FieldCount {
        /// The row.
        line: u64,
        /// Fields of the header.
        expected: usize,
        /// Fields of the row.
        got: usize,
        /// Whether the row is the last one, too short and without a line break.
        cut: bool,
    },
    /// Bytes that are not UTF-8.
    #[error("line {line}, column {column:?}: is not valid UTF-8")]
    InvalidUtf8 {
        /// The row.
        line: u64,
        /// The column's name, or its number where the name itself is not valid.
        column: String,
    },
    /// What gives the rows of another format says so, with file and row.
    #[error(transparent)]
    Source(BoxError),
}
