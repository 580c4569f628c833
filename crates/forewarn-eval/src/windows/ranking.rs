use crate::EvalError;
use forewarn_core::{CoreError, Score};
use forewarn_numerics::Ranking;

/// What these windows are called in errors.
const PART: &str = "the data";

/// Windows in order of score from high to low, equal scores together; both classes are there.
pub(crate) fn ranking(scores: &[Score], positive: &[bool]) -> Result<Ranking<Score>, EvalError> {
    expect_both_classes(PART, scores, positive)?;
    Ok(Ranking::new(scores.iter().copied().zip(positive.iter().copied())))
}

/// The error for a ranking that has no figures, which one of both classes has.
pub(crate) fn single_class(ranking: &Ranking<Score>) -> CoreError {
    let [positives, windows] =
        [ranking.positives(), ranking.positives() + ranking.negatives()].map(|count| count as usize);
    CoreError::SingleClass { part: PART, positives, windows }
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
