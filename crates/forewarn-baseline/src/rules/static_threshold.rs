use super::{
    Watch,
    fitted::rule,
    statistic::{Plan, Statistic},
};

/// The alarm that every team has: the last sample of a metric against a threshold.
///
/// Works on raw metrics, so that the threshold has the metric's unit. A window's score is one of two: the share of
/// positive training windows on its side of the threshold, `(positives + 1) / (windows + 2)`. Where the share beyond
/// the threshold is the smaller one, both sides get the common share, 0.01 log-odds apart: the direction is never
/// reversed.
///
/// Saved as `"static_threshold"`.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticThreshold {
    watch: Watch,
}

impl StaticThreshold {
    /// A threshold on what `watch` says.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch }
    }
}

rule! {
    /// Fits in one pass over the training windows for a given metric; see [`Watch::Best`] for the cost of a choice. The
    /// validation windows are not used.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass);
    /// [`CoreError::Schema`](forewarn_core::CoreError::Schema) for a metric that the schema lacks;
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for a threshold that is not finite;
    /// [`CoreError::Outside`](forewarn_core::CoreError::Outside) with a [`BaselineError`](crate::BaselineError) for
    /// an outcome or a metric without samples.
    StaticThreshold, |_| Plan::Fixed(Statistic::Last)
}
