//! Columns of a service graph as they are saved with a model.

use super::{FleetColumns, Group, TopologyFeatures};
use crate::{HealthRules, RowLimit, ServiceGraph, Strengths, TopologyError};
use forewarn_core::CoreError;
use forewarn_schema::UtcOffset;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All settings, the graph as its file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    graph: Value,
    strengths: Vec<f64>,
    health_rules: HealthRules,
    dependence: f64,
    error_rate: String,
    latency: String,
    limits: Vec<RowLimit>,
    violation_rows: usize,
    peak_hours: [u8; 2],
    utc_offset_minutes: UtcOffset,
    groups: Vec<Group>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fleet: Option<FleetColumns>,
}

impl TopologyFeatures {
    /// The graph and all settings as data to be saved with a model.
    ///
    /// # Errors
    /// [`TopologyError::Core`] for what JSON cannot hold.
    pub fn saved(&self) -> Result<Value, TopologyError> {
        let unwritable = |error| CoreError::outside("saving a service graph", error);
        let saved = Saved {
            graph: serde_json::from_str(&self.graph.to_json()?).map_err(unwritable)?,
            strengths: self.strengths.as_slice().to_vec(),
            health_rules: self.rules.clone(),
            dependence: self.dependence,
            error_rate: self.error_rate.clone(),
            latency: self.latency.clone(),
            limits: self.limits.clone(),
            violation_rows: self.violation_rows,
            peak_hours: self.peak_hours,
            utc_offset_minutes: self.utc_offset,
            groups: self.groups.clone(),
            fleet: self.fleet.clone(),
        };
        Ok(serde_json::to_value(saved).map_err(unwritable)?)
    }

    /// What [`saved`](Self::saved) gave, through the same checks as in a program.
    ///
    /// # Errors
    /// [`TopologyError::Core`] for data of another form; those of the settings.
    pub fn from_saved(saved: &Value) -> Result<Self, TopologyError> {
        let saved = Saved::deserialize(saved)
            .map_err(|error| CoreError::outside("reading columns of a service graph", error))?;
        let graph = ServiceGraph::from_json(&saved.graph.to_string())?;
        let strengths = Strengths::new(&graph, saved.strengths)?;
        let [from, to] = saved.peak_hours;
        let features = Self {
            fleet: saved.fleet,
            ..Self::new(&graph)
                .with_groups(&saved.groups)
                .with_strengths(strengths)
                .with_health_rules(saved.health_rules)
                .with_dependence(saved.dependence)
                .with_metrics(saved.error_rate, saved.latency)
                .with_violations(saved.limits, saved.violation_rows)
                .with_clock(from, to, saved.utc_offset_minutes)
        };
        features.check()?;
        Ok(features)
    }

    /// The service graph.
    #[must_use]
    pub fn graph(&self) -> &ServiceGraph {
        &self.graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_read_again() {
        let graph = ServiceGraph::from_edge_list("gateway user\n user database").unwrap();
        let strengths = Strengths::new(&graph, vec![0.25, 0.75]).unwrap();
        let features = TopologyFeatures::new(&graph).with_strengths(strengths);
        let features = features.with_violations(RowLimit::v1(), 7).with_clock(22, 6, UtcOffset::UTC);
        let features = features.with_groups(&[Group::Servers, Group::Violations]);
        let saved = features.saved().unwrap();
        let read = TopologyFeatures::from_saved(&saved).unwrap();
        assert_eq!(read.saved().unwrap(), saved);
        assert_eq!(format!("{read:?}"), format!("{features:?}"));
        for (field, wrong) in [
            ("violation_rows", 0.into()),
            ("strengths", serde_json::json!([0.5])),
            ("groups", serde_json::json!([])),
            ("more", 1.into()),
        ] {
            let mut damaged = saved.clone();
            damaged[field] = wrong;
            assert!(TopologyFeatures::from_saved(&damaged).is_err(), "{field}");
        }
    }
}
