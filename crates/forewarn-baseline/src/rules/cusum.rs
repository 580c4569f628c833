use super::{Watch, fitted::rule, statistic::Plan};

/// A small shift that lasts: the sum, over the window, of what a metric exceeds its normal by, less `slack`,
/// restarted whenever it would fall below zero.
///
/// Samples are taken in standard deviations from the mean of the training windows; the slack is half a deviation
/// unless said otherwise, which finds shifts of one deviation soonest. The threshold of the [`Watch`] is in
/// deviations, usually 4 or 5; for [`Direction::Below`](crate::Direction::Below) it is negative, as the sum is. Works
/// on raw metrics; scores as [`RollingMean`](crate::RollingMean) does. Saved as `"cusum"`.
///
/// # References
/// E. Page, *Continuous inspection schemes*, Biometrika 41, 1954.
#[derive(Clone, Debug, PartialEq)]
pub struct Cusum {
    watch: Watch,
    slack: f32,
}

impl Cusum {
    /// The sum of what `watch` says.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch, slack: 0.5 }
    }

    /// With this slack, in deviations.
    #[must_use]
    pub fn with_slack(self, deviations: f32) -> Self {
        Self { slack: deviations, ..self }
    }
}

rule! {
    /// Fits as [`RollingMean`](crate::RollingMean) does, with one pass more.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold);
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) also for a slack that is negative or
    /// no number.
    Cusum, |rule| Plan::Cusum { slack: rule.slack }
}
