use super::{Watch, fitted::rule, statistic::Plan};

/// Unusual for this time of day: the distance of the last sample from the mean of the training windows in the same
/// part of the day, in their standard deviations.
///
/// The time comes from the columns `sin(day)` and `cos(day)`, which the feature `Calendar` of `forewarn-window` adds
/// to raw metrics. The day has 24 parts unless said otherwise; one with fewer than 30 training windows takes the
/// normal of the whole day. The threshold of the [`Watch`] is in deviations. Scores as
/// [`RollingMean`](crate::RollingMean) does. Saved as `"seasonal_band"`.
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

    /// With this number of equal parts of the day instead.
    #[must_use]
    pub fn with_parts(self, parts: usize) -> Self {
        Self { parts, ..self }
    }
}

rule! {
    /// Fits as [`RollingMean`](crate::RollingMean) does, with one pass more.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold); [`CoreError::Schema`](forewarn_core::CoreError::Schema) also
    /// without the two columns of the time of day;
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for a day of no parts or more than
    /// 1,440.
    SeasonalBand, |rule| Plan::Band { parts: rule.parts }
}
