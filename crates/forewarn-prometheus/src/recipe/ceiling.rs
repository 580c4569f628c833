/// A quantile that lies at the highest finite bucket in at least this share of its rows says nothing of how slow the
/// service is.
pub const BLIND_SHARE: f64 = 0.5;

/// How often a latency lay at the highest finite bound of its buckets, beyond which no quantile goes.
///
/// A p99 that is stuck there is a constant to a model, and a metric that cannot rise before a failure. The remedy is
/// buckets with higher bounds, or native histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CeilingCheck {
    /// Rows with a value.
    pub rows: u64,
    /// Rows whose value was the highest finite bound.
    pub at_ceiling: u64,
}

impl CeilingCheck {
    /// Judges values beside the highest finite bound, both in one unit: the answers to
    /// [`Query::expression`](crate::Query::expression) and [`Query::ceiling`](crate::Query::ceiling). NaN is no row.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>, ceiling: f64) -> Self {
        let mut check = Self::default();
        for value in values.into_iter().filter(|value| !value.is_nan()) {
            check.rows += 1;
            // A quantile in the bucket below is the bound itself only where the whole bucket is passed.
            check.at_ceiling += u64::from(value >= ceiling * (1.0 - 1e-9));
        }
        check
    }

    /// The share of rows at the ceiling; `None` without rows.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.at_ceiling as f64 / self.rows as f64)
    }

    /// Whether the share is [`BLIND_SHARE`] or more: the metric is to be left out, or its buckets to be changed.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.share().is_some_and(|share| share >= BLIND_SHARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_stuck_at_its_ceiling_is_blind() {
        let stuck = CeilingCheck::of([10_000.0, 10_000.0, f64::NAN, 9_000.0], 10_000.0);
        assert_eq!((stuck.rows, stuck.at_ceiling), (3, 2));
        assert!(stuck.is_blind());
        assert!(!CeilingCheck::of([1.0, 2.0, 10_000.0], 10_000.0).is_blind());
        assert!(!CeilingCheck::of([f64::NAN], 1.0).is_blind());
        assert_eq!(CeilingCheck::default().share(), None);
    }
}
