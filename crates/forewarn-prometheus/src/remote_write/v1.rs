//! `prometheus.WriteRequest`.

use super::message::{Label, MetricMetadata, Sample};
use super::{FamilyMetadata, WriteRequest, native};
use crate::wire::{self, Payload, fields};
use crate::{FamilyKind, Labels, Limits, PrometheusError, Series, sample};

const MESSAGE: &str = "prometheus.WriteRequest";

pub(super) fn read(message: &[u8], limits: &Limits) -> Result<WriteRequest, PrometheusError> {
    let mut request = WriteRequest::default();
    let mut budget = Budget::new(limits);
    for field in fields(MESSAGE, message) {
        match field? {
            (1, Payload::Bytes(bytes)) => {
                let parts = Parts::of(bytes, limits)?;
                let labels = parts.labels(limits);
                budget.series(labels, &parts, &mut request)?;
            }
            (3, Payload::Bytes(bytes)) => {
                let metadata: MetricMetadata = wire::decode("MetricMetadata", bytes)?;
                if !metadata.family.is_empty() && request.metadata.len() < limits.max_series {
                    let MetricMetadata { kind, family, help, unit } = metadata;
                    request.metadata.push(FamilyMetadata { family, kind: kind_of(kind), help, unit });
                }
            }
            _ => {}
        }
    }
    Ok(request)
}

/// Kinds by their numbers, which are the same in both versions.
pub(super) fn kind_of(number: i32) -> FamilyKind {
    match number {
        1 => FamilyKind::Counter,
        2 => FamilyKind::Gauge,
        3 => FamilyKind::Histogram,
        4 => FamilyKind::GaugeHistogram,
        5 => FamilyKind::Summary,
        6 => FamilyKind::Info,
        7 => FamilyKind::StateSet,
        _ => FamilyKind::Unknown,
    }
}

/// What is left of a request's limits.
pub(super) struct Budget<'a> {
    limits: &'a Limits,
    series: usize,
    samples: usize,
}

/// Where a series' samples lie.
pub(super) struct Parts<'a> {
    label_count: usize,
    labels: Vec<&'a [u8]>,
    samples: Vec<&'a [u8]>,
    histograms: Vec<&'a [u8]>,
    exemplars: u64,
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8], limits: &Limits) -> Result<Self, PrometheusError> {
        let mut parts = Self::empty();
        for field in fields("TimeSeries", bytes) {
            match field? {
                (1, Payload::Bytes(label)) => {
                    parts.label_count += 1;
                    if parts.label_count <= limits.max_labels {
                        parts.labels.push(label);
                    }
                }
                (2, Payload::Bytes(sample)) => parts.samples.push(sample),
                (3, Payload::Bytes(_)) => parts.exemplars += 1,
                (4, Payload::Bytes(histogram)) => parts.histograms.push(histogram),
                _ => {}
            }
        }
        Ok(parts)
    }

    pub(super) fn empty() -> Self {
        Self { label_count: 0, labels: Vec::new(), samples: Vec::new(), histograms: Vec::new(), exemplars: 0 }
    }

    pub(super) fn sample(&mut self, sample: &'a [u8]) {
        self.samples.push(sample);
    }

    pub(super) fn histogram(&mut self, histogram: &'a [u8]) {
        self.histograms.push(histogram);
    }

    pub(super) fn exemplar(&mut self) {
        self.exemplars += 1;
    }

    fn labels(&self, limits: &Limits) -> Result<Labels, PrometheusError> {
        limits.labels(self.label_count)?;
        limits.label_bytes(self.labels.iter().map(|label| label.len()).sum())?;
        let labels: Result<Vec<Label>, PrometheusError> =
            self.labels.iter().map(|label| wire::decode("Label", label)).collect();
        Labels::new(labels?.into_iter().map(|Label { name, value }| (name, value)))
    }
}

impl<'a> Budget<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, series: 0, samples: 0 }
    }

    /// Takes a series, or counts why not.
    pub(super) fn series(
        &mut self,
        labels: Result<Labels, PrometheusError>,
        parts: &Parts<'_>,
        request: &mut WriteRequest,
    ) -> Result<(), PrometheusError> {
        let refused = &mut request.refused;
        refused.exemplars += parts.exemplars;
        let labels = labels.and_then(named).and_then(|labels| {
            self.limits.series(self.series + 1)?;
            Ok(labels)
        });
        let labels = match labels {
            Ok(labels) => labels,
            Err(error) => {
                refused.series(error, (parts.samples.len() + parts.histograms.len()) as u64);
                return Ok(());
            }
        };
        self.series += 1;
        let mut one = Series { labels, ..Series::default() };
        for bytes in &parts.samples {
            let Sample { value, timestamp } = wire::decode("Sample", bytes)?;
            let time = self.one_more().and_then(|()| sample::time(timestamp));
            match time {
                Ok(time) => one.samples.push(crate::Sample { time, value }),
                Err(error) => refused.sample(error),
            }
        }
        for bytes in &parts.histograms {
            match self.histogram(bytes) {
                Ok(histogram) => one.histograms.push(histogram),
                Err(error @ PrometheusError::Protobuf { .. }) => return Err(error),
                Err(error) => refused.sample(error),
            }
        }
        if !one.samples.is_empty() || !one.histograms.is_empty() {
            request.series.push(one);
        }
        Ok(())
    }

    fn histogram(&mut self, bytes: &[u8]) -> Result<crate::NativeHistogram, PrometheusError> {
        self.one_more()?;
        native::read(bytes, self.limits)
    }

    fn one_more(&mut self) -> Result<(), PrometheusError> {
        self.limits.samples(self.samples + 1)?;
        self.samples += 1;
        Ok(())
    }
}

/// Labels of which one is the name.
fn named(labels: Labels) -> Result<Labels, PrometheusError> {
    if labels.name().is_some() {
        return Ok(labels);
    }
    let reason = format!("the series {} has no label __name__", crate::text::quoted(&labels.to_string()));
    Err(PrometheusError::Protobuf { message: "TimeSeries", reason })
}
