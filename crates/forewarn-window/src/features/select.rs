use forewarn_schema::{Kind, Metric, Schema, SchemaError};
use serde::{Deserialize, Serialize};

/// Which metrics a feature is computed from. Outcome columns are never among them: what failed is no input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Select {
    /// Every metric.
    #[default]
    All,
    /// These metrics; one that the schema lacks is an error.
    Only(Vec<String>),
    /// Every metric but these, whether the schema has them or not.
    Except(Vec<String>),
}

impl Select {
    /// These metrics.
    #[must_use]
    pub fn only(metrics: &[&str]) -> Self {
        Self::Only(metrics.iter().map(|&name| name.to_owned()).collect())
    }

    /// Every metric but these.
    #[must_use]
    pub fn except(metrics: &[&str]) -> Self {
        Self::Except(metrics.iter().map(|&name| name.to_owned()).collect())
    }

    /// Positions of the selected metrics, in the order of the schema.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`].
    pub fn positions(&self, input: &Schema) -> Result<Vec<usize>, SchemaError> {
        if let Self::Only(names) = self {
            for name in names {
                if !inputs(input).any(|(_, metric)| metric.name == *name) {
                    let available = inputs(input).map(|(_, metric)| metric.name.clone()).collect();
                    return Err(SchemaError::UnknownMetric { name: name.clone(), available });
                }
            }
        }
        let picked = |metric: &Metric| match self {
            Self::All => true,
            Self::Only(names) => names.contains(&metric.name),
            Self::Except(names) => !names.contains(&metric.name),
        };
        Ok(inputs(input).filter(|(_, metric)| picked(metric)).map(|(index, _)| index).collect())
    }
}

/// Positions of the metrics that a model may see.
pub(crate) fn inputs(schema: &Schema) -> impl Iterator<Item = (usize, &Metric)> {
    schema.metrics().iter().enumerate().filter(|(_, metric)| metric.kind != Kind::Outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_picked_in_the_order_of_the_schema() {
        let schema = Schema::new(
            ["a", "b", "c"].map(Metric::gauge).into_iter().chain([Metric::outcome("failure")]).collect(),
        )
        .unwrap();
        assert_eq!(Select::All.positions(&schema).unwrap(), [0, 1, 2]);
        assert_eq!(Select::only(&["c", "a"]).positions(&schema).unwrap(), [0, 2]);
        assert_eq!(Select::except(&["b", "elsewhere"]).positions(&schema).unwrap(), [0, 2]);
        assert!(Select::only(&["elsewhere"]).positions(&schema).is_err());
        assert!(Select::only(&["failure"]).positions(&schema).is_err());
    }
}
