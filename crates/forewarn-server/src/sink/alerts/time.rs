//! Sums of times.

use forewarn_schema::Timestamp;

/// `time` and `millis` more; the end of the calendar where that is beyond it.
pub(crate) fn plus_millis(time: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(time.millis().saturating_add(millis)).unwrap_or(time)
}

/// Milliseconds from `from` to `to`, 0 where `to` is earlier.
pub(crate) fn millis_until(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.millis().saturating_sub(from.millis())).unwrap_or(0)
}
