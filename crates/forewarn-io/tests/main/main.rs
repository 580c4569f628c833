//! Files good and bad, through the public interface only.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which Clippy takes for code")]

mod bad_input;
mod cases;
mod cell_rows;
mod clock;
mod exports;
mod files;
mod forms;
mod gaps;
mod hostile;
mod laws;
#[cfg(feature = "parquet")]
mod parquet_files;
mod round_trip;
mod snapshots;
#[cfg(feature = "parquet")]
mod streams;
mod tolerance;

use forewarn_io::{IoError, ReadOptions, Recording, csv};

/// Reads `text` as the file `m.csv`, with `failure` as outcome where there is such a column.
fn read(text: impl AsRef<[u8]>) -> Result<Recording, IoError> {
    let text = text.as_ref();
    let header = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let options = ReadOptions::default();
    let has_outcome = header.windows(8).any(|part| part == b",failure");
    csv::read_from(text, "m.csv", &if has_outcome { options.with_outcome_column("failure") } else { options })
}

/// Reads `text`, whatever its format, as the file `m.csv`.
fn read_with(text: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Recording, IoError> {
    forewarn_io::read_from(text.as_ref(), "m.csv", options)
}

/// The message that `text` is refused with.
fn refusal(text: impl AsRef<[u8]>) -> String {
    read(text).expect_err("the text must be refused").to_string()
}
