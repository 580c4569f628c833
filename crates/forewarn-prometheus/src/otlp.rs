//! OTLP metrics, as `POST /v1/metrics` carries them in protobuf or in JSON.

mod collect;
mod json;
mod message;
mod number;
mod point;
mod protobuf;

use std::sync::Arc;

use forewarn_schema::Timestamp;

use crate::{Labels, Limits, NativeHistogram, PrometheusError};

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtlpEncoding {
    /// `application/x-protobuf`.
    #[default]
    Protobuf,
    /// `application/json`.
    Json,
}

impl OtlpEncoding {
    /// The encoding that a `Content-Type` names; `None` for another, which is answered with 415.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| media.eq_ignore_ascii_case(name);
        match () {
            () if is("application/x-protobuf") => Some(Self::Protobuf),
            () if is("application/json") => Some(Self::Json),
            () => None,
        }
    }
}

/// What was exported, as far as it can be taken.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct OtlpMetrics {
    /// Metrics that have points, in the sender's order.
    pub metrics: Vec<OtlpMetric>,
    /// What was refused, by reason.
    pub refused: RefusedPoints,
}

/// One metric of one resource.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OtlpMetric {
    /// The service: `service.namespace/service.name` of the resource, or `service.name` where it has no namespace, as
    /// Prometheus makes its label `job`. `None` where the resource has no name, or the `unknown_service` that a library
    /// makes up.
    pub service: Option<Arc<str>>,
    /// Its name, such as `http.server.request.duration`.
    pub name: String,
    /// Its unit in UCUM, such as `s`, `By`, `{request}`.
    pub unit: String,
    /// Its points, each with the attributes of its series.
    pub points: Vec<OtlpPoint>,
}

/// One point of a series.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OtlpPoint {
    /// The attributes that tell series of a metric apart.
    pub attributes: Labels,
    /// When.
    pub time: Timestamp,
    /// Since when a sum or histogram counts, where the sender says so.
    pub start: Option<Timestamp>,
    /// What was measured.
    pub value: OtlpValue,
}

/// What a sum or histogram counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temporality {
    /// From the start of the process: increments are differences, see [`CounterState`](crate::CounterState) and
    /// [`NativeHistogram::since`].
    Cumulative,
    /// From the point before: it is an increment.
    Delta,
}

/// What a point holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OtlpValue {
    /// A level.
    Gauge(f64),
    /// A sum.
    Sum {
        /// Its value.
        value: f64,
        /// What it counts from.
        temporality: Temporality,
        /// Whether it never falls but at a reset.
        is_monotonic: bool,
    },
    /// A histogram of either sort, for [`NativeHistogram::quantile`].
    Histogram {
        /// Its buckets.
        histogram: NativeHistogram,
        /// What it counts from.
        temporality: Temporality,
    },
    /// Quantiles that the program has computed, which cannot be joined over its instances.
    Summary {
        /// Observations since the start.
        count: f64,
        /// Their sum.
        sum: f64,
        /// Quantile, 0 to 1, and value.
        quantiles: Vec<(f64, f64)>,
    },
    /// The sender says that there is none: what the stale marker is to Prometheus.
    NoRecordedValue,
}

/// What of an export was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedPoints {
    /// Points beyond the limit of a request.
    pub over_limit: u64,
    /// Points with more attributes, or bytes of them, than the limits allow, or with one that comes twice.
    pub wrong_attributes: u64,
    /// Points without a time or at one that is in no calendar.
    pub out_of_time: u64,
    /// Points without a value, histograms whose parts contradict each other, sums without temporality.
    pub wrong_values: u64,
    /// Attributes that are lists or maps: left out of the point, which is taken.
    pub structured_attributes: u64,
    /// The first reason, for the answer.
    pub first: Option<PrometheusError>,
}

impl RefusedPoints {
    /// Points that should have been taken and were not: the `rejectedDataPoints` of a partial success.
    #[must_use]
    pub fn points(&self) -> u64 {
        self.over_limit + self.wrong_attributes + self.out_of_time + self.wrong_values
    }

    fn count(&mut self, error: PrometheusError) {
        *match &error {
            PrometheusError::Limit { setting: "max_samples", .. } => &mut self.over_limit,
            PrometheusError::Limit { setting: "max_labels" | "max_label_bytes", .. }
            | PrometheusError::DuplicateLabel { .. }
            | PrometheusError::EmptyLabelName { .. } => &mut self.wrong_attributes,
            PrometheusError::Time { .. } => &mut self.out_of_time,
            _ => &mut self.wrong_values,
        } += 1;
        self.first.get_or_insert(error);
    }
}

/// Reads the body of an export. Points that cannot be taken are left out and counted.
///
/// # Errors
/// [`PrometheusError::Protobuf`], [`PrometheusError::OtlpJson`], and [`PrometheusError::Limit`] for more bytes than
/// allowed: nothing of the body can be taken.
pub fn read_otlp(
    body: &[u8],
    encoding: OtlpEncoding,
    limits: &Limits,
) -> Result<OtlpMetrics, PrometheusError> {
    limits.bytes(body.len())?;
    match encoding {
        OtlpEncoding::Protobuf => protobuf::read(body, limits),
        OtlpEncoding::Json => json::read(body, limits),
    }
}

#[cfg(test)]
mod tests;
