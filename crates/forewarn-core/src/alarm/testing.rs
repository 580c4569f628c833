//! What the tests of alarms share.

use crate::Score;
use forewarn_schema::Timestamp;
use proptest::prelude::*;

pub(super) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000).unwrap()
}

/// A score with many ties.
pub(super) fn coarse_score() -> impl Strategy<Value = Score> {
    prop_oneof![(0u8..=8).prop_map(|eighths| f32::from(eighths) / 8.0), 0f32..=1.0]
        .prop_map(|value| Score::new(value).unwrap())
}
