use std::time::{Duration, SystemTime};

use super::Timestamp;
use crate::SchemaError;

impl Timestamp {
    /// From whole seconds since the epoch, as Unix tools and Prometheus have them.
    ///
    /// # Errors
    /// [`SchemaError::BeyondCalendar`] beyond year 9999 or before -9999.
    pub fn from_secs(secs: i64) -> Result<Self, SchemaError> {
        let time = secs.checked_mul(1000).and_then(Self::from_millis);
        time.ok_or(SchemaError::BeyondCalendar { secs: secs as f64 })
    }

    /// From seconds since the epoch with a fraction, rounded to the nearest millisecond: what Python's `time.time()`
    /// gives.
    ///
    /// # Errors
    /// [`SchemaError::BeyondCalendar`] beyond year 9999, before -9999, or for NaN.
    pub fn from_secs_f64(secs: f64) -> Result<Self, SchemaError> {
        let beyond = SchemaError::BeyondCalendar { secs };
        let millis = (secs * 1000.0).round();
        // A conversion of NaN would give 0, one of an infinity the last of all times.
        if millis.is_finite() { Self::from_millis(millis as i64).ok_or(beyond) } else { Err(beyond) }
    }

    /// Seconds since the epoch, with a fraction of three digits.
    #[must_use]
    pub fn secs(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl TryFrom<SystemTime> for Timestamp {
    type Error = SchemaError;

    /// The last whole millisecond at or before `time`.
    fn try_from(time: SystemTime) -> Result<Self, SchemaError> {
        let (before, span) = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => (false, after),
            Err(error) => (true, error.duration()),
        };
        let secs = if before { -span.as_secs_f64() } else { span.as_secs_f64() };
        let millis = i64::try_from(span.as_millis()).ok();
        let millis = millis.map(|whole| {
            let rest = i64::from(!span.subsec_nanos().is_multiple_of(1_000_000));
            if before { -whole - rest } else { whole }
        });
        millis.and_then(Self::from_millis).ok_or(SchemaError::BeyondCalendar { secs })
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = SchemaError;

    /// The same time; refused where the operating system has none so early or so late.
    fn try_from(time: Timestamp) -> Result<Self, SchemaError> {
        let span = Duration::from_millis(time.0.unsigned_abs());
        let system = match time.0 {
            0.. => Self::UNIX_EPOCH.checked_add(span),
            _ => Self::UNIX_EPOCH.checked_sub(span),
        };
        system.ok_or(SchemaError::BeyondCalendar { secs: time.secs() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read() {
        let time: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(Timestamp::from_secs(1_704_067_200), Ok(time));
        assert_eq!(Timestamp::from_secs_f64(1_704_067_200.000_4), Ok(time));
        assert_eq!(Timestamp::from_secs_f64(-0.25).unwrap().to_string(), "1969-12-31T23:59:59.75Z");
        assert_eq!(time.secs(), 1_704_067_200.0);
        for secs in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e18, -1e18, 3e11] {
            assert!(
                matches!(Timestamp::from_secs_f64(secs), Err(SchemaError::BeyondCalendar { .. })),
                "{secs}"
            );
        }
        for secs in [i64::MAX, i64::MIN, 300_000_000_000] {
            let error = Timestamp::from_secs(secs).unwrap_err().to_string();
            assert!(error.contains(&(secs as f64).to_string()), "{error}");
        }
    }

    #[test]
    fn times_of_the_system_are_rounded_down() {
        let at = |secs, nanos| SystemTime::UNIX_EPOCH + Duration::new(secs, nanos);
        let read = |time: SystemTime| Timestamp::try_from(time).unwrap();
        assert_eq!(read(at(1_704_067_200, 0)).to_string(), "2024-01-01T00:00:00Z");
        assert_eq!(read(at(0, 1_999_999)).millis(), 1);
        let before = |nanos| SystemTime::UNIX_EPOCH - Duration::from_nanos(nanos);
        assert_eq!([1, 1_000_000, 1_000_001].map(|nanos| read(before(nanos)).millis()), [-1, -1, -2]);
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000);
        assert!(matches!(Timestamp::try_from(far), Err(SchemaError::BeyondCalendar { .. })));
    }

    proptest::proptest! {
        #[test]
        fn times_come_back_from_the_system(millis in -62_135_596_800_000i64..253_402_207_200_000) {
            let time = Timestamp::from_millis(millis).unwrap();
            proptest::prop_assert_eq!(Timestamp::try_from(SystemTime::try_from(time).unwrap()), Ok(time));
            proptest::prop_assert_eq!(Timestamp::from_secs_f64(time.secs()), Ok(time));
        }
    }
}
