use crate::{EvalError, best_f1_threshold, roc_auc};
use forewarn_core::Score;
use forewarn_core::average_precision;
use serde::{Deserialize, Serialize};

/// What the best possible predictors score on the same test windows. Known only where the data was simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ceiling {
    /// A predictor that sees the hidden state behind the metrics.
    pub oracle: Option<Bound>,
    /// The best predictor that sees the metrics only: a Bayes filter that knows how they are made.
    pub bayes_filter: Option<Bound>,
}

impl Ceiling {
    /// A ceiling from the bounds that are known.
    #[must_use]
    pub fn new(oracle: Option<Bound>, bayes_filter: Option<Bound>) -> Self {
        Self { oracle, bayes_filter }
    }

    /// The known bounds with a name for tables, the tighter one first.
    pub fn bounds(&self) -> impl Iterator<Item = (&'static str, &Bound)> {
        [("Bayes filter (metrics)", &self.bayes_filter), ("oracle (hidden state)", &self.oracle)]
            .into_iter()
            .filter_map(|(name, bound)| bound.as_ref().map(|bound| (name, bound)))
    }
}

/// Scores of one best possible predictor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bound {
    /// Average precision.
    pub pr_auc: f64,
    /// Area under the ROC curve.
    pub roc_auc: f64,
    /// F1 at the best of all thresholds on the test windows themselves: in hindsight, as a bound may be.
    pub best_f1: f64,
}

impl Bound {
    /// Measures the scores of a best possible predictor.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`](forewarn_core::CoreError::LengthMismatch),
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
    pub fn new(scores: &[Score], positive: &[bool]) -> Result<Self, EvalError> {
        Ok(Self {
            pr_auc: average_precision(scores, positive)?,
            roc_auc: roc_auc(scores, positive)?,
            best_f1: best_f1_threshold(scores, positive)?.1,
        })
    }
}
