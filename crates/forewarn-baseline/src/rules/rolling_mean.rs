use super::{
    Watch,
    fitted::rule,
    statistic::{Plan, Statistic},
};

/// The mean of a metric over the last rows of the window, 3 unless said otherwise, of the samples present.
///
/// Works on raw metrics. The score is a logistic curve of the mean, fitted on the training windows by Platt's method
/// with a slope of at least 0.01 log-odds a standard deviation: where the data speak against the direction, the order
/// remains and the scores stay next to the share of positive windows. Beyond 99 % the curve flattens, so that far-out
/// windows keep their order in `f32`.
///
/// Saved as `"rolling_mean"`.
#[derive(Clone, Debug, PartialEq)]
pub struct RollingMean {
    watch: Watch,
    rows: usize,
}

impl RollingMean {
    /// The mean of what `watch` says over the last 3 rows.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch, rows: 3 }
    }

    /// The mean over the last `rows` rows instead.
    #[must_use]
    pub fn with_rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }
}

rule! {
    /// Fits in a few passes over the training windows for a given metric; see [`Watch::Best`] for the cost of a
    /// choice. The validation windows are not used.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold);
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) also for a mean over no row or over
    /// more than a window has.
    RollingMean, |rule| Plan::Fixed(Statistic::Mean { rows: rule.rows })
}
