//! What both encodings do with what they have read.

use std::sync::Arc;

use super::message::{Common, KeyValue};
use super::point::{Point, plain, point};
use super::{OtlpMetric, OtlpMetrics, OtlpPoint};
use crate::{Limits, PrometheusError};

/// Begins the name that a library gives a service that was not configured.
const MADE_UP: &str = "unknown_service";

/// The service's name, attribute by attribute.
#[derive(Default)]
pub(super) struct ServiceName {
    name: Option<String>,
    namespace: Option<String>,
}

impl ServiceName {
    pub(super) fn attribute(&mut self, attribute: &KeyValue) {
        let value = || attribute.value.as_ref().and_then(plain).filter(|value| !value.is_empty());
        match attribute.key.as_str() {
            "service.name" => self.name = value().filter(|name| !name.starts_with(MADE_UP)),
            "service.namespace" => self.namespace = value(),
            _ => {}
        }
    }

    pub(super) fn joined(self, limits: &Limits) -> Option<Arc<str>> {
        let name = self.name?;
        let joined = self.namespace.map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}"));
        (joined.len() <= limits.max_label_bytes).then(|| joined.into())
    }
}

/// Points are taken one by one, so that a limit holds before the next is decoded.
pub(super) struct Collector<'a> {
    limits: &'a Limits,
    taken: usize,
    pub(super) all: OtlpMetrics,
    points: Vec<OtlpPoint>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, taken: 0, all: OtlpMetrics::default(), points: Vec::new() }
    }

    /// Whether one more point may be taken; counts it as refused if not.
    pub(super) fn has_room(&mut self) -> bool {
        match self.limits.samples(self.taken + 1) {
            Ok(()) => true,
            Err(error) => {
                self.refuse(error);
                false
            }
        }
    }

    pub(super) fn refuse(&mut self, error: PrometheusError) {
        self.all.refused.count(error);
    }

    pub(super) fn take<P: Point>(&mut self, message: &P, common: Common) {
        match point(message, common, self.limits) {
            Ok((point, structured)) => {
                self.taken += 1;
                self.all.refused.structured_attributes += structured;
                self.points.push(point);
            }
            Err(error) => self.refuse(error),
        }
    }

    /// Ends a metric, whose points are those that came since the one before.
    pub(super) fn metric(&mut self, service: Option<&Arc<str>>, name: &str, unit: &str) {
        let points = std::mem::take(&mut self.points);
        if points.is_empty() {
            return;
        }
        let (name, unit) = (name.to_owned(), unit.to_owned());
        self.all.metrics.push(OtlpMetric { service: service.cloned(), name, unit, points });
    }
}
