//! Native histograms: spans of buckets, in which counts are written as differences or as they are.

use super::message::{BucketSpan, Histogram};
use crate::histogram::exponential_buckets;
use crate::wire::{self, Payload, fields};
use crate::{Bucket, BucketLayout, Limits, NativeHistogram, PrometheusError, sample};

/// Schema of bounds that people have chosen.
const CUSTOM: i32 = -53;

/// Most bytes that a bucket takes: a difference and a span of its own.
const BYTES_A_BUCKET: usize = 40;

/// Reads a histogram, counting its spans before they are decoded.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<NativeHistogram, PrometheusError> {
    const MESSAGE: &str = "Histogram";
    // Packed differences take a byte and become eight.
    if bytes.len() > limits.max_buckets.saturating_mul(BYTES_A_BUCKET).saturating_add(256) {
        limits.buckets(bytes.len() / 2)?;
    }
    let mut spans = 0;
    for field in fields(MESSAGE, bytes) {
        spans += usize::from(matches!(field?, (8 | 11, Payload::Bytes(_))));
    }
    limits.buckets(spans)?;
    let histogram: Histogram = wire::decode(MESSAGE, bytes)?;
    let time = sample::time(histogram.timestamp)?;
    let positive =
        indexed(&histogram.positive_spans, &histogram.positive_deltas, &histogram.positive_counts, limits)?;
    let negative =
        indexed(&histogram.negative_spans, &histogram.negative_deltas, &histogram.negative_counts, limits)?;
    let (layout, buckets) = if histogram.schema == CUSTOM {
        (BucketLayout::Custom, custom(&histogram.custom_values, &positive)?)
    } else if (-4..=8).contains(&histogram.schema) {
        let zero_count =
            histogram.zero_count_float.or(histogram.zero_count_int.map(|count| count as f64)).unwrap_or(0.0);
        let threshold = histogram.zero_threshold;
        let zero = Bucket { lower: -threshold, upper: threshold, count: zero_count };
        // A bucket's number is that of its upper bound here, and of its lower bound in OTLP.
        let below = |buckets: Vec<(i64, f64)>| -> Vec<(i64, f64)> {
            buckets.into_iter().map(|(index, count)| (index - 1, count)).collect()
        };
        let (negative, positive) = (below(negative), below(positive));
        let buckets = exponential_buckets(histogram.schema, Some(zero), &negative, &positive, limits)?;
        (BucketLayout::Exponential, buckets)
    } else {
        return Err(wrong(format!("has the schema {}, expected -4 to 8 or -53", histogram.schema)));
    };
    // A count of zero is written, since it is a choice of two.
    let count = histogram.count_float.or(histogram.count_int.map(|count| count as f64));
    let count = count.ok_or_else(|| wrong("has no count".to_owned()))?;
    Ok(NativeHistogram { time, count, sum: histogram.sum, layout, buckets })
}

fn wrong(reason: String) -> PrometheusError {
    PrometheusError::Histogram { reason }
}

/// Number and count of each bucket.
fn indexed(
    spans: &[BucketSpan],
    deltas: &[i64],
    counts: &[f64],
    limits: &Limits,
) -> Result<Vec<(i64, f64)>, PrometheusError> {
    let declared: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
    limits.buckets(usize::try_from(declared).unwrap_or(usize::MAX))?;
    let given = if counts.is_empty() { deltas.len() } else { counts.len() };
    if declared != given as u64 {
        return Err(wrong(format!("has spans of {declared} buckets and counts of {given}")));
    }
    let mut running = 0i64;
    let mut summed = deltas.iter().map(|&delta| {
        running = running.saturating_add(delta);
        running as f64
    });
    let mut plain = counts.iter().copied();
    let mut index = 0i64;
    let mut buckets = Vec::with_capacity(given);
    for span in spans {
        index += i64::from(span.offset);
        for _ in 0..span.length {
            let count = if counts.is_empty() { summed.next() } else { plain.next() };
            buckets.push((index, count.unwrap_or(0.0)));
            index += 1;
        }
    }
    if let Some(&(index, count)) = buckets.iter().find(|(_, count)| !count.is_nan() && *count < 0.0) {
        return Err(wrong(format!("has {count} observations in bucket {index}")));
    }
    if buckets.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err(wrong("has spans that overlap".to_owned()));
    }
    Ok(buckets)
}

/// Buckets between bounds that were chosen.
fn custom(bounds: &[f64], indexed: &[(i64, f64)]) -> Result<Vec<Bucket>, PrometheusError> {
    if bounds.iter().any(|bound| bound.is_nan()) || bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(wrong("has bounds that do not ascend".to_owned()));
    }
    let bucket = |&(index, count): &(i64, f64)| {
        let index = usize::try_from(index).ok().filter(|&index| index <= bounds.len());
        let index =
            index.ok_or_else(|| wrong(format!("has {} bounds and a bucket beyond them", bounds.len())))?;
        let lower = index.checked_sub(1).map_or(f64::NEG_INFINITY, |below| bounds[below]);
        let upper = bounds.get(index).copied().unwrap_or(f64::INFINITY);
        Ok(Bucket { lower, upper, count })
    };
    let buckets: Result<Vec<Bucket>, PrometheusError> = indexed.iter().map(bucket).collect();
    Ok(buckets?.into_iter().filter(|bucket| bucket.count != 0.0).collect())
}
