use super::{
    Watch,
    fitted::rule,
    statistic::{Plan, Statistic},
};

/// Where a metric is heading, whatever single samples do: the line with the median slope of all pairs of samples,
/// `horizon_steps` after the last row, 5 unless said otherwise.
///
/// What [`Trend`](crate::Trend) is by least squares, by medians: up to 29 % of the samples may be spikes. Time grows
/// with the square of the window. Works on raw metrics; scores as [`RollingMean`](crate::RollingMean) does. Saved as
/// `"theil_sen"`.
///
/// # References
/// P. Sen, *Estimates of the regression coefficient based on Kendall's tau*, Journal of the American Statistical
/// Association 63, 1968.
#[derive(Clone, Debug, PartialEq)]
pub struct TheilSen {
    watch: Watch,
    horizon_steps: u32,
}

impl TheilSen {
    /// The line through what `watch` says, 5 steps ahead.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch, horizon_steps: 5 }
    }

    /// The line `steps` steps ahead instead.
    #[must_use]
    pub fn with_horizon(self, steps: u32) -> Self {
        Self { horizon_steps: steps, ..self }
    }
}

rule! {
    /// Fits as [`Trend`](crate::Trend) does.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold).
    TheilSen, |rule| Plan::Fixed(Statistic::TheilSen { horizon: rule.horizon_steps })
}
