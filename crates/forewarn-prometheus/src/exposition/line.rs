//! The parts of a sample's line.

use forewarn_schema::Timestamp;

use super::TextFormat;
use super::scan::Scanner;
use crate::{Limits, NAME, PrometheusError, sample};

/// Labels in braces, the opening one taken already. Where the name is in there too (`{"my.name", a="b"}`), it comes
/// first.
pub(super) fn labels(
    scanner: &mut Scanner<'_>,
    limits: &Limits,
    pairs: &mut Vec<(String, String)>,
) -> Result<(), PrometheusError> {
    let mut bytes = 0;
    loop {
        scanner.blanks();
        if scanner.take("}") {
            return Ok(());
        }
        let is_quoted = scanner.peek() == Some('"');
        let name = scanner.name(&['=', ',', '}'])?;
        scanner.blanks();
        let (name, value) = if scanner.take("=") {
            scanner.blanks();
            (name, scanner.quoted()?.into_owned())
        } else if is_quoted && pairs.iter().all(|(own, _)| own != NAME) {
            (NAME.into(), name.into_owned())
        } else {
            return Err(scanner.expected("= and a value in quotes after a label's name"));
        };
        bytes += name.len() + value.len();
        limits.label_bytes(bytes)?;
        pairs.push((name.into_owned(), value));
        limits.labels(pairs.len())?;
        scanner.blanks();
        if !scanner.take(",") && scanner.peek() != Some('}') {
            return Err(scanner.expected("a comma or } after a label"));
        }
    }
}

/// A number as both formats write it. Rust would take `infinity` and `nan` in any case; so does Prometheus.
pub(super) fn number(scanner: &mut Scanner<'_>) -> Result<f64, PrometheusError> {
    let word = scanner.word(&[' ', '\t']);
    word.parse().map_err(|_| scanner.wrong(word, "a number"))
}

/// A time: milliseconds as an integer, or seconds with a fraction.
pub(super) fn time(scanner: &mut Scanner<'_>, format: TextFormat) -> Result<Timestamp, PrometheusError> {
    let word = scanner.word(&[' ', '\t']);
    let time = match format {
        TextFormat::Prometheus => word.parse().ok().and_then(Timestamp::from_millis),
        TextFormat::OpenMetrics => word.parse().ok().and_then(sample::time_of_seconds),
    };
    let expected = match format {
        TextFormat::Prometheus => "a time in milliseconds since 1970",
        TextFormat::OpenMetrics => "a time in seconds since 1970",
    };
    time.ok_or_else(|| scanner.wrong(word, expected))
}
