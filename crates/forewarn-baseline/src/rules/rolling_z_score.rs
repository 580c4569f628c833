use super::{Watch, fitted::rule, statistic::Plan};

/// How unusual a metric has become: the mean of the last rows of the window, 3 unless said otherwise, against mean
/// and standard deviation of the rows before them, in deviations.
///
/// The window's own deviation counts as at least a tenth of the metric's over the training windows: after a few
/// minutes of standing still, any move would otherwise be a wonder. The threshold of the [`Watch`] is in deviations.
/// Works on raw metrics; scores as [`RollingMean`](crate::RollingMean) does. Saved as `"rolling_z_score"`.
#[derive(Clone, Debug, PartialEq)]
pub struct RollingZScore {
    watch: Watch,
    rows: usize,
}

impl RollingZScore {
    /// The last 3 rows of what `watch` says against those before.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self { watch, rows: 3 }
    }

    /// The last `rows` rows against those before instead.
    #[must_use]
    pub fn with_rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }
}

rule! {
    /// Fits as [`RollingMean`](crate::RollingMean) does, with one pass more.
    ///
    /// # Errors
    /// As [`StaticThreshold`](crate::StaticThreshold);
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) also unless the last rows are at least
    /// one and fewer than the window has.
    RollingZScore, |rule| Plan::ZScore { rows: rule.rows }
}
