use super::{
    Watch,
    fitted::rule,
    statistic::{Plan, Statistic},
};

/// Where a metric is heading: the least-squares line through its samples in the window, `horizon_steps` after the
/// last row.
///
/// The same number as `predict_linear(metric[observation], horizon)` of `PromQL` on the same samples, evaluated at
/// the last row; missing samples are left out as they are there. Of one sample the value is taken as it is, where
/// `PromQL` returns nothing. The horizon is 5 steps unless said otherwise: the end of the default prediction period.
///
/// Works on raw metrics; scores as [`RollingMean`](crate::RollingMean) does. Saved as `"trend"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    watch: Watch,
    horizon_steps: u32,
}

impl Trend {
    /// The line through what `watch` says, 5 steps ahead.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch, horizon_steps: 5 }
    }

    /// The line `steps` steps ahead instead; 0 is the line's value at the last row.
    #[must_use]
    pub fn with_horizon(self, steps: u32) -> Self {
        Self { horizon_steps: steps, ..self }
    }
}

rule! {
    /// Fits in a few passes over the training windows for a given metric; see [`Watch::Best`] for the cost of a
    /// choice. The validation windows are not used.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold).
    Trend, |rule| Plan::Fixed(Statistic::Line { horizon: rule.horizon_steps })
}
