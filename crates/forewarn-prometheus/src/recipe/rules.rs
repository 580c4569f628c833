use std::fmt::Write;

use super::{Query, QuerySet};
use crate::{PrometheusError, SeriesMap, ServiceLabels};
use forewarn_schema::Schema;

impl QuerySet {
    /// Recording rules for the same queries, as a rule file of Prometheus: each metric becomes the series
    /// `forewarn:METRIC`. A Prometheus that evaluates them can push those few series by remote write.
    #[must_use]
    pub fn to_rule_file(&self) -> String {
        rule_file(self)
    }

    /// Knows the series of [`to_rule_file`](Self::to_rule_file) when they are pushed.
    ///
    /// # Errors
    /// [`PrometheusError::UnknownMetric`] unless `schema` is the one that the queries were made for, and
    /// [`PrometheusError::Setting`] where recipes name services by different labels: a pushed series is of one way
    /// only.
    pub fn series_map(&self, schema: &Schema) -> Result<SeriesMap, PrometheusError> {
        let mut ways = self.queries().iter().map(|query| &query.service);
        let first = ways.next().cloned().unwrap_or_else(|| ServiceLabels::new::<&str>([]));
        if let Some(other) = ways.find(|way| **way != first) {
            return Err(PrometheusError::Setting {
                setting: "service.labels",
                found: format!("{} and {}", first.labels.join("/"), other.labels.join("/")),
                expected: "the same labels and names in every recipe",
            });
        }
        let names = self.queries().iter().map(|query| (record(query), query.metric.clone()));
        SeriesMap::new(schema, first, names)
    }
}

/// Name of the series that a query's rule records.
fn record(query: &Query) -> String {
    format!("forewarn:{}", query.metric)
}

/// A rule file. Text in YAML's double quotes has the escapes of JSON, and queries are one line of printable characters.
fn rule_file(queries: &QuerySet) -> String {
    let mut file = format!("groups:\n- name: forewarn\n  interval: {}\n  rules:\n", queries.interval());
    for query in queries.queries() {
        let quoted = serde_json::Value::String(query.expression.clone());
        // Writing to a string cannot fail.
        let _ = writeln!(file, "  - record: {}\n    expr: {quoted}", record(query));
    }
    file
}
