//! What several unit tests share.

use forewarn_core::Score;
use forewarn_schema::Timestamp;
use proptest::{collection::vec, prelude::*};

pub(crate) fn scores(values: &[f32]) -> Vec<Score> {
    values.iter().map(|&value| Score::new(value).unwrap()).collect()
}

pub(crate) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000).unwrap()
}

/// A score with many ties.
pub(crate) fn coarse_score() -> impl Strategy<Value = Score> {
    prop_oneof![(0u8..=8).prop_map(|eighths| f32::from(eighths) / 8.0), 0f32..=1.0]
        .prop_map(|value| Score::new(value).unwrap())
}

/// 2 to `most` scores with labels of both classes.
pub(crate) fn labelled_scores(most: usize) -> impl Strategy<Value = (Vec<Score>, Vec<bool>)> {
    vec((coarse_score(), any::<bool>()), 2..most).prop_map(|pairs| {
        let (scores, mut positive): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        positive[0] = true;
        positive[1] = false;
        (scores, positive)
    })
}
