use crate::{
    EvalError,
    windows::{ranking, single_class},
};
use forewarn_core::Score;

/// Area under the ROC curve: the probability that a positive window scores higher than a negative one, a tie counting
/// one half (midranks). Counted in integers, so it is exact up to the one division at the end.
///
/// 0.5 for scores that say nothing, whatever the prevalence; with few positives it looks good long before alarms are,
/// so read it beside [`average_precision`](forewarn_core::average_precision).
///
/// `O(n log n)` time, 8 bytes of scratch a window.
///
/// # Errors
/// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch);
/// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) without a positive or without a negative window.
///
/// # References
/// J. A. Hanley and B. J. McNeil, *The meaning and use of the area under a receiver operating characteristic (ROC)
/// curve*, Radiology 143(1), 1982. The same definition as `sklearn.metrics.roc_auc_score`.
#[allow(clippy::doc_markdown, reason = "McNeil is a person")]
pub fn roc_auc(scores: &[Score], positive: &[bool]) -> Result<f64, EvalError> {
    let ranking = ranking(scores, positive)?;
    Ok(ranking.roc_auc().ok_or_else(|| single_class(&ranking))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{labelled_scores, scores};
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        // The example of scikit-learn's documentation.
        let value = roc_auc(&scores(&[0.1, 0.4, 0.35, 0.8]), &[false, false, true, true]).unwrap();
        assert_eq!(value, 0.75);
        assert_eq!(roc_auc(&scores(&[0.9, 0.1]), &[true, false]).unwrap(), 1.0);
        assert_eq!(roc_auc(&scores(&[0.1, 0.9]), &[true, false]).unwrap(), 0.0);
    }

    #[test]
    fn equal_scores_are_worth_a_half() {
        let labels: Vec<bool> = (0..100).map(|i| i % 7 == 0).collect();
        assert_eq!(roc_auc(&scores(&[0.3; 100]), &labels).unwrap(), 0.5);
    }

    #[test]
    fn a_single_class_and_other_lengths_are_errors() {
        for labels in [&[true, true][..], &[false, false], &[true], &[]] {
            assert!(roc_auc(&scores(&[0.1, 0.2]), labels).is_err());
        }
        let error = roc_auc(&scores(&[0.1, 0.2]), &[true, true]).unwrap_err().to_string();
        assert_eq!(error, "the data has 2 positive windows of 2: both classes are needed");
    }

    proptest! {
        #[test]
        fn equals_counting_every_pair((scores, positive) in labelled_scores(60)) {
            let (mut sum, mut pairs) = (0.0, 0.0);
            for (a, _) in scores.iter().zip(&positive).filter(|(_, label)| **label) {
                for (b, _) in scores.iter().zip(&positive).filter(|(_, label)| !**label) {
                    pairs += 1.0;
                    sum += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                }
            }
            assert_abs_diff_eq!(roc_auc(&scores, &positive).unwrap(), sum / pairs, epsilon = 1e-12);
        }
    }
}
