pub(crate) mod rank;

use crate::CoreError;
use forewarn_numerics::sigmoid;
use serde::{Deserialize, Serialize};

/// A probability that a failure begins in the prediction period, or a grade that orders windows like one. Always in
/// 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Score(f32);

impl Score {
    /// 0: certainly no failure.
    pub const ZERO: Self = Self(0.0);
    /// 1: certainly a failure.
    pub const ONE: Self = Self(1.0);

    /// The score `value`.
    ///
    /// # Errors
    /// [`CoreError::InvalidScore`] unless `value` is in 0..=1.
    pub fn new(value: f32) -> Result<Self, CoreError> {
        // Adding zero turns -0.0 into 0.0, so that equal scores have equal bits.
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value + 0.0))
        } else {
            Err(CoreError::InvalidScore { value })
        }
    }

    /// The score nearest to `value`, for programs that compute in 64 bits.
    ///
    /// # Errors
    /// [`CoreError::InvalidScore`] unless it is in 0..=1.
    pub fn from_f64(value: f64) -> Result<Self, CoreError> {
        Self::new(value as f32)
    }

    /// The score whose log-odds are `logit`.
    ///
    /// # Errors
    /// [`CoreError::InvalidScore`] for NaN.
    pub fn from_logit(logit: f64) -> Result<Self, CoreError> {
        Self::new(sigmoid(logit) as f32)
    }

    /// Its log-odds; those of 0 and 1 are the log-odds of the scores next to them, so that they are finite.
    #[must_use]
    pub fn log_odds(self) -> f64 {
        let value = f64::from(self.0.clamp(f32::from_bits(1), 1.0f32.next_down()));
        value.ln() - (-value).ln_1p()
    }

    /// Its value.
    #[must_use]
    pub fn get(self) -> f32 {
        self.0
    }
}

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl TryFrom<f32> for Score {
    type Error = CoreError;

    fn try_from(value: f32) -> Result<Self, CoreError> {
        Self::new(value)
    }
}

impl From<Score> for f32 {
    fn from(score: Score) -> Self {
        score.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_probabilities_are_scores() {
        for wrong in [f32::NAN, -0.1, 1.000_1, f32::INFINITY] {
            assert!(Score::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Score::from_f64(0.1).unwrap().get(), 0.1);
        for wrong in [f64::NAN, -0.1, 1.000_1, 1e300] {
            assert!(Score::from_f64(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Score::new(-0.0).unwrap().cmp(&Score::ZERO), std::cmp::Ordering::Equal);
        assert!(serde_json::from_str::<Score>("1.5").is_err());
        assert!(Score::from_logit(f64::NAN).is_err());
        assert_eq!(Score::from_logit(f64::NEG_INFINITY).unwrap(), Score::ZERO);
        assert_eq!(Score::from_logit(1e4).unwrap(), Score::ONE);
        assert_eq!(Score::from_logit(0.0).unwrap().get(), 0.5);
        for score in [Score::ZERO, Score::ONE, Score(0.25), Score(1e-30), Score(0.999)] {
            let back = Score::from_logit(score.log_odds()).unwrap();
            assert!((back.get() - score.get()).abs() <= 1e-7 * score.get().max(1e-30), "{score:?} {back:?}");
        }
    }
}
