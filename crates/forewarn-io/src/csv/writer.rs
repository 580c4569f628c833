use crate::{
    IoError,
    columns::{SERVICE, TIMESTAMP, writable::check},
};
use forewarn_schema::FrameSet;
use std::{fmt::Write as _, io::Write};

/// Writes frames as comma-separated text, service after service: `timestamp` (RFC 3339 in UTC), `service` (left out
/// when there is one, and it is called `service`), then the metrics. A missing value is an empty cell.
///
/// Numbers have the fewest digits that are read back as the same `f32`, so writing and
/// [`read_from`](super::read_from) keep every bit of values, times and names. Units and ranges of metrics outside v1
/// are not kept: a CSV file has no place for them.
///
/// # Errors
/// [`IoError::Write`]; [`IoError::Unwritable`] for frames that would not be read back: a service without rows, a metric
/// called `timestamp` or `service`, a name with blanks at its ends.
pub fn write(frames: &FrameSet, to: impl Write) -> Result<(), IoError> {
    let with_service = check(frames)?;
    let refuse = |source: ::csv::Error| IoError::Write { file: "CSV".to_owned(), source: reason(source) };
    let mut writer = ::csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(to);
    let header =
        [TIMESTAMP].into_iter().chain(with_service.then_some(SERVICE)).chain(frames.schema().names());
    writer.write_record(header).map_err(refuse)?;
    let mut text = String::new();
    for frame in frames.frames() {
        for (row, sample) in frame.values().chunks_exact(frames.schema().len()).enumerate() {
            text.clear();
            format(&mut text, format_args!("{}", frame.time(row)));
            writer.write_field(&text).map_err(refuse)?;
            if with_service {
                writer.write_field(frame.service()).map_err(refuse)?;
            }
            for &value in sample {
                text.clear();
                number(&mut text, value);
                writer.write_field(&text).map_err(refuse)?;
            }
            writer.write_record(None::<&[u8]>).map_err(refuse)?;
        }
    }
    writer.flush().map_err(|source| IoError::Write { file: "CSV".to_owned(), source: source.into() })
}

/// Why a writer failed: the system's own error where it is one, so that a caller can tell a closed pipe.
fn reason(error: ::csv::Error) -> forewarn_core::BoxError {
    match error.into_kind() {
        ::csv::ErrorKind::Io(source) => source.into(),
        // Every row has the header's length, and nothing else can be wrong with writing.
        other => format!("{other:?}").into(),
    }
}

/// The shortest text of `value`; nothing for NaN.
fn number(text: &mut String, value: f32) {
    let size = value.abs();
    if value.is_nan() {
    } else if size == 0.0 || (1e-5..1e16).contains(&size) {
        format(text, format_args!("{value}"));
    } else {
        format(text, format_args!("{value:e}"));
    }
}

fn format(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes any text");
}
