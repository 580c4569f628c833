use crate::metrics::inputs;
use forewarn_core::{Feature, FeatureState};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, ValidRange};

/// The change of each metric since the step before, as columns named `delta(metric)`.
///
/// NaN in the first row of a service and wherever one of the two samples is missing. `pod_restarts`, a count of rare changes, has no
/// delta of its own; other columns can be left out with [`except`](Self::except).
#[derive(Clone, Debug)]
pub struct Deltas {
    except: Vec<String>,
}

impl Default for Deltas {
    fn default() -> Self {
        Self { except: vec!["pod_restarts".to_owned()] }
    }
}

impl Deltas {
    /// Deltas of every metric but these.
    #[must_use]
    pub fn except(metrics: &[&str]) -> Self {
        Self { except: metrics.iter().map(|&name| name.to_owned()).collect() }
    }

    fn columns(&self, input: &Schema) -> Vec<usize> {
        inputs(input)
            .filter(|(_, metric)| !self.except.contains(&metric.name))
            .map(|(index, _)| index)
            .collect()
    }
}

impl Feature for Deltas {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        let delta = |index: usize| {
            let metric = &input.metrics()[index];
            Metric::new(
                format!("delta({})", metric.name),
                metric.unit.clone(),
                Kind::Gauge,
                ValidRange::FINITE,
            )
        };
        Ok(self.columns(input).into_iter().map(delta).collect())
    }

    fn start(&self, input: &Schema) -> Result<Box<dyn FeatureState>, SchemaError> {
        let columns = self.columns(input);
        Ok(Box::new(Change { previous: vec![f32::NAN; columns.len()], columns }))
    }
}

struct Change {
    columns: Vec<usize>,
    previous: Vec<f32>,
}

impl FeatureState for Change {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        for ((out, previous), &index) in out.iter_mut().zip(&mut self.previous).zip(&self.columns) {
            *out = row[index] - *previous;
            *previous = row[index];
        }
    }
}
