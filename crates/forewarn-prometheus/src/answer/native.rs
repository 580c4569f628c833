//! Native histograms, of which an answer lists the buckets with observations.

use serde::{Deserialize, Deserializer};

use super::point::{Number, Seconds};
use crate::{Bucket, BucketLayout, NativeHistogram};

#[derive(Deserialize)]
struct Histogram {
    count: Number,
    sum: Number,
    #[serde(default)]
    buckets: Vec<(u8, Number, Number, Number)>,
}

/// A time and a native histogram.
pub(super) struct NativePoint(pub(super) NativeHistogram);

impl<'de> Deserialize<'de> for NativePoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (Seconds(time), histogram) = <(Seconds, Histogram)>::deserialize(deserializer)?;
        // Which bound belongs to a bucket is the first item; no quantile depends on it.
        let bucket = |(_, Number(lower), Number(upper), Number(count))| Bucket { lower, upper, count };
        let mut buckets: Vec<Bucket> = histogram.buckets.into_iter().map(bucket).collect();
        buckets.sort_by(|a, b| a.lower.total_cmp(&b.lower));
        // Exponential buckets have finite bounds but for the last of all.
        let chosen = buckets.first().is_some_and(|first| first.lower == f64::NEG_INFINITY);
        let layout = if chosen { BucketLayout::Custom } else { BucketLayout::Exponential };
        let (Number(count), Number(sum)) = (histogram.count, histogram.sum);
        Ok(Self(NativeHistogram { time, count, sum, layout, buckets }))
    }
}
