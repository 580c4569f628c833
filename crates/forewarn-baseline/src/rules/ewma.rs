use super::{
    Watch,
    fitted::rule,
    statistic::{Plan, Statistic},
};

/// The exponentially weighted mean of a metric: a sample counts half as much for every `half_life_steps` that it is
/// old, 3 unless said otherwise.
///
/// Only the rows of the window count; what is missing is left out. Works on raw metrics; scores as
/// [`RollingMean`](crate::RollingMean) does. Saved as `"ewma"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ewma {
    watch: Watch,
    half_life_steps: f32,
}

impl Ewma {
    /// The mean of what `watch` says, with a half-life of 3 steps.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch, half_life_steps: 3.0 }
    }

    /// With this half-life instead.
    #[must_use]
    pub fn with_half_life(self, steps: f32) -> Self {
        Self { half_life_steps: steps, ..self }
    }
}

rule! {
    /// Fits as [`RollingMean`](crate::RollingMean) does.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold);
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) also for a half-life that is no
    /// positive number.
    Ewma, |rule| Plan::Fixed(Statistic::Ewma { half_life: rule.half_life_steps })
}
