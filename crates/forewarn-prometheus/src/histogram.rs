//! Quantiles of histograms, as Prometheus computes them.

mod classic;
mod native;

pub use classic::{ClassicBucket, highest_finite_bound, histogram_quantile};
pub(crate) use native::exponential_buckets;
pub use native::{Bucket, BucketLayout, NativeHistogram};
