use forewarn_core::CoreError;

/// Why a baseline could not be fitted.
///
/// [`Estimator::fit`](forewarn_core::Estimator::fit) reports it as the source of a [`CoreError::Outside`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// A column that says from outside what failed was to be a model's input.
    #[error("{metric:?} states what failed: it is what is predicted, never an input")]
    OutcomeAsInput {
        /// The column.
        metric: String,
    },
    /// The watched metric has no sample in any training window.
    #[error("metric {metric:?} has no sample in any of the {windows} training windows")]
    NoSamples {
        /// The metric.
        metric: String,
        /// Training windows.
        windows: usize,
    },
    /// No metric can be watched: each one is an outcome or has no sample in any training window.
    #[error("none of the metrics [{}] can be watched: each is an outcome or has no sample", metrics.join(", "))]
    NothingToWatch {
        /// The metrics there are.
        metrics: Vec<String>,
    },
    /// The minimum was not reached to within the tolerance.
    #[error(
        "no convergence after {iterations} iterations: the gradient's norm is {gradient_norm:e}, expected at most \
         {tolerance:e}"
    )]
    NotConverged {
        /// Iterations done.
        iterations: usize,
        /// Norm of the scaled gradient at the best point; see [`Convergence`](crate::Convergence).
        gradient_norm: f64,
        /// Norm that was asked for.
        tolerance: f64,
    },
    /// The minimiser gave up on an evaluation of the loss.
    #[error("the minimiser failed: {reason}")]
    Minimiser {
        /// Its own message.
        reason: String,
    },
}

impl BaselineError {
    /// The error as the traits of `forewarn-core` report it; `what` names the model.
    pub(crate) fn of(self, what: &'static str) -> CoreError {
        CoreError::outside(what, self)
    }
}
