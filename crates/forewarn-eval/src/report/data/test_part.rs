use crate::{EvalError, Events, ScoredSet};
use forewarn_core::AlarmPolicy;
use forewarn_core::Score;
use serde::{Deserialize, Serialize};

/// What there was to predict in the test part, whatever the model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TestSummary {
    /// Scored windows.
    pub windows: usize,
    /// Positive ones among them.
    pub positives: usize,
    /// Share of positive windows: the PR-AUC of the no-skill baseline.
    pub prevalence: f64,
    /// Failures that an alarm could have announced: their onset lies in the prediction period of a scored window.
    pub episodes: usize,
    /// Failures between the first and the last score that no scored window could have announced.
    pub episodes_out_of_reach: usize,
    /// Time watched, all services together, in days: each scored window counts for one step.
    pub service_days: f64,
}

impl TestSummary {
    /// Counts windows and failures; the scores do not matter.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass) without a positive or without a negative
    /// window.
    pub fn new(test: &ScoredSet) -> Result<Self, EvalError> {
        test.pooled("test")?;
        let totals = Events::new(test, AlarmPolicy::new(Score::ONE, 0)).totals();
        Ok(Self {
            windows: test.windows(),
            positives: test.positives(),
            prevalence: test.positives() as f64 / test.windows() as f64,
            episodes: totals.episodes,
            episodes_out_of_reach: totals.out_of_reach,
            service_days: totals.service_days,
        })
    }
}
