use crate::{EvalError, ranking::expect_both_classes};
use forewarn_core::Score;

/// Brier score: the mean squared difference between score and outcome (1 for a positive window, 0 for a negative one). 0 is
/// best. Always answering the prevalence `p` gives `p (1 - p)`, so with rare failures a small value says little by itself.
///
/// # Errors
/// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch);
/// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) without a positive or without a negative window.
///
/// # References
/// G. W. Brier, *Verification of forecasts expressed in terms of probability*, Monthly Weather Review 78(1), 1950, in the form
/// for two classes of `sklearn.metrics.brier_score_loss`.
pub fn brier(scores: &[Score], positive: &[bool]) -> Result<f64, EvalError> {
    expect_both_classes("the data", scores, positive)?;
    let squares = scores.iter().zip(positive).map(|(score, &positive)| {
        let miss = f64::from(score.get()) - f64::from(u8::from(positive));
        miss * miss
    });
    Ok(squares.sum::<f64>() / scores.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scores;

    #[test]
    fn known_values() {
        assert_eq!(brier(&scores(&[0.5, 0.5]), &[true, false]).unwrap(), 0.25);
        assert_eq!(brier(&scores(&[1.0, 0.0]), &[true, false]).unwrap(), 0.0);
        assert_eq!(brier(&scores(&[0.0, 1.0]), &[true, false]).unwrap(), 1.0);
        // 0.25, 0.75 and 0.5 have no rounding: (9 + 9 + 4) / 16 / 3.
        assert_eq!(brier(&scores(&[0.25, 0.75, 0.5]), &[true, false, true]).unwrap(), 22.0 / 48.0);
        assert!(brier(&scores(&[0.5]), &[true]).is_err() && brier(&[], &[]).is_err());
    }
}
