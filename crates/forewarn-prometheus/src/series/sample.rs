use forewarn_schema::{RawSample, Timestamp};

use crate::PrometheusError;

/// The bits of the NaN by which Prometheus says that a series has ended. Any other NaN is a value that is not a number.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Whether a value is the stale marker. To be asked before a value is narrowed to `f32`, which forgets the bits of a
/// NaN.
#[must_use]
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// One number of a series. Two are the same if their times and the bits of their values are.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When, in milliseconds.
    pub time: Timestamp,
    /// The number, in the double precision that it came in: NaN, infinities and the stale marker are kept.
    pub value: f64,
}

impl Sample {
    /// Says that the series ends at `time`.
    #[must_use]
    pub fn stale(time: Timestamp) -> Self {
        Self { time, value: f64::from_bits(STALE_BITS) }
    }

    /// Whether it says that the series ends.
    #[must_use]
    pub fn is_stale(self) -> bool {
        is_stale(self.value)
    }

    /// As a sample of the metric at `metric` in a schema; `None` for the stale marker, which is not a sample.
    #[must_use]
    pub fn to_raw(self, metric: usize) -> Option<RawSample> {
        (!self.is_stale()).then_some(RawSample { metric, time: self.time, value: self.value })
    }
}

impl PartialEq for Sample {
    fn eq(&self, other: &Self) -> bool {
        self.time == other.time && self.value.to_bits() == other.value.to_bits()
    }
}

impl Eq for Sample {}

/// A time in milliseconds, refused beyond the calendar.
pub(crate) fn time(millis: i64) -> Result<Timestamp, PrometheusError> {
    Timestamp::from_millis(millis).ok_or(PrometheusError::Time { millis })
}

/// A time in seconds with a fraction, as the HTTP API and OpenMetrics write it.
pub(crate) fn time_of_seconds(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1000.0).round();
    // Beyond 2^53 a double is not every integer; the calendar ends before.
    (millis.abs() < 9e15).then(|| Timestamp::from_millis(millis as i64)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_nan_is_the_stale_marker() {
        let stale = Sample::stale(Timestamp::EPOCH);
        assert!(stale.value.is_nan() && stale.is_stale() && stale.to_raw(0).is_none());
        let nan = Sample { value: f64::NAN, ..stale };
        assert!(!nan.is_stale() && nan != stale && nan == { nan });
        assert!(nan.to_raw(3).is_some_and(|raw| raw.metric == 3 && raw.value.is_nan()));
        // Why the bits are asked before narrowing.
        assert!(!is_stale(f64::from(stale.value as f32)));
    }

    #[test]
    fn seconds_with_a_fraction_become_milliseconds() {
        let millis = |seconds| time_of_seconds(seconds).map(Timestamp::millis);
        assert_eq!(millis(1_435_781_451.781), Some(1_435_781_451_781));
        assert_eq!(millis(-0.0006), Some(-1));
        assert_eq!(millis(1e300), None);
        assert_eq!(millis(f64::NAN), None);
        assert!(time(i64::MAX).is_err());
    }
}
