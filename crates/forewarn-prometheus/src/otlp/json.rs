//! OTLP in JSON: names in lowerCamelCase, integers of 64 bits as text, enumerations as numbers.

use serde::{Deserialize, Deserializer};

use super::OtlpMetrics;
use super::collect::{Collector, ServiceName};
use super::message::{Common, ExponentialPoint, HistogramPoint, KeyValue, NumberPoint, SummaryPoint};
use super::point::{GaugePoint, Point};
use crate::{Limits, PrometheusError, text};

/// Bytes of JSON for each object, at least: `{"asInt":"1"}` has more. Smaller objects are no metrics, and would take
/// memory out of proportion.
const BYTES_AN_OBJECT: usize = 8;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Export {
    #[serde(default)]
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ResourceMetrics {
    resource: Resource,
    scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    attributes: Vec<KeyValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ScopeMetrics {
    metrics: Vec<Metric>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metric {
    name: String,
    unit: String,
    gauge: Option<Data<GaugePoint>>,
    sum: Option<Data<NumberPoint>>,
    histogram: Option<Data<HistogramPoint>>,
    exponential_histogram: Option<Data<ExponentialPoint>>,
    summary: Option<Data<SummaryPoint>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "P: Deserialize<'de>")]
struct Data<P> {
    #[serde(default = "Vec::new")]
    data_points: Vec<P>,
    #[serde(default, deserialize_with = "temporality")]
    aggregation_temporality: u64,
    #[serde(default)]
    is_monotonic: bool,
}

impl<P: Point> Data<P> {
    fn take(&self, collector: &mut Collector<'_>) {
        let Self { aggregation_temporality, is_monotonic, .. } = *self;
        for point in &self.data_points {
            if collector.has_room() {
                collector.take(point, Common { aggregation_temporality, is_monotonic });
            }
        }
    }
}

pub(super) fn read(body: &[u8], limits: &Limits) -> Result<OtlpMetrics, PrometheusError> {
    let objects = body.iter().filter(|&&byte| byte == b'{').count();
    if objects > body.len() / BYTES_AN_OBJECT + 8 {
        let reason = format!("{objects} objects in {} bytes are no metrics", body.len());
        return Err(PrometheusError::OtlpJson { reason });
    }
    let export: Export = serde_json::from_slice(body)
        .map_err(|error| PrometheusError::OtlpJson { reason: text::quoted(&error.to_string()) })?;
    let mut collector = Collector::new(limits);
    for resource in &export.resource_metrics {
        let mut name = ServiceName::default();
        resource.resource.attributes.iter().for_each(|attribute| name.attribute(attribute));
        let service = name.joined(limits);
        for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
            if let Some(data) = &metric.gauge {
                data.take(&mut collector);
            }
            if let Some(data) = &metric.sum {
                data.take(&mut collector);
            }
            if let Some(data) = &metric.histogram {
                data.take(&mut collector);
            }
            if let Some(data) = &metric.exponential_histogram {
                data.take(&mut collector);
            }
            if let Some(data) = &metric.summary {
                data.take(&mut collector);
            }
            collector.metric(service.as_ref(), &metric.name, &metric.unit);
        }
    }
    Ok(collector.all)
}

/// A temporality by its number; some senders write its name.
pub(super) fn temporality<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Name(String),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Number(number) => number,
        Either::Name(name) => match name.as_str() {
            "AGGREGATION_TEMPORALITY_DELTA" => 1,
            "AGGREGATION_TEMPORALITY_CUMULATIVE" => 2,
            _ => 0,
        },
    })
}
