//! From a series to a service, and to a metric of a schema.

use std::collections::{BTreeMap, BTreeSet};

use forewarn_schema::{RawSample, Schema};
use serde::{Deserialize, Serialize};

use crate::{Labels, PrometheusError, Series, text};

/// How a series' labels name its service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLabels {
    /// Labels whose values, joined by `/`, are the name: `["namespace", "workload"]` makes `shop/checkout-v2`. Every
    /// one of them must be there.
    pub labels: Vec<String>,
    /// From names as the labels have them to the services' own: how workloads are joined with what HTTP metrics call
    /// the same service. Where there is a map, a name that is not in it is no service. Default: none, names are as
    /// they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<BTreeMap<String, String>>,
}

/// Which service a series belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceOf {
    /// This one.
    Service(String),
    /// One of the labels is missing.
    NoLabel,
    /// The labels make this name, which the map of names lacks.
    NotMapped(String),
}

impl ServiceLabels {
    /// Names that are the values of these labels, joined by `/`.
    #[must_use]
    pub fn new<L: Into<String>>(labels: impl IntoIterator<Item = L>) -> Self {
        Self { labels: labels.into_iter().map(Into::into).collect(), names: None }
    }

    /// Takes names through a map, and none that is not in it.
    #[must_use]
    pub fn with_names(self, names: BTreeMap<String, String>) -> Self {
        Self { names: Some(names), ..self }
    }

    /// The service of a series.
    #[must_use]
    pub fn service_of(&self, labels: &Labels) -> ServiceOf {
        let values: Option<Vec<&str>> = self.labels.iter().map(|label| labels.get(label)).collect();
        let name = match values {
            Some(values) if !values.is_empty() => values.join("/"),
            _ => return ServiceOf::NoLabel,
        };
        match &self.names {
            None => ServiceOf::Service(name),
            Some(names) => match names.get(&name) {
                Some(service) => ServiceOf::Service(service.clone()),
                None => ServiceOf::NotMapped(name),
            },
        }
    }
}

/// Samples of a service, and what was left out on the way to them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Placed {
    /// Samples by service, in order of the services' names; those of one service in order of time.
    pub services: BTreeMap<String, Vec<RawSample>>,
    /// What a share is a share of, by service, where a recipe says so by the label `basis`: a pod's CPU `limit`, its
    /// `request`, or the `node`.
    pub basis: BTreeMap<String, BTreeSet<String>>,
    /// What was left out.
    pub left_out: PlacedLeftOut,
}

/// Series and samples that belong to no service and metric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlacedLeftOut {
    /// Series that lack a label of the service's name.
    pub series_without_service: u64,
    /// Names that the map of names lacks, as far as the first hundred.
    pub not_mapped: BTreeSet<String>,
    /// Series whose names are not in the map.
    pub series_not_mapped: u64,
    /// Series of other metrics.
    pub series_of_other_metrics: u64,
    /// Samples of a service and time that another series had already given: the first is kept.
    pub second_samples: u64,
    /// Stale markers, which say that a series ended.
    pub stale_markers: u64,
    /// Native histograms where a number was expected.
    pub histograms: u64,
}

/// Names kept for a message.
const NAMES_KEPT: usize = 100;

impl Placed {
    /// Adds the series of one metric: the answer to one query.
    pub fn add(&mut self, series: &[Series], by: &ServiceLabels, metric: usize) {
        self.insert(series, by, metric);
        self.settle();
    }

    fn insert(&mut self, series: &[Series], by: &ServiceLabels, metric: usize) {
        for one in series {
            let service = match by.service_of(&one.labels) {
                ServiceOf::Service(service) => service,
                ServiceOf::NoLabel => {
                    self.left_out.series_without_service += 1;
                    continue;
                }
                ServiceOf::NotMapped(name) => {
                    self.left_out.series_not_mapped += 1;
                    if self.left_out.not_mapped.len() < NAMES_KEPT {
                        self.left_out.not_mapped.insert(text::quoted(&name));
                    }
                    continue;
                }
            };
            if let Some(basis) = one.labels.get("basis") {
                self.basis.entry(service.clone()).or_default().insert(text::quoted(basis));
            }
            self.left_out.histograms += one.histograms.len() as u64;
            let own = self.services.entry(service).or_default();
            for sample in &one.samples {
                match sample.to_raw(metric) {
                    Some(raw) => own.push(raw),
                    None => self.left_out.stale_markers += 1,
                }
            }
        }
    }

    /// Puts the samples of each service in order and keeps the first of each metric and time.
    fn settle(&mut self) {
        for samples in self.services.values_mut() {
            // Stable: the first stays first.
            samples.sort_by_key(|sample| (sample.time, sample.metric));
            let before = samples.len();
            samples.dedup_by_key(|sample| (sample.time, sample.metric));
            self.left_out.second_samples += (before - samples.len()) as u64;
        }
    }
}

/// Which metric of a schema a pushed series is, by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesMap {
    service: ServiceLabels,
    metrics: BTreeMap<String, usize>,
}

impl SeriesMap {
    /// Maps series' names to metrics of `schema`. For what a recipe's recording rules write,
    /// [`QuerySet::series_map`](crate::QuerySet::series_map) makes it.
    ///
    /// # Errors
    /// [`PrometheusError::UnknownMetric`] for a metric that the schema lacks.
    pub fn new(
        schema: &Schema,
        service: ServiceLabels,
        names: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, PrometheusError> {
        let mut metrics = BTreeMap::new();
        for (series, metric) in names {
            let index = schema.index_of(&metric).map_err(|_| PrometheusError::UnknownMetric {
                recipe: text::quoted(&series),
                metric: text::quoted(&metric),
                available: schema.names().map(str::to_owned).collect(),
            })?;
            metrics.insert(series, index);
        }
        Ok(Self { service, metrics })
    }

    /// The metric's position, by a series' name.
    #[must_use]
    pub fn metric(&self, labels: &Labels) -> Option<usize> {
        self.metrics.get(labels.name()?).copied()
    }

    /// Places series of any metrics.
    #[must_use]
    pub fn place(&self, series: &[Series]) -> Placed {
        let mut placed = Placed::default();
        for one in series {
            match self.metric(&one.labels) {
                Some(metric) => placed.insert(std::slice::from_ref(one), &self.service, metric),
                None => placed.left_out.series_of_other_metrics += 1,
            }
        }
        placed.settle();
        placed
    }
}

#[cfg(test)]
mod tests {
    use forewarn_schema::Timestamp;

    use super::*;
    use crate::Sample;

    fn series(labels: &[(&str, &str)], values: &[(i64, f64)]) -> Series {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let samples = values.iter().map(|&(millis, value)| Sample { time: at(millis), value }).collect();
        Series { labels: Labels::new(labels.iter().copied()).unwrap(), samples, histograms: Vec::new() }
    }

    #[test]
    fn names_are_joined_and_mapped_and_what_is_not_is_counted() {
        let plain = ServiceLabels::new(["namespace", "workload"]);
        let names = BTreeMap::from([("shop/checkout-v2".to_owned(), "checkout".to_owned())]);
        let mapped = plain.clone().with_names(names);
        let known =
            series(&[("namespace", "shop"), ("workload", "checkout-v2"), ("basis", "limit")], &[(0, 1.0)]);
        let other = series(&[("namespace", "shop"), ("workload", "cron\u{1b}")], &[(0, 2.0)]);
        let bare = series(&[("namespace", "shop")], &[(0, 3.0)]);
        assert_eq!(plain.service_of(&known.labels), ServiceOf::Service("shop/checkout-v2".to_owned()));
        let mut placed = Placed::default();
        placed.add(&[known, other, bare], &mapped, 5);
        assert_eq!(placed.services.keys().collect::<Vec<_>>(), ["checkout"]);
        assert_eq!(placed.basis["checkout"], BTreeSet::from(["limit".to_owned()]));
        assert_eq!(placed.left_out.series_without_service, 1);
        assert_eq!(placed.left_out.not_mapped, BTreeSet::from(["shop/cron".to_owned()]));
        assert_eq!(ServiceLabels::new::<&str>([]).service_of(&Labels::default()), ServiceOf::NoLabel);
    }

    #[test]
    fn the_first_of_two_samples_is_kept_and_stale_markers_are_none() {
        let stale = f64::from_bits(crate::STALE_BITS);
        let first = series(&[("job", "a"), ("basis", "limit")], &[(60_000, 2.0), (0, 1.0)]);
        let second = series(&[("job", "a"), ("basis", "node")], &[(60_000, 9.0), (120_000, stale)]);
        let mut placed = Placed::default();
        placed.add(&[first, second], &ServiceLabels::new(["job"]), 0);
        let values: Vec<f64> = placed.services["a"].iter().map(|sample| sample.value).collect();
        assert_eq!(values, [1.0, 2.0]);
        assert_eq!((placed.left_out.second_samples, placed.left_out.stale_markers), (1, 1));
        assert_eq!(placed.basis["a"].len(), 2);
    }

    #[test]
    fn pushed_series_are_known_by_their_names() {
        let names = [("forewarn:error_rate".to_owned(), "error_rate".to_owned())];
        let map = SeriesMap::new(&Schema::v1(), ServiceLabels::new(["job"]), names).unwrap();
        let rate = series(&[("__name__", "forewarn:error_rate"), ("job", "a")], &[(0, 0.5)]);
        let other = series(&[("__name__", "up"), ("job", "a")], &[(0, 1.0)]);
        let placed = map.place(&[rate, other]);
        assert_eq!(placed.services["a"][0].metric, 1);
        assert_eq!(placed.left_out.series_of_other_metrics, 1);
        let wrong = [("x".to_owned(), "eror_rate".to_owned())];
        let error = SeriesMap::new(&Schema::v1(), ServiceLabels::new(["job"]), wrong).unwrap_err();
        assert!(error.to_string().contains("\"eror_rate\""), "{error}");
    }
}
