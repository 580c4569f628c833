use crate::{
    EvalError,
    windows::{ranking, single_class},
};
use forewarn_core::Score;

/// The threshold with the highest F1 among the distinct scores, and that F1. Of equally good thresholds the highest,
/// which raises the fewest alarms. F1 values are compared as fractions of integers: no rounding decides.
///
/// Choose it on validation, never on the data that is reported. `O(n log n)` time.
///
/// # Errors
/// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch);
/// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) without a positive or without a negative window.
pub fn best_f1_threshold(scores: &[Score], positive: &[bool]) -> Result<(Score, f64), EvalError> {
    let ranking = ranking(scores, positive)?;
    Ok(ranking.best_f1().ok_or_else(|| single_class(&ranking))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Confusion, testing::labelled_scores, testing::scores};
    use proptest::prelude::*;

    #[test]
    fn of_equally_good_thresholds_the_highest_wins() {
        // At 0.9: 1 of 1 called, F1 = 2 / 3. At 0.4: 2 of 4 called, F1 = 4 / 6, the same.
        let scores = scores(&[0.9, 0.4, 0.4, 0.4, 0.1]);
        let (threshold, f1) = best_f1_threshold(&scores, &[true, true, false, false, false]).unwrap();
        assert_eq!((threshold.get(), f1), (0.9, 2.0 / 3.0));
    }

    #[test]
    fn a_single_class_is_an_error() {
        assert!(best_f1_threshold(&scores(&[0.9, 0.4]), &[true, true]).is_err());
        assert!(best_f1_threshold(&scores(&[0.9, 0.4]), &[false, false]).is_err());
        assert!(best_f1_threshold(&[], &[]).is_err());
    }

    proptest! {
        #[test]
        fn no_threshold_is_better((scores, positive) in labelled_scores(60)) {
            let (threshold, f1) = best_f1_threshold(&scores, &positive).unwrap();
            prop_assert_eq!(Confusion::at(threshold, &scores, &positive).unwrap().f1(), f1);
            for &other in &scores {
                let there = Confusion::at(other, &scores, &positive).unwrap().f1();
                prop_assert!(there < f1 || (there == f1 && other <= threshold), "{} at {:?}", there, other);
            }
        }
    }
}
