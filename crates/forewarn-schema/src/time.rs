use crate::SchemaError;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// To and from the times of other programs.
mod other;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC.
///
/// Years -9999 to 9999, which is what RFC 3339 tools agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From milliseconds since the epoch; `None` beyond year 9999 or before -9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(millis).ok().map(|_| Self(millis))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This time plus `steps` steps (which may be negative); `None` beyond the calendar.
    #[must_use]
    pub fn checked_add(self, step: Step, steps: i64) -> Option<Self> {
        step.millis().checked_mul(steps).and_then(|span| self.0.checked_add(span)).and_then(Self::from_millis)
    }

    /// Minutes from `earlier` to this time; negative when this time comes first.
    #[must_use]
    pub fn minutes_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / 60_000.0
    }

    /// A millisecond earlier.
    pub(crate) fn just_before(self) -> Self {
        Self(self.0 - 1)
    }

    /// The moment `rows` rows after `self` on a clock that has been checked to hold that row.
    pub(crate) fn on_clock(self, step: Step, rows: usize) -> Self {
        Self(self.0 + step.millis() * rows as i64)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = SchemaError;

    fn from_str(text: &str) -> Result<Self, SchemaError> {
        text.parse::<jiff::Timestamp>()
            .map(|time| Self(time.as_millisecond()))
            .map_err(|_| SchemaError::InvalidTimestamp { text: text.to_owned() })
    }
}

impl TryFrom<String> for Timestamp {
    type Error = SchemaError;

    fn try_from(text: String) -> Result<Self, SchemaError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

/// The time between two rows of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Step(i64);

impl Step {
    /// One minute: the step that forewarn's windows are counted in unless said otherwise.
    pub const MINUTE: Self = Self(60_000);

    /// A step of `millis` milliseconds.
    ///
    /// # Errors
    /// [`SchemaError::InvalidStep`] unless it is longer than zero.
    pub fn from_millis(millis: i64) -> Result<Self, SchemaError> {
        if millis > 0 { Ok(Self(millis)) } else { Err(SchemaError::InvalidStep { millis }) }
    }

    /// Its length in milliseconds.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Its length in minutes.
    #[must_use]
    pub fn minutes(self) -> f64 {
        self.0 as f64 / 60_000.0
    }

    /// Its length in days.
    #[must_use]
    pub fn days(self) -> f64 {
        self.0 as f64 / 86_400_000.0
    }

    /// Counts whole steps from one time to others, rounded down; negative for times before it. Several times as fast
    /// as a division of integers for each.
    #[inline]
    pub fn steps_from(self, from: Timestamp) -> impl Fn(Timestamp) -> i64 + Copy {
        let inverse = 1.0 / self.0 as f64;
        move |to| {
            // Spans are below 2^50 ms, so that the product is off by less than a quarter, and its whole part by one
            // at most.
            let span = to.0 - from.0;
            let steps = (span as f64 * inverse) as i64;
            let begun = |steps: i64| steps.saturating_mul(self.0) <= span;
            steps + i64::from(begun(steps + 1)) - i64::from(!begun(steps))
        }
    }
}

/// The largest whole unit: `15 s`, `5 min`, `1 h`, `1 d`; `1.5 s` and `250 ms` where there is none.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, millis) in [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)] {
            if self.0 % millis == 0 {
                return write!(f, "{} {unit}", self.0 / millis);
            }
        }
        if self.0 > 1000 { write!(f, "{} s", self.0 as f64 / 1e3) } else { write!(f, "{} ms", self.0) }
    }
}

/// A number and a unit, such as `15s`, `5 min`, `1h` or `1d`: what [`Display`](fmt::Display) writes, and more.
impl FromStr for Step {
    type Err = SchemaError;

    fn from_str(text: &str) -> Result<Self, SchemaError> {
        let refuse = || SchemaError::InvalidDuration { text: text.to_owned() };
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(refuse)?;
        let (number, unit) = trimmed.split_at(split);
        let unit_millis = match unit.trim() {
            "ms" => 1.0,
            "s" | "sec" | "second" | "seconds" => 1e3,
            "m" | "min" | "minute" | "minutes" => 60e3,
            "h" | "hour" | "hours" => 3600e3,
            "d" | "day" | "days" => 86400e3,
            _ => return Err(refuse()),
        };
        let millis = number.parse::<f64>().map_err(|_| refuse())? * unit_millis;
        // Up to 2^53 a double holds every whole number.
        if !(1.0..=9e15).contains(&millis) || millis.fract() != 0.0 {
            return Err(refuse());
        }
        Self::from_millis(millis as i64)
    }
}

impl TryFrom<i64> for Step {
    type Error = SchemaError;

    fn try_from(millis: i64) -> Result<Self, SchemaError> {
        Self::from_millis(millis)
    }
}

impl From<Step> for i64 {
    fn from(step: Step) -> Self {
        step.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in ["2024-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "2024-02-29T12:30:00Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        let offset: Timestamp = "2024-01-01T02:00:00+02:00".parse().unwrap();
        assert_eq!(offset.to_string(), "2024-01-01T00:00:00Z");
        for text in ["", "yesterday", "2024-13-01T00:00:00Z", "2024-01-01"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn steps_are_written_and_read_in_units() {
        for (text, millis) in [
            ("250 ms", 250),
            ("15 s", 15_000),
            ("1.5 s", 1500),
            ("5 min", 300_000),
            ("1 h", 3_600_000),
            ("1 d", 86_400_000),
        ] {
            let step = Step::from_millis(millis).unwrap();
            assert_eq!((step.to_string().as_str(), text.parse()), (text, Ok(step)));
            assert_eq!(text.replace(' ', "").parse(), Ok(step));
        }
        for text in
            ["", "5", "min", "0s", "-1s", "0.0001s", "1e3s", "5 fortnights", "9999999999999999d", "nan s"]
        {
            assert!(text.parse::<Step>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_calendar_ends_without_a_panic() {
        assert_eq!(Timestamp::from_millis(i64::MAX), None);
        assert_eq!(Timestamp::EPOCH.checked_add(Step::MINUTE, i64::MAX), None);
        assert_eq!(Timestamp::EPOCH.checked_add(Step::MINUTE, -1).unwrap().millis(), -60_000);
        assert!(Step::from_millis(0).is_err() && Step::from_millis(-1).is_err());
    }

    proptest::proptest! {
        #[test]
        fn steps_are_counted_as_by_a_division_of_integers(
            from in -300_000_000_000_000i64..250_000_000_000_000, span in -300_000_000_000_000i64..300_000_000_000_000,
            short in -100_000i64..100_000, step in proptest::prelude::prop_oneof![1i64..100_000, 1i64..i64::MAX],
        ) {
            for span in [span, span - span % step, span - span % step - 1, short] {
                let (from, to) = (Timestamp(from), Timestamp(from + span));
                proptest::prop_assert_eq!(Step(step).steps_from(from)(to), span.div_euclid(step));
            }
        }
    }
}
