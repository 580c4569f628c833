use crate::EvalError;
use forewarn_core::{CoreError, Score};

/// Windows in order of score from high to low, equal scores together: what every measure of ranking reads.
#[derive(Clone, Debug)]
pub(crate) struct Ranking {
    pub(crate) groups: Vec<Group>,
    pub(crate) positives: u64,
    pub(crate) negatives: u64,
}

/// The windows that share one score.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) score: Score,
    pub(crate) positives: u64,
    pub(crate) negatives: u64,
}

impl Ranking {
    pub(crate) fn new(scores: &[Score], positive: &[bool]) -> Result<Self, EvalError> {
        expect_both_classes("the data", scores, positive)?;
        let mut ranked: Vec<(Score, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
        ranked.sort_unstable_by_key(|&(score, _)| std::cmp::Reverse(score));
        let groups: Vec<Group> = ranked
            .chunk_by(|a, b| a.0 == b.0)
            .map(|tied| {
                let positives = tied.iter().filter(|(_, label)| *label).count();
                Group {
                    score: tied[0].0,
                    positives: positives as u64,
                    negatives: (tied.len() - positives) as u64,
                }
            })
            .collect();
        let positives = groups.iter().map(|group| group.positives).sum();
        Ok(Self { groups, positives, negatives: scores.len() as u64 - positives })
    }
}

/// Refuses lists of different lengths and labels of one class; `part` names the data in the error.
pub(crate) fn expect_both_classes(
    part: &'static str,
    scores: &[Score],
    positive: &[bool],
) -> Result<(), CoreError> {
    if scores.len() != positive.len() {
        return Err(CoreError::LengthMismatch {
            what: "labels",
            expected: scores.len(),
            got: positive.len(),
        });
    }
    forewarn_core::expect_both_classes(part, positive).map(|_| ())
}
