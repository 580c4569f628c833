use forewarn_schema::Timestamp;

use crate::{Limits, PrometheusError};

/// One bucket with observations, not counting those of other buckets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// Observations between them, or a rate of them.
    pub count: f64,
}

/// How the bounds of buckets were laid out, which decides how a quantile is interpolated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BucketLayout {
    /// Each bound a fixed factor above the one before: the buckets of native and of exponential histograms.
    #[default]
    Exponential,
    /// Bounds that people have chosen.
    Custom,
}

/// A histogram in one sample: a native histogram of Prometheus, or an OTLP histogram of either sort.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeHistogram {
    /// When, in milliseconds.
    pub time: Timestamp,
    /// Observations, or a rate of them; the stale marker where the series ends.
    pub count: f64,
    /// Sum of the observations; NaN where it is not known or observations were not numbers.
    pub sum: f64,
    /// How the bounds were laid out.
    pub layout: BucketLayout,
    /// Buckets with observations, in order of their bounds.
    pub buckets: Vec<Bucket>,
}

impl NativeHistogram {
    /// Whether it says that the series ends.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        crate::is_stale(self.count) || crate::is_stale(self.sum)
    }

    /// The `q`-quantile, as `histogram_quantile` of Prometheus 3 has it: within an exponential bucket interpolated on
    /// the logarithm of the value, within one around zero or of chosen bounds on a straight line. A quantile in a
    /// bucket without an upper bound is that bucket's lower bound.
    ///
    /// NaN without observations or where `q` is NaN; minus and plus infinity for a `q` below 0 and above 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        if q.is_nan() || self.count.is_nan() || self.count <= 0.0 {
            return f64::NAN;
        }
        if !(0.0..=1.0).contains(&q) {
            return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
        }
        let rank = q * self.count;
        let mut before = 0.0;
        for bucket in &self.buckets {
            if bucket.count > 0.0 && before + bucket.count >= rank {
                return self.within(bucket, ((rank - before) / bucket.count).clamp(0.0, 1.0));
            }
            before += bucket.count;
        }
        // Observations that were NaN are counted and in no bucket.
        self.buckets.last().map_or(f64::NAN, |bucket| bucket.upper)
    }

    /// The point a share of the way through a bucket.
    fn within(&self, bucket: &Bucket, share: f64) -> f64 {
        let Bucket { mut lower, mut upper, .. } = *bucket;
        if self.layout == BucketLayout::Custom {
            if upper == f64::INFINITY {
                return lower;
            }
            if lower == f64::NEG_INFINITY {
                if upper <= 0.0 {
                    return upper;
                }
                lower = 0.0;
            }
            return lower + (upper - lower) * share;
        }
        if lower <= 0.0 && upper >= 0.0 {
            // Only one side of zero was ever seen: the bucket around it has no other half.
            let others = |side: fn(&Bucket) -> bool| self.buckets.iter().any(side);
            match (others(|other| other.upper < 0.0), others(|other| other.lower > 0.0)) {
                (false, true) => lower = 0.0,
                (true, false) => upper = 0.0,
                _ => {}
            }
            return lower + (upper - lower) * share;
        }
        if lower > 0.0 {
            let (low, high) = (lower.log2(), upper.log2());
            (low + (high - low) * share).exp2()
        } else {
            let (low, high) = ((-lower).log2(), (-upper).log2());
            -(low + (high - low) * share).exp2()
        }
    }

    /// What was observed since an earlier sample of the same series: the difference of the buckets, or all of this one
    /// where the count fell, which is a reset. `None` where buckets of the earlier sample are not in this one: bounds
    /// were laid out in another way meanwhile, and the difference cannot be told.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        if self.count < earlier.count {
            return Some(self.clone());
        }
        let mut left = earlier.buckets.iter().peekable();
        let mut buckets = Vec::with_capacity(self.buckets.len());
        for &bucket in &self.buckets {
            let same = left.next_if(|old| old.lower == bucket.lower && old.upper == bucket.upper);
            let count = bucket.count - same.map_or(0.0, |old| old.count);
            if count < 0.0 {
                return Some(self.clone());
            }
            if count > 0.0 {
                buckets.push(Bucket { count, ..bucket });
            }
        }
        if left.any(|old| old.count > 0.0) {
            return None;
        }
        let (count, sum) = (self.count - earlier.count, self.sum - earlier.sum);
        Some(Self { count, sum, buckets, ..*self })
    }
}

/// Buckets of a base-2 exponential histogram: bucket `i` holds what is above `2^(i * 2^-scale)` and at most
/// `2^((i + 1) * 2^-scale)`. `indexed` gives positions and counts in ascending order.
///
/// # Errors
/// [`PrometheusError::Histogram`] for a scale outside -32..=32.
pub(crate) fn exponential_buckets(
    scale: i32,
    zero: Option<Bucket>,
    negative: &[(i64, f64)],
    positive: &[(i64, f64)],
    limits: &Limits,
) -> Result<Vec<Bucket>, PrometheusError> {
    if !(-32..=32).contains(&scale) {
        return Err(PrometheusError::Histogram {
            reason: format!("has the scale {scale}, expected -32 to 32"),
        });
    }
    limits.buckets(negative.len() + positive.len())?;
    let bound = |index: i64| (index as f64 * f64::from(-scale).exp2()).exp2();
    let filled = |(_, count): &&(i64, f64)| *count != 0.0;
    let mut buckets = Vec::with_capacity(negative.len() + positive.len() + 1);
    // The most negative numbers are in the bucket with the highest index.
    buckets.extend(negative.iter().rev().filter(filled).map(|&(index, count)| Bucket {
        lower: -bound(index + 1),
        upper: -bound(index),
        count,
    }));
    buckets.extend(zero.filter(|zero| zero.count != 0.0));
    buckets.extend(positive.iter().filter(filled).map(|&(index, count)| Bucket {
        lower: bound(index),
        upper: bound(index + 1),
        count,
    }));
    Ok(buckets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(layout: BucketLayout, buckets: &[(f64, f64, f64)]) -> NativeHistogram {
        let buckets: Vec<_> =
            buckets.iter().map(|&(lower, upper, count)| Bucket { lower, upper, count }).collect();
        let count = buckets.iter().map(|bucket| bucket.count).sum();
        NativeHistogram { time: Timestamp::EPOCH, count, sum: 0.0, layout, buckets }
    }

    #[test]
    fn exponential_buckets_are_interpolated_on_the_logarithm() {
        let native = histogram(BucketLayout::Exponential, &[(1.0, 2.0, 4.0), (2.0, 8.0, 4.0)]);
        // Half-way through 1..2 is sqrt(2); three quarters of all is half-way through 2..8, which is 4.
        assert!((native.quantile(0.25) - 2f64.sqrt()).abs() < 1e-12);
        assert!((native.quantile(0.75) - 4.0).abs() < 1e-12);
        let below = histogram(BucketLayout::Exponential, &[(-8.0, -2.0, 4.0), (-2.0, -1.0, 4.0)]);
        assert!((below.quantile(0.25) + 4.0).abs() < 1e-12);
    }

    #[test]
    fn around_zero_and_in_chosen_bounds_a_quantile_lies_on_a_line() {
        let zero = histogram(BucketLayout::Exponential, &[(-0.5, 0.5, 2.0), (1.0, 2.0, 2.0)]);
        assert_eq!(zero.quantile(0.25), 0.25);
        let custom =
            histogram(BucketLayout::Custom, &[(f64::NEG_INFINITY, 10.0, 2.0), (10.0, f64::INFINITY, 2.0)]);
        assert_eq!(custom.quantile(0.25), 5.0);
        assert_eq!(custom.quantile(0.99), 10.0);
    }

    #[test]
    fn without_observations_there_is_no_quantile() {
        let empty = histogram(BucketLayout::Exponential, &[]);
        assert!(empty.quantile(0.5).is_nan());
        let some = histogram(BucketLayout::Exponential, &[(1.0, 2.0, 1.0)]);
        assert!(some.quantile(f64::NAN).is_nan());
        assert_eq!(some.quantile(2.0), f64::INFINITY);
        // Half of the observations were NaN.
        assert_eq!(NativeHistogram { count: 2.0, ..some }.quantile(0.9), 2.0);
    }

    #[test]
    fn the_increase_is_by_bucket_and_a_reset_starts_from_nothing() {
        let earlier = histogram(BucketLayout::Exponential, &[(1.0, 2.0, 4.0)]);
        let later = histogram(BucketLayout::Exponential, &[(1.0, 2.0, 5.0), (2.0, 4.0, 3.0)]);
        let since = later.since(&earlier).unwrap();
        assert_eq!(since.count, 4.0);
        assert_eq!(since.buckets.iter().map(|bucket| bucket.count).collect::<Vec<_>>(), [1.0, 3.0]);
        assert_eq!(earlier.since(&later).unwrap(), earlier);
        let wider = histogram(BucketLayout::Exponential, &[(1.0, 4.0, 9.0)]);
        assert_eq!(wider.since(&later), None);
    }

    #[test]
    fn a_scale_says_how_fine_the_buckets_are() {
        let bounds =
            |scale| exponential_buckets(scale, None, &[], &[(2, 1.0)], &Limits::default()).unwrap()[0];
        assert_eq!((bounds(0).lower, bounds(0).upper), (4.0, 8.0));
        assert_eq!((bounds(-1).lower, bounds(-1).upper), (16.0, 64.0));
        assert!((bounds(1).lower - 2.0).abs() < 1e-12 && (bounds(1).upper - 8f64.sqrt()).abs() < 1e-12);
        assert!(exponential_buckets(99, None, &[], &[], &Limits::default()).is_err());
    }
}
