//! Metrics as text: Prometheus' format 0.0.4 and OpenMetrics 1.0, read and written.

mod entry;
mod line;
mod parser;
mod scan;
mod writer;

use std::io::BufRead;

pub use entry::{Entry, Exemplar, ExpositionSample, FamilyKind};
pub use parser::ExpositionParser;
pub use writer::ExpositionWriter;

use crate::{Limits, PrometheusError, text};

/// Which of the two text formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextFormat {
    /// `text/plain; version=0.0.4`: times in milliseconds, no units, no exemplars, no end.
    #[default]
    Prometheus,
    /// `application/openmetrics-text; version=1.0.0`: times in seconds, counters end in `_total`, text ends in `# EOF`.
    OpenMetrics,
}

impl TextFormat {
    /// The format that a `Content-Type` names; any but OpenMetrics is taken for Prometheus' own, as Prometheus does.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Self {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        if media.eq_ignore_ascii_case("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// The `Content-Type` of what [`ExpositionWriter`] writes.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Reads text line by line, giving each entry to `take`, in memory of one line.
///
/// # Errors
/// [`PrometheusError::Line`] with the line's number; [`PrometheusError::NoEof`] for OpenMetrics that was cut off;
/// [`PrometheusError::Limit`]; whatever `take` returns. What came before the error has been taken already.
pub fn read_exposition(
    mut reader: impl BufRead,
    format: TextFormat,
    limits: &Limits,
    mut take: impl FnMut(Entry<'_>) -> Result<(), PrometheusError>,
) -> Result<(), PrometheusError> {
    let mut parser = ExpositionParser::new(format, *limits);
    let mut line = Vec::new();
    loop {
        line.clear();
        let more = read_line(&mut reader, &mut line, limits, parser.lines() + 1)?;
        if line.is_empty() && !more {
            return parser.finish();
        }
        let line = std::str::from_utf8(&line).map_err(|_| PrometheusError::Line {
            line: parser.lines() + 1,
            found: text::quoted_bytes(&line),
            expected: "UTF-8",
        })?;
        if let Some(entry) = parser.line(line)? {
            take(entry)?;
        }
    }
}

/// One line without its end; `false` where the text ends with it.
fn read_line(
    reader: &mut impl BufRead,
    line: &mut Vec<u8>,
    limits: &Limits,
    number: usize,
) -> Result<bool, PrometheusError> {
    loop {
        let bytes = reader.fill_buf().map_err(|error| PrometheusError::Line {
            line: number,
            found: text::quoted(&error.to_string()),
            expected: "text that can be read",
        })?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let taken = end.unwrap_or(bytes.len());
        limits.line_bytes(line.len() + taken)?;
        line.extend_from_slice(&bytes[..taken]);
        reader.consume(end.map_or(taken, |end| end + 1));
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests;
