use crate::LabelError;
use forewarn_schema::Step;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A span of time in a rule: a number of steps, or a duration. Written `3 steps`, `90 s`, `5 min`, `1 h`, `3 d`.
///
/// A span of time is rounded up to whole steps of the clock that a rule is used on, and is at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Span {
    /// Steps of the frame's clock.
    Steps(u32),
    /// Seconds.
    Seconds(u32),
}

/// Seconds of a unit, by its shortest name first: that is how a span is written.
const UNITS: [(&[&str], u32); 4] = [
    (&["d", "day", "days"], 86_400),
    (&["h", "hour", "hours"], 3600),
    (&["min", "m", "minute", "minutes"], 60),
    (&["s", "sec", "second", "seconds"], 1),
];

impl Span {
    /// Steps of the clock.
    #[must_use]
    pub fn steps(count: u32) -> Self {
        Self::Steps(count)
    }

    /// Minutes; at most 136 years.
    #[must_use]
    pub fn minutes(count: u32) -> Self {
        Self::Seconds(count.saturating_mul(60))
    }

    /// Hours; at most 136 years.
    #[must_use]
    pub fn hours(count: u32) -> Self {
        Self::minutes(count.saturating_mul(60))
    }

    /// Days; at most 136 years.
    #[must_use]
    pub fn days(count: u32) -> Self {
        Self::hours(count.saturating_mul(24))
    }

    /// Its length on a clock of `step`: at least one step.
    #[must_use]
    pub fn in_steps(self, step: Step) -> usize {
        match self {
            Self::Steps(count) => count.max(1) as usize,
            Self::Seconds(seconds) => {
                let steps = (u64::from(seconds) * 1000).div_ceil(step.millis().unsigned_abs());
                usize::try_from(steps).unwrap_or(usize::MAX).max(1)
            }
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        matches!(self, Self::Steps(0) | Self::Seconds(0))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Steps(1) => f.write_str("1 step"),
            Self::Steps(count) => write!(f, "{count} steps"),
            Self::Seconds(seconds) => {
                let whole = |(_, size): &&(&[&str], u32)| seconds > 0 && seconds % size == 0;
                let (names, size) = UNITS.iter().find(whole).unwrap_or(&UNITS[3]);
                write!(f, "{} {}", seconds / size, names[0])
            }
        }
    }
}

impl FromStr for Span {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let refuse = || LabelError::UnreadableSpan { text: text.to_owned() };
        let trimmed = text.trim();
        let digits = trimmed.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(refuse)?;
        let (count, unit) =
            (trimmed[..digits].parse::<u32>().map_err(|_| refuse())?, trimmed[digits..].trim());
        let span = match unit {
            "step" | "steps" => Self::Steps(count),
            _ => {
                let (_, size) = UNITS.iter().find(|(names, _)| names.contains(&unit)).ok_or_else(refuse)?;
                Self::Seconds(count.checked_mul(*size).ok_or_else(refuse)?)
            }
        };
        if span.is_empty() { Err(refuse()) } else { Ok(span) }
    }
}

impl TryFrom<String> for Span {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in ["1 step", "3 steps", "90 s", "5 min", "1 h", "36 h", "3 d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("120 minutes".parse::<Span>().unwrap(), Span::hours(2));
        assert_eq!("5m".parse::<Span>().unwrap(), Span::minutes(5));
        for wrong in ["", "5", "min", "0 min", "0 steps", "-3 h", "1.5 h", "99999999 d", "3 fortnights"] {
            let error = wrong.parse::<Span>().unwrap_err().to_string();
            assert!(error.contains(&format!("{wrong:?}")), "{error}");
        }
    }

    #[test]
    fn time_is_rounded_up_to_steps() {
        let step = |seconds: i64| Step::from_millis(seconds * 1000).unwrap();
        assert_eq!(Span::minutes(5).in_steps(step(60)), 5);
        assert_eq!(Span::minutes(5).in_steps(step(120)), 3);
        assert_eq!(Span::minutes(5).in_steps(step(3600)), 1);
        assert_eq!(Span::steps(4).in_steps(step(3600)), 4);
        assert_eq!(Span::Seconds(u32::MAX).in_steps(Step::from_millis(1).unwrap()), 4_294_967_295_000);
    }
}
