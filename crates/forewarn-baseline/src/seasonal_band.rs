use crate::{FittedRule, Watch, rule::Mapping, statistic::Plan};
use forewarn_core::{CoreError, Estimator, LabelledWindows, Monitor, Train, Validation};

/// Unusual for this time of day: the distance of the last sample from the mean of the training windows in the same part of the day, in their
/// standard deviations.
///
/// The time comes from the columns `sin(day)` and `cos(day)`, which the feature `Calendar` of `forewarn-window` adds to raw metrics. The day has
/// 24 parts unless said otherwise; one with fewer than 30 training windows takes the normal of the whole day. The threshold of the [`Watch`] is in
/// deviations. Scores as [`RollingMean`](crate::RollingMean) does. Saved as `"seasonal_band"`.
#[derive(Clone, Debug, PartialEq)]
pub struct SeasonalBand {
    watch: Watch,
    parts: usize,
}

impl SeasonalBand {
    /// The distance of what `watch` says from normal, in 24 parts of the day.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch, parts: 24 }
    }

    /// With so many equal parts of the day instead.
    #[must_use]
    pub fn with_parts(self, parts: usize) -> Self {
        Self { parts, ..self }
    }
}

impl Estimator for SeasonalBand {
    type Fitted = FittedRule;

    /// Fits as [`RollingMean`](crate::RollingMean) does, with one pass more.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold); [`CoreError::Schema`] also without the two columns of the time of day;
    /// [`CoreError::InvalidSetting`] for a day of no parts or more than 1,440.
    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        _: Validation<LabelledWindows<'_>>,
        monitor: &mut dyn Monitor,
    ) -> Result<FittedRule, CoreError> {
        FittedRule::fit(&self.watch, &Plan::Band { parts: self.parts }, Mapping::Curve, *train, monitor)
    }
}
