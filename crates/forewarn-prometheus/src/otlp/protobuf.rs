//! `ExportMetricsServiceRequest`, walked field by field down to its points: each is decoded alone, after what it holds
//! has been counted.

use std::sync::Arc;

use super::OtlpMetrics;
use super::collect::{Collector, ServiceName};
use super::message::{Common, ExponentialPoint, HistogramPoint, KeyValue, NumberPoint, SummaryPoint};
use super::point::{GaugePoint, Point};
use crate::wire::{self, Payload, fields};
use crate::{Limits, PrometheusError};

pub(super) fn read(body: &[u8], limits: &Limits) -> Result<OtlpMetrics, PrometheusError> {
    let mut collector = Collector::new(limits);
    for field in fields("ExportMetricsServiceRequest", body) {
        if let (1, Payload::Bytes(resource_metrics)) = field? {
            read_resource(resource_metrics, limits, &mut collector)?;
        }
    }
    Ok(collector.all)
}

fn read_resource(
    bytes: &[u8],
    limits: &Limits,
    collector: &mut Collector<'_>,
) -> Result<(), PrometheusError> {
    // Fields may come in any order: the resource first.
    let mut name = ServiceName::default();
    for field in fields("ResourceMetrics", bytes) {
        let (1, Payload::Bytes(resource)) = field? else { continue };
        for field in fields("Resource", resource) {
            if let (1, Payload::Bytes(attribute)) = field? {
                name.attribute(&wire::decode::<KeyValue>("KeyValue", attribute)?);
            }
        }
    }
    let service = name.joined(limits);
    for field in fields("ResourceMetrics", bytes) {
        let (2, Payload::Bytes(scope_metrics)) = field? else { continue };
        for field in fields("ScopeMetrics", scope_metrics) {
            if let (2, Payload::Bytes(metric)) = field? {
                read_metric(metric, service.as_ref(), limits, collector)?;
            }
        }
    }
    Ok(())
}

fn read_metric(
    bytes: &[u8],
    service: Option<&Arc<str>>,
    limits: &Limits,
    collector: &mut Collector<'_>,
) -> Result<(), PrometheusError> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| wire::invalid("Metric", "a name is not UTF-8"));
    let (mut name, mut unit) = ("", "");
    for field in fields("Metric", bytes) {
        match field? {
            (1, Payload::Bytes(bytes)) => name = text(bytes)?,
            (3, Payload::Bytes(bytes)) => unit = text(bytes)?,
            (5, Payload::Bytes(data)) => read_points(data, 7, limits, collector, |bytes| {
                wire::decode::<NumberPoint>(GaugePoint::MESSAGE, bytes).map(GaugePoint)
            })?,
            (7, Payload::Bytes(data)) => {
                read_points(data, 7, limits, collector, |bytes| {
                    wire::decode::<NumberPoint>(NumberPoint::MESSAGE, bytes)
                })?;
            }
            (9, Payload::Bytes(data)) => {
                read_points(data, 9, limits, collector, |bytes| {
                    wire::decode::<HistogramPoint>(HistogramPoint::MESSAGE, bytes)
                })?;
            }
            (10, Payload::Bytes(data)) => {
                read_points(data, 1, limits, collector, |bytes| {
                    wire::decode::<ExponentialPoint>(ExponentialPoint::MESSAGE, bytes)
                })?;
            }
            (11, Payload::Bytes(data)) => {
                read_points(data, 7, limits, collector, |bytes| {
                    wire::decode::<SummaryPoint>(SummaryPoint::MESSAGE, bytes)
                })?;
            }
            _ => {}
        }
    }
    collector.metric(service, name, unit);
    Ok(())
}

/// Reads the points of a gauge, sum, histogram or summary. `attributes` is the field number of a point's attributes.
fn read_points<P: Point>(
    data: &[u8],
    attributes: u32,
    limits: &Limits,
    collector: &mut Collector<'_>,
    decode: impl Fn(&[u8]) -> Result<P, PrometheusError>,
) -> Result<(), PrometheusError> {
    let mut common = Common::default();
    for field in fields("metric data", data) {
        match field? {
            (2, Payload::Varint(temporality)) => common.aggregation_temporality = temporality,
            (3, Payload::Varint(is_monotonic)) => common.is_monotonic = is_monotonic != 0,
            _ => {}
        }
    }
    for field in fields("metric data", data) {
        let (1, Payload::Bytes(bytes)) = field? else { continue };
        if !collector.has_room() {
            continue;
        }
        let mut count = 0;
        for field in fields(P::MESSAGE, bytes) {
            count += usize::from(field?.0 == attributes);
        }
        // More attributes are not decoded, only counted.
        match limits.labels(count) {
            Ok(()) => collector.take(&decode(bytes)?, common),
            Err(error) => collector.refuse(error),
        }
    }
    Ok(())
}
