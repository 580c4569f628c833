//! From a message to a point.

use forewarn_schema::Timestamp;

use super::message::{
    AnyValue, Buckets, Common, ExponentialPoint, HistogramPoint, KeyValue, NumberPoint, SummaryPoint,
};
use super::{OtlpPoint, OtlpValue, Temporality};
use crate::histogram::exponential_buckets;
use crate::{Bucket, BucketLayout, Labels, Limits, NativeHistogram, PrometheusError, sample};

/// The bit of a point's flags that says that there is no value.
const NO_RECORDED_VALUE: u32 = 1;

/// A point of any of the messages.
pub(super) trait Point {
    /// Name of the message.
    const MESSAGE: &'static str;

    /// Attributes, start, time and flags.
    fn frame(&self) -> (&[KeyValue], u64, u64, u32);

    /// What was measured at `time`.
    fn value(&self, common: Common, time: Timestamp, limits: &Limits) -> Result<OtlpValue, PrometheusError>;
}

/// A point, and how many of its attributes were lists or maps.
pub(super) fn point<P: Point>(
    message: &P,
    common: Common,
    limits: &Limits,
) -> Result<(OtlpPoint, u64), PrometheusError> {
    let (attributes, start, time, flags) = message.frame();
    limits.labels(attributes.len())?;
    let mut structured = 0;
    let mut pairs = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        match attribute.value.as_ref().map(plain) {
            Some(Some(value)) => pairs.push((attribute.key.clone(), value)),
            Some(None) => structured += 1,
            None => pairs.push((attribute.key.clone(), String::new())),
        }
    }
    limits.label_bytes(pairs.iter().map(|(key, value)| key.len() + value.len()).sum())?;
    let attributes = Labels::new(pairs)?;
    if time == 0 {
        return Err(wrong("has no time".to_owned()));
    }
    let time = millis(time)?;
    let start = if start == 0 { None } else { Some(millis(start)?) };
    let value = if flags & NO_RECORDED_VALUE == 1 {
        OtlpValue::NoRecordedValue
    } else {
        message.value(common, time, limits)?
    };
    Ok((OtlpPoint { attributes, time, start, value }, structured))
}

/// A value as text; `None` for a list, a map or bytes.
pub(super) fn plain(value: &AnyValue) -> Option<String> {
    let AnyValue { string_value, bool_value, int_value, double_value } = value;
    let number = || int_value.map(|n| n.to_string()).or_else(|| double_value.map(|n| n.to_string()));
    string_value.clone().or_else(|| bool_value.map(|b| b.to_string())).or_else(number)
}

fn millis(nanos: u64) -> Result<Timestamp, PrometheusError> {
    sample::time(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX))
}

fn wrong(reason: String) -> PrometheusError {
    PrometheusError::Protobuf { message: "data point", reason }
}

fn temporality(common: Common) -> Result<Temporality, PrometheusError> {
    match common.aggregation_temporality {
        1 => Ok(Temporality::Delta),
        2 => Ok(Temporality::Cumulative),
        _ => Err(wrong("has no aggregation temporality".to_owned())),
    }
}

impl NumberPoint {
    fn number(&self) -> Result<f64, PrometheusError> {
        let number = self.as_double.or(self.as_int.map(|value| value as f64));
        number.ok_or_else(|| wrong("has no value".to_owned()))
    }
}

/// A point of a gauge, which is the same message as that of a sum.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct GaugePoint(pub(super) NumberPoint);

impl Point for GaugePoint {
    const MESSAGE: &'static str = "NumberDataPoint";

    fn frame(&self) -> (&[KeyValue], u64, u64, u32) {
        self.0.frame()
    }

    fn value(&self, _: Common, _: Timestamp, _: &Limits) -> Result<OtlpValue, PrometheusError> {
        self.0.number().map(OtlpValue::Gauge)
    }
}

impl Point for NumberPoint {
    const MESSAGE: &'static str = "NumberDataPoint";

    fn frame(&self) -> (&[KeyValue], u64, u64, u32) {
        (&self.attributes, self.start_time_unix_nano, self.time_unix_nano, self.flags)
    }

    fn value(&self, common: Common, _: Timestamp, _: &Limits) -> Result<OtlpValue, PrometheusError> {
        let (value, temporality) = (self.number()?, temporality(common)?);
        Ok(OtlpValue::Sum { value, temporality, is_monotonic: common.is_monotonic })
    }
}

impl Point for HistogramPoint {
    const MESSAGE: &'static str = "HistogramDataPoint";

    fn frame(&self) -> (&[KeyValue], u64, u64, u32) {
        (&self.attributes, self.start_time_unix_nano, self.time_unix_nano, self.flags)
    }

    fn value(&self, common: Common, time: Timestamp, limits: &Limits) -> Result<OtlpValue, PrometheusError> {
        let (bounds, counts) = (&self.explicit_bounds, &self.bucket_counts);
        limits.buckets(counts.len().max(bounds.len()))?;
        let contradicts = |reason: String| Err(PrometheusError::Histogram { reason });
        // Without buckets it has a count and a sum only.
        if !counts.is_empty() && counts.len() != bounds.len() + 1 {
            return contradicts(format!("has {} bounds and {} counts", bounds.len(), counts.len()));
        }
        if bounds.iter().any(|bound| bound.is_nan()) || bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
            return contradicts("has bounds that do not ascend".to_owned());
        }
        let lower = std::iter::once(f64::NEG_INFINITY).chain(bounds.iter().copied());
        let upper = bounds.iter().copied().chain(std::iter::once(f64::INFINITY));
        let buckets = lower.zip(upper).zip(counts).filter(|(_, count)| **count > 0);
        let buckets = buckets.map(|((lower, upper), &count)| Bucket { lower, upper, count: count as f64 });
        let (count, sum, layout) = (self.count as f64, self.sum.unwrap_or(f64::NAN), BucketLayout::Custom);
        let histogram = NativeHistogram { time, count, sum, layout, buckets: buckets.collect() };
        Ok(OtlpValue::Histogram { histogram, temporality: temporality(common)? })
    }
}

impl Point for ExponentialPoint {
    const MESSAGE: &'static str = "ExponentialHistogramDataPoint";

    fn frame(&self) -> (&[KeyValue], u64, u64, u32) {
        (&self.attributes, self.start_time_unix_nano, self.time_unix_nano, self.flags)
    }

    fn value(&self, common: Common, time: Timestamp, limits: &Limits) -> Result<OtlpValue, PrometheusError> {
        let side = |buckets: &Option<Buckets>| {
            let Some(Buckets { offset, bucket_counts }) = buckets else { return Ok(Vec::new()) };
            limits.buckets(bucket_counts.len())?;
            Ok((i64::from(*offset)..).zip(bucket_counts.iter().map(|&count| count as f64)).collect())
        };
        let (negative, positive) = (side(&self.negative)?, side(&self.positive)?);
        let threshold = self.zero_threshold;
        let zero = Bucket { lower: -threshold, upper: threshold, count: self.zero_count as f64 };
        let buckets = exponential_buckets(self.scale, Some(zero), &negative, &positive, limits)?;
        let (count, sum, layout) =
            (self.count as f64, self.sum.unwrap_or(f64::NAN), BucketLayout::Exponential);
        let histogram = NativeHistogram { time, count, sum, layout, buckets };
        Ok(OtlpValue::Histogram { histogram, temporality: temporality(common)? })
    }
}

impl Point for SummaryPoint {
    const MESSAGE: &'static str = "SummaryDataPoint";

    fn frame(&self) -> (&[KeyValue], u64, u64, u32) {
        (&self.attributes, self.start_time_unix_nano, self.time_unix_nano, self.flags)
    }

    fn value(&self, _: Common, _: Timestamp, limits: &Limits) -> Result<OtlpValue, PrometheusError> {
        limits.buckets(self.quantile_values.len())?;
        let quantiles = self.quantile_values.iter().map(|one| (one.quantile, one.value)).collect();
        Ok(OtlpValue::Summary { count: self.count as f64, sum: self.sum, quantiles })
    }
}
