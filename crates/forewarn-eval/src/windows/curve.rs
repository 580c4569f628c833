use crate::{EvalError, windows::ranking};
use forewarn_core::Score;
use serde::{Deserialize, Serialize};

/// One point of a precision-recall curve: what calling every window with at least this score positive gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrPoint {
    /// Threshold, one of the scores.
    pub threshold: Score,
    /// Share of the positive windows that are called positive.
    pub recall: f64,
    /// Share of the windows called positive that are.
    pub precision: f64,
}

/// The precision-recall curve: one point a distinct score, from the highest score on, so recall rises.
///
/// The last point has recall 1 and the prevalence as precision.
/// [`average_precision`](forewarn_core::average_precision) is the area under its steps. Points are not joined by
/// straight lines: precision between two of them is not linear in recall.
///
/// `O(n log n)` time, 24 bytes a distinct score.
///
/// # Errors
/// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch);
/// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) without a positive or without a negative window.
///
/// # References
/// J. Davis and M. Goadrich, *The relationship between precision-recall and ROC curves*, ICML 2006.
pub fn precision_recall_curve(scores: &[Score], positive: &[bool]) -> Result<Vec<PrPoint>, EvalError> {
    let ranking = ranking(scores, positive)?;
    let (mut hits, mut called) = (0, 0);
    let points = ranking.ties().iter().map(|tie| {
        hits += tie.positives;
        called += tie.len();
        PrPoint {
            threshold: tie.value,
            recall: hits as f64 / ranking.positives() as f64,
            precision: hits as f64 / called as f64,
        }
    });
    Ok(points.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Confusion, testing::labelled_scores};
    use approx::assert_abs_diff_eq;
    use forewarn_core::average_precision;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn points_are_confusions_and_steps_add_up((scores, positive) in labelled_scores(60)) {
            let curve = precision_recall_curve(&scores, &positive).unwrap();
            let (mut area, mut recall) = (0.0, 0.0);
            for point in &curve {
                let counts = Confusion::at(point.threshold, &scores, &positive).unwrap();
                prop_assert_eq!((point.recall, point.precision), (counts.recall(), counts.precision()));
                area += (point.recall - recall) * point.precision;
                recall = point.recall;
            }
            prop_assert_eq!(recall, 1.0);
            prop_assert!(curve.windows(2).all(|pair| pair[0].threshold > pair[1].threshold));
            assert_abs_diff_eq!(area, average_precision(&scores, &positive).unwrap(), epsilon = 1e-12);
        }
    }
}
