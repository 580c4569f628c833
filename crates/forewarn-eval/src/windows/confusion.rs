use crate::{Counts, EvalError, windows::expect_both_classes};
use forewarn_core::Score;
use serde::{Deserialize, Serialize};

/// Windows by what was said of them and what they were, at one threshold: a window is called positive when
/// `score >= threshold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Confusion {
    /// Called positive, and positive.
    pub true_positives: u64,
    /// Called positive, and negative.
    pub false_positives: u64,
    /// Called negative, and positive.
    pub false_negatives: u64,
    /// Called negative, and negative.
    pub true_negatives: u64,
}

impl Confusion {
    /// Counts the windows. One pass.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch);
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) without a positive or without a negative
    /// window.
    pub fn at(threshold: Score, scores: &[Score], positive: &[bool]) -> Result<Self, EvalError> {
        expect_both_classes("the data", scores, positive)?;
        let mut counts = [[0; 2]; 2];
        for (&score, &positive) in scores.iter().zip(positive) {
            counts[usize::from(score >= threshold)][usize::from(positive)] += 1;
        }
        let [[true_negatives, false_negatives], [false_positives, true_positives]] = counts;
        Ok(Self { true_positives, false_positives, false_negatives, true_negatives })
    }

    /// Share of the windows called positive that are. Where none is called positive it is 0: a model that never
    /// speaks earns nothing (scikit-learn's `zero_division=0`).
    #[must_use]
    pub fn precision(&self) -> f64 {
        Counts::from(*self).precision()
    }

    /// Share of the positive windows that are called positive.
    #[must_use]
    pub fn recall(&self) -> f64 {
        Counts::from(*self).recall()
    }

    /// Harmonic mean of precision and recall, `2 TP / (2 TP + FP + FN)`; 0 where no positive window is found.
    #[must_use]
    pub fn f1(&self) -> f64 {
        Counts::from(*self).f_beta(1.0)
    }
}

impl From<Confusion> for Counts {
    fn from(counts: Confusion) -> Self {
        Self {
            true_positives: counts.true_positives as f64,
            false_positives: counts.false_positives as f64,
            false_negatives: counts.false_negatives as f64,
            true_negatives: counts.true_negatives as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scores;

    #[test]
    fn a_score_on_the_threshold_is_called_positive() {
        let scores = scores(&[0.2, 0.5, 0.5, 0.9]);
        let counts = Confusion::at(Score::new(0.5).unwrap(), &scores, &[true, true, false, true]).unwrap();
        assert_eq!((counts.true_positives, counts.false_positives), (2, 1));
        assert_eq!((counts.false_negatives, counts.true_negatives), (1, 0));
        assert_eq!(counts.precision(), 2.0 / 3.0);
        assert_eq!(counts.recall(), 2.0 / 3.0);
        assert_eq!(counts.f1(), 4.0 / 6.0);
    }

    #[test]
    fn silence_has_no_precision() {
        let counts = Confusion::at(Score::ONE, &scores(&[0.2, 0.9]), &[true, false]).unwrap();
        assert_eq!((counts.precision(), counts.recall(), counts.f1()), (0.0, 0.0, 0.0));
    }

    #[test]
    fn a_single_class_is_an_error() {
        assert!(Confusion::at(Score::ONE, &scores(&[0.2, 0.9]), &[false, false]).is_err());
        assert!(Confusion::at(Score::ONE, &scores(&[0.2, 0.9]), &[true]).is_err());
    }
}
