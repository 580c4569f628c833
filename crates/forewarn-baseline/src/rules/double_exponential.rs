use super::{
    Watch,
    fitted::rule,
    statistic::{Plan, Statistic},
};

/// Where a metric is heading by its recent course: level and trend by double exponential smoothing over the window,
/// drawn on `horizon_steps`, 5 unless said otherwise.
///
/// The level is that of `double_exponential_smoothing(metric[observation], level, trend)` of `PromQL` on the same
/// samples, which is called `holt_winters` there up to version 2; the forecast adds the trend. Weights of what is new
/// are 0.5 and 0.3 unless said otherwise. Works on raw metrics; scores as [`RollingMean`](crate::RollingMean) does.
/// Saved as `"double_exponential"`.
///
/// # References
/// C. Holt, *Forecasting seasonals and trends by exponentially weighted moving averages*, 1957.
#[derive(Clone, Debug, PartialEq)]
pub struct DoubleExponential {
    watch: Watch,
    level: f32,
    trend: f32,
    horizon_steps: u32,
}

impl DoubleExponential {
    /// Level and trend of what `watch` says, 5 steps ahead.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch, level: 0.5, trend: 0.3, horizon_steps: 5 }
    }

    /// With these weights of what is new, above 0 and up to 1: larger ones forget faster.
    #[must_use]
    pub fn with_weights(self, level: f32, trend: f32) -> Self {
        Self { level, trend, ..self }
    }

    /// The forecast `steps` steps ahead instead; 0 is the level.
    #[must_use]
    pub fn with_horizon(self, steps: u32) -> Self {
        Self { horizon_steps: steps, ..self }
    }
}

rule! {
    /// Fits as [`Trend`](crate::Trend) does.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold);
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) also for weights out of range.
    DoubleExponential, |rule| Plan::Fixed(Statistic::Holt { level: rule.level, trend: rule.trend, horizon: rule.horizon_steps })
}
