use crate::SchemaError;
use serde::{Deserialize, Serialize};

/// How far a clock is ahead of UTC, at most a day. Written as whole minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct UtcOffset(i32);

impl UtcOffset {
    /// A clock that shows UTC, which is the default.
    pub const UTC: Self = Self(0);

    /// A clock that is this number of minutes ahead of UTC, behind it when negative.
    ///
    /// # Errors
    /// [`SchemaError::InvalidUtcOffset`] beyond a day.
    pub fn from_minutes(minutes: i32) -> Result<Self, SchemaError> {
        if (-1440..=1440).contains(&minutes) {
            Ok(Self(minutes))
        } else {
            Err(SchemaError::InvalidUtcOffset { minutes })
        }
    }

    /// In minutes.
    #[must_use]
    pub fn minutes(self) -> i32 {
        self.0
    }

    /// In milliseconds.
    #[must_use]
    pub fn millis(self) -> i64 {
        i64::from(self.0) * 60_000
    }
}

impl TryFrom<i32> for UtcOffset {
    type Error = SchemaError;

    fn try_from(minutes: i32) -> Result<Self, SchemaError> {
        Self::from_minutes(minutes)
    }
}

impl From<UtcOffset> for i32 {
    fn from(offset: UtcOffset) -> Self {
        offset.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_clock_is_more_than_a_day_ahead_or_behind() {
        for minutes in [-1440, -90, 0, 330, 1440] {
            let offset = UtcOffset::from_minutes(minutes).unwrap();
            assert_eq!(offset.millis(), i64::from(minutes) * 60_000);
            let json = serde_json::to_string(&offset).unwrap();
            assert_eq!(json, minutes.to_string());
            assert_eq!(serde_json::from_str::<UtcOffset>(&json).unwrap(), offset);
        }
        for minutes in [i32::MIN, -1441, 1441, i32::MAX] {
            let error = SchemaError::InvalidUtcOffset { minutes };
            assert_eq!(UtcOffset::from_minutes(minutes), Err(error));
            assert!(serde_json::from_str::<UtcOffset>(&minutes.to_string()).is_err());
        }
    }
}
