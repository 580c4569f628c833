use crate::{
    FittedRule, Watch,
    rule::Mapping,
    statistic::{Plan, Statistic},
};
use forewarn_core::{CoreError, Estimator, LabelledWindows, Monitor, Train, Validation};

/// The exponentially weighted mean of a metric: a sample counts half as much for every `half_life_steps` that it is old, 3 unless said otherwise.
///
/// Only the rows of the window count; what is missing is left out. Works on raw metrics; scores as [`RollingMean`](crate::RollingMean) does.
/// Saved as `"ewma"`.
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

impl Estimator for Ewma {
    type Fitted = FittedRule;

    /// Fits as [`RollingMean`](crate::RollingMean) does.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold); [`CoreError::InvalidSetting`] also for a half-life that is no positive number.
    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        _: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedRule, CoreError> {
        let statistic = Statistic::Ewma { half_life: self.half_life_steps };
        FittedRule::fit(&self.watch, &Plan::Fixed(statistic), Mapping::Curve, *train, monitor)
    }
}
