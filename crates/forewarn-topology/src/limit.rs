use crate::{TopologyError, error::refuse_unless};
use serde::{Deserialize, Serialize};

/// A limit for a metric in a single row: a row *violates* it when its sample lies above. A missing sample violates
/// nothing.
///
/// For promises over time (error budgets, burn rates) see `Slo` of forewarn-label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowLimit {
    /// Metric.
    pub metric: String,
    /// Most that it may be, in the metric's unit.
    pub at_most: f64,
}

impl RowLimit {
    /// The limit `metric <= at_most`.
    pub fn new(metric: impl Into<String>, at_most: f64) -> Self {
        Self { metric: metric.into(), at_most }
    }

    /// For the metrics of [`Schema::v1`](forewarn_schema::Schema::v1): an `error_rate` of at most 0.1 %, a
    /// `p99_latency` of at most 1000 ms.
    #[must_use]
    pub fn v1() -> Vec<Self> {
        vec![Self::new("error_rate", 0.001), Self::new("p99_latency", 1000.0)]
    }

    pub(crate) fn check(&self) -> Result<(), TopologyError> {
        refuse_unless(
            self.at_most.is_finite(),
            format!("limit of {}", self.metric),
            self.at_most,
            "a finite number",
        )
    }
}
