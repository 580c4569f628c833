use crate::events::quantile;
use serde::{Deserialize, Serialize};

/// Where a figure lies, by resampling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of such intervals that hold the true value, as far as the resampling is right; 0.95 for 95 %.
    pub level: f64,
}

impl Interval {
    /// Whether `value` lies in it, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The middle `level` of resampled values. `None` where fewer than half of the `resamples` gave a value: what is left
    /// would be a selection.
    pub(crate) fn percentile(mut values: Vec<f64>, resamples: usize, level: f64) -> Option<Self> {
        if values.is_empty() || 2 * values.len() < resamples {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Some(Self { low: quantile(&values, tail)?, high: quantile(&values, 1.0 - tail)?, level })
    }
}

/// A figure and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntervalEstimate {
    /// The figure on the data measured; `None` where it does not exist.
    pub value: Option<f64>,
    /// Where it lies; `None` where resampling does not say.
    pub interval: Option<Interval>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_values() {
        let values: Vec<f64> = (0..=1000).rev().map(f64::from).collect();
        let interval = Interval::percentile(values, 1001, 0.9).unwrap();
        assert!((interval.low - 50.0).abs() < 1e-9 && (interval.high - 950.0).abs() < 1e-9, "{interval:?}");
        assert!(interval.contains(50.5) && !interval.contains(49.0) && !interval.contains(951.0));
    }

    #[test]
    fn too_few_values_have_no_interval() {
        assert!(Interval::percentile(vec![1.0; 49], 100, 0.9).is_none());
        assert!(Interval::percentile(vec![1.0; 50], 100, 0.9).is_some());
        assert!(Interval::percentile(vec![], 0, 0.9).is_none());
    }
}
