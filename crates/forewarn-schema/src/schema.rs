use crate::{Kind, Metric, SchemaError, Unit, ValidRange};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An ordered list of metrics with unique names. Cheap to clone and compare.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<Metric>", into = "Vec<Metric>")]
pub struct Schema {
    metrics: Arc<[Metric]>,
    /// Positions in order of the names, where there are more than [`FEW`] of them.
    by_name: Arc<[u32]>,
}

/// Metrics that are found faster by looking at each than by halving.
const FEW: usize = 32;

impl Schema {
    /// A schema of these metrics, in this order.
    ///
    /// # Errors
    /// [`SchemaError::NoMetrics`], [`SchemaError::EmptyMetricName`] or [`SchemaError::DuplicateMetric`].
    pub fn new(metrics: Vec<Metric>) -> Result<Self, SchemaError> {
        if metrics.is_empty() {
            return Err(SchemaError::NoMetrics);
        }
        let mut seen = std::collections::BTreeSet::new();
        for (index, metric) in metrics.iter().enumerate() {
            if metric.name.trim().is_empty() {
                return Err(SchemaError::EmptyMetricName { index });
            }
            if !seen.insert(metric.name.as_str()) {
                return Err(SchemaError::DuplicateMetric { name: metric.name.clone() });
            }
        }
        let by_name = order(&metrics);
        Ok(Self { metrics: metrics.into(), by_name })
    }

    /// The ten metrics of forewarn's first version, in their fixed order: `request_count`, `error_rate`,
    /// `p50_latency`, `p95_latency`, `p99_latency`, `cpu_usage`, `memory_usage`, `network_in`, `network_out`,
    /// `pod_restarts`.
    ///
    /// Ratios are 0 to 1, latency is in milliseconds, network in kilobytes per second, requests and restarts
    /// are counted per step.
    #[must_use]
    pub fn v1() -> Self {
        let count = |name| Metric::new(name, Unit::CountPerStep, Kind::Delta, ValidRange::NON_NEGATIVE);
        let latency = |name| Metric::new(name, Unit::Milliseconds, Kind::Gauge, ValidRange::NON_NEGATIVE);
        let usage = |name| Metric::new(name, Unit::Ratio, Kind::Gauge, ValidRange::UNIT);
        let traffic =
            |name| Metric::new(name, Unit::KilobytesPerSecond, Kind::Gauge, ValidRange::NON_NEGATIVE);
        Self {
            metrics: Arc::new([
                count("request_count"),
                Metric::new("error_rate", Unit::Ratio, Kind::Ratio, ValidRange::UNIT),
                latency("p50_latency"),
                latency("p95_latency"),
                latency("p99_latency"),
                usage("cpu_usage"),
                usage("memory_usage"),
                traffic("network_in"),
                traffic("network_out"),
                count("pod_restarts"),
            ]),
            by_name: Arc::new([]),
        }
    }

    /// The metrics in order.
    #[must_use]
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// Number of metrics: the width of a row.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a schema is never empty")]
    pub fn len(&self) -> usize {
        self.metrics.len()
    }

    /// The metrics' names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.metrics.iter().map(|metric| metric.name.as_str())
    }

    /// Position of the metric called `name`.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`], which lists what there is.
    pub fn index_of(&self, name: &str) -> Result<usize, SchemaError> {
        self.position(name).ok_or_else(|| SchemaError::UnknownMetric {
            name: name.to_owned(),
            available: self.names().map(str::to_owned).collect(),
        })
    }

    /// Position of the metric called `name`; `None` where there is none.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        if self.by_name.is_empty() {
            return self.names().position(|metric| metric == name);
        }
        let found = self.by_name.binary_search_by(|&at| self.metrics[at as usize].name.as_str().cmp(name));
        found.ok().map(|at| self.by_name[at] as usize)
    }

    /// Refuses a row that no frame could hold. Whatever takes live rows in calls it before anything else, so that a
    /// stream accepts what a batch does, and a row that it refuses leaves it as it was.
    ///
    /// # Errors
    /// [`SchemaError::RowWidth`] unless there is a value for each metric, [`SchemaError::OutOfRange`] for the first
    /// value that is neither missing nor within its metric's range; infinities never are.
    pub fn check_row(&self, row: &[f32]) -> Result<(), SchemaError> {
        if row.len() != self.len() {
            return Err(SchemaError::RowWidth { expected: self.len(), got: row.len() });
        }
        let metrics = || self.metrics.iter().zip(row);
        // All of them without a branch first: a row is seldom refused.
        if metrics().fold(false, |outside, (metric, &value)| outside | metric.range.excludes(value)) {
            return metrics().try_for_each(|(metric, &value)| metric.check(value));
        }
        Ok(())
    }
}

/// The positions of many metrics in order of their names; nothing for a few.
fn order(metrics: &[Metric]) -> Arc<[u32]> {
    match u32::try_from(metrics.len()) {
        Ok(count) if metrics.len() > FEW => {
            let mut order: Vec<u32> = (0..count).collect();
            order.sort_by(|&a, &b| metrics[a as usize].name.cmp(&metrics[b as usize].name));
            order.into()
        }
        _ => Arc::new([]),
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.metrics, &other.metrics) || self.metrics == other.metrics
    }
}

impl TryFrom<Vec<Metric>> for Schema {
    type Error = SchemaError;

    fn try_from(metrics: Vec<Metric>) -> Result<Self, SchemaError> {
        Self::new(metrics)
    }
}

impl From<Schema> for Vec<Metric> {
    fn from(schema: Schema) -> Self {
        schema.metrics.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v1_is_the_contract() {
        let names: Vec<_> = Schema::v1().names().map(str::to_owned).collect();
        assert_eq!(
            names,
            [
                "request_count",
                "error_rate",
                "p50_latency",
                "p95_latency",
                "p99_latency",
                "cpu_usage",
                "memory_usage",
                "network_in",
                "network_out",
                "pod_restarts"
            ]
        );
        assert_eq!(Schema::new(Schema::v1().metrics().to_vec()).unwrap(), Schema::v1());
    }

    #[test]
    fn reading_goes_through_the_checks() {
        let json = serde_json::to_string(&Schema::v1()).unwrap();
        assert_eq!(serde_json::from_str::<Schema>(&json).unwrap(), Schema::v1());
        let twice = serde_json::to_string(&[Metric::gauge("a"), Metric::gauge("a")]).unwrap();
        assert!(serde_json::from_str::<Schema>(&twice).unwrap_err().to_string().contains("appears twice"));
        assert!(serde_json::from_str::<Schema>("[]").is_err());
    }

    #[test]
    fn a_row_is_refused_unless_a_frame_could_hold_it() {
        let (schema, mut row) = (Schema::v1(), [f32::NAN; 10]);
        assert_eq!(schema.check_row(&row), Ok(()));
        row[1] = 0.5;
        assert_eq!(schema.check_row(&row), Ok(()));
        assert_eq!(schema.check_row(&row[1..]), Err(SchemaError::RowWidth { expected: 10, got: 9 }));
        for (metric, value) in [(4, f32::INFINITY), (4, -1.0), (5, 1.5), (0, f32::NEG_INFINITY)] {
            let mut row = row;
            row[metric] = value;
            let error = schema.check_row(&row).unwrap_err().to_string();
            let name = &schema.metrics()[metric].name;
            assert!(error.starts_with(&format!("{name} is {value}, outside ")), "{error}");
        }
    }

    #[test]
    fn a_metric_of_a_wide_schema_is_found_as_in_a_narrow_one() {
        let names: Vec<String> = (0..200).map(|i| format!("m{}", (i * 73) % 200)).collect();
        let schema = Schema::new(names.iter().map(Metric::gauge).collect()).unwrap();
        for (index, name) in names.iter().enumerate() {
            assert_eq!(schema.index_of(name), Ok(index));
        }
        assert_eq!((schema.position("m200"), schema.position("")), (None, None));
        let error = schema.index_of("m200").unwrap_err().to_string();
        assert!(error.ends_with("and 180 more") && error.len() < 400, "{error}");
    }

    #[test]
    fn a_missing_metric_is_named() {
        let error = Schema::v1().index_of("eror_rate").unwrap_err().to_string();
        assert!(error.contains("\"eror_rate\"") && error.contains("error_rate"), "{error}");
    }
}
