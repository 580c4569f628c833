use serde::{Deserialize, Serialize};

const DAY_MILLIS: i64 = 86_400_000;

/// A stretch of the calendar that comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cycle {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
}

impl Cycle {
    /// What columns call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    pub(crate) fn length_millis(self) -> i64 {
        match self {
            Self::Day => DAY_MILLIS,
            Self::Week => 7 * DAY_MILLIS,
        }
    }

    /// Milliseconds since the cycle last began, at a time in milliseconds since the epoch.
    pub(crate) fn phase_millis(self, millis: i64) -> i64 {
        // 1970-01-05T00:00:00Z was a Monday.
        let begin = if self == Self::Week { 4 * DAY_MILLIS } else { 0 };
        (millis - begin).rem_euclid(self.length_millis())
    }
}
