//! How numbers, times and foreign text are written for people.

use forewarn_eval::Interval;
use forewarn_schema::Timestamp;

/// A share, an area or a squared error: three decimals, more digits for small ones.
pub(crate) fn share(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 0.0995 => format!("{value:.3}"),
        size if size >= 0.000_95 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

/// A duration, a rate: three significant digits or so.
pub(crate) fn quantity(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 99.5 => grouped(&format!("{value:.0}")),
        size if size >= 9.95 => trimmed(format!("{value:.1}")),
        size if size >= 0.095 => trimmed(format!("{value:.2}")),
        size if size >= 0.000_95 => trimmed(format!("{value:.4}")),
        _ => format!("{value:.0e}"),
    }
}

/// `0.25 to 0.37`, or a dash.
pub(crate) fn range(interval: Option<Interval>, text: impl Fn(f64) -> String) -> String {
    interval.map_or_else(|| "–".to_owned(), |found| format!("{} to {}", text(found.low), text(found.high)))
}

/// A share as `25 %`.
pub(crate) fn percent(value: f64) -> String {
    format!("{}\u{a0}%", quantity(100.0 * value))
}

/// A count, with a comma before every three digits.
pub(crate) fn count(value: usize) -> String {
    grouped(&value.to_string())
}

/// `1 failure`, `2 failures`.
pub(crate) fn counted(value: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// `every day`, `every 7 days`.
pub(crate) fn every(days: f64) -> String {
    if days == 1.0 { "every day".to_owned() } else { format!("every {} days", quantity(days)) }
}

/// A number that may be absent.
pub(crate) fn or_dash(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), text)
}

/// `2024-01-30 23:59`, in UTC.
pub(crate) fn moment(time: Timestamp) -> String {
    let (day, clock) = (day(time), clock(time));
    format!("{day} {clock}")
}

/// `2024-01-30`.
pub(crate) fn day(time: Timestamp) -> String {
    let text = time.to_string();
    text.split_once('T').map_or(text.clone(), |(day, _)| day.to_owned())
}

/// `23:59`, with seconds only where there are any.
pub(crate) fn clock(time: Timestamp) -> String {
    let text = time.to_string();
    let clock = text.split_once('T').map_or("", |(_, clock)| clock.trim_end_matches('Z'));
    clock.strip_suffix(":00").unwrap_or(clock).to_owned()
}

/// Text from a file without control characters, which a terminal or an XML parser would take for something else.
pub(crate) fn plain(text: &str) -> String {
    let safe = |c: char| if c == '\n' || c == '\t' { ' ' } else { '\u{fffd}' };
    text.chars().map(|c| if c.is_control() { safe(c) } else { c }).collect()
}

fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let groups = digits.as_bytes().rchunks(3).rev().map(|three| String::from_utf8_lossy(three).into_owned());
    format!("{sign}{}", groups.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let shares = [0.0, 0.3176, 0.0275, 0.0055, 0.1, 0.000_2, 1.0].map(share);
        assert_eq!(shares, ["0", "0.318", "0.0275", "0.0055", "0.100", "2.0e-4", "1.000"]);
        let quantities = [0.0, 3.0, 2.5, 17.25, 1234.5, 0.0123, 0.000_01].map(quantity);
        assert_eq!(quantities, ["0", "3", "2.5", "17.2", "1,234", "0.0123", "1e-5"]);
        assert_eq!(
            [7, 999, 1000, 43_200, 1_234_567].map(count),
            ["7", "999", "1,000", "43,200", "1,234,567"]
        );
        assert_eq!(counted(1, "day", "days"), "1 day");
        assert_eq!([1.0, 7.0, 0.5].map(every), ["every day", "every 7 days", "every 0.5 days"]);
    }

    #[test]
    fn times() {
        let time: Timestamp = "2024-02-29T12:30:00Z".parse().unwrap();
        assert_eq!(moment(time), "2024-02-29 12:30");
        assert_eq!(clock("2024-02-29T12:30:15Z".parse().unwrap()), "12:30:15");
    }

    #[test]
    fn control_characters_do_not_get_through() {
        assert_eq!(plain("a\u{1b}[31mb\nc"), "a\u{fffd}[31mb c");
    }
}
