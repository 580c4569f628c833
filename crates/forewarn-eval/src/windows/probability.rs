use crate::{EvalError, windows::expect_both_classes};
use forewarn_core::Score;

/// Brier score: the mean squared difference between score and outcome (1 for a positive window, 0 for a negative
/// one). 0 is best. Always answering the prevalence `p` gives `p (1 - p)`, so with rare failures a small value says
/// little by itself.
///
/// # Errors
/// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch);
/// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) without a positive or without a negative window.
///
/// # References
/// G. W. Brier, *Verification of forecasts expressed in terms of probability*, Monthly Weather Review 78(1), 1950, in
/// the form for two classes of `sklearn.metrics.brier_score_loss`.
pub fn brier(scores: &[Score], positive: &[bool]) -> Result<f64, EvalError> {
    expect_both_classes("the data", scores, positive)?;
    let squares = scores.iter().zip(positive).map(|(score, &positive)| {
        let miss = f64::from(score.get()) - f64::from(u8::from(positive));
        miss * miss
    });
    Ok(squares.sum::<f64>() / scores.len() as f64)
}

/// Log loss: the mean of minus the natural logarithm of the probability given to what happened. 0 is best.
///
/// Certainty that proves wrong would cost infinitely much; probabilities are held between 2.2e-16 and one minus that,
/// the rounding of `f64`, so each such window costs 36.0.
///
/// `sklearn.metrics.log_loss` holds them at the rounding of the array that it is given: it gives the same figure for
/// these scores as `float64`, and for the same scores as `float32` holds them at 1.2e-7, where a window costs at most
/// 15.9.
///
/// # Errors
/// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch);
/// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) without a positive or without a negative window.
///
/// # References
/// I. J. Good, *Rational decisions*, Journal of the Royal Statistical Society B 14(1), 1952. The definition of
/// `sklearn.metrics.log_loss` for two classes.
pub fn log_loss(scores: &[Score], positive: &[bool]) -> Result<f64, EvalError> {
    expect_both_classes("the data", scores, positive)?;
    let losses =
        scores.iter().zip(positive).map(|(score, &positive)| surprise(f64::from(score.get()), positive));
    Ok(losses.sum::<f64>() / scores.len() as f64)
}

/// What one window adds to the log loss.
pub(crate) fn surprise(score: f64, positive: bool) -> f64 {
    let score = score.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    if positive { -score.ln() } else { -(-score).ln_1p() }
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
        approx::assert_abs_diff_eq!(
            log_loss(&scores(&[0.5, 0.25]), &[true, false]).unwrap(),
            (2f64.ln() + (4f64 / 3.0).ln()) / 2.0,
            epsilon = 1e-15
        );
        let wrong = log_loss(&scores(&[0.0, 1.0]), &[true, false]).unwrap();
        approx::assert_abs_diff_eq!(wrong, -f64::EPSILON.ln(), epsilon = 1e-12);
        assert!(log_loss(&scores(&[0.5]), &[true]).is_err());
        assert!(brier(&scores(&[0.5]), &[true]).is_err() && brier(&[], &[]).is_err());
    }
}
