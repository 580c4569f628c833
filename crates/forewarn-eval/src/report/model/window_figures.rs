use crate::{EvalError, RankedWindows};
use forewarn_core::Score;
use serde::{Deserialize, Serialize};

/// Figures of windows that are read second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WindowFigures {
    /// Area under the precision-recall curve with its points joined by straight lines: too good, here to compare with
    /// others.
    pub pr_auc_trapezoid: f64,
    /// Area under the ROC curve up to [`Self::HIGHEST_FALSE_POSITIVE_RATE`], rescaled so that no skill gives 0.5.
    pub partial_roc_auc: f64,
    /// F-beta with beta 2 at the threshold: a miss is worse than a false call.
    pub f2: f64,
    /// F-beta with beta 0.5 at the threshold: a false call is worse than a miss.
    pub f_half: f64,
    /// Matthews' correlation coefficient at the threshold.
    pub mcc: f64,
    /// Highest recall of a threshold at which at least half of the calls are right, in hindsight; 0 where there is
    /// none.
    pub recall_at_half_precision: f64,
    /// Mean of minus the logarithm of the probability given to what happened.
    pub log_loss: f64,
}

impl WindowFigures {
    /// Up to which false positive rate the partial area goes: beyond it there are more alarms than anyone accepts.
    pub const HIGHEST_FALSE_POSITIVE_RATE: f64 = 0.01;

    /// Measures the windows. `O(n log n)` time.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch),
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
    pub fn new(scores: &[Score], positive: &[bool], threshold: Score) -> Result<Self, EvalError> {
        let ranked = RankedWindows::new(scores, positive)?;
        let counts = ranked.counts(threshold);
        Ok(Self {
            pr_auc_trapezoid: ranked.trapezoidal_pr_auc(),
            partial_roc_auc: ranked.partial_roc_auc(Self::HIGHEST_FALSE_POSITIVE_RATE)?,
            f2: counts.f_beta(2.0),
            f_half: counts.f_beta(0.5),
            mcc: counts.mcc(),
            recall_at_half_precision: ranked.recall_at_precision(0.5).map_or(0.0, |point| point.recall),
            log_loss: ranked.log_loss(),
        })
    }
}
