use crate::{
    Select, WindowError,
    features::metrics::{STRIP, neighbours, strips},
    features::saved::{fields, settings},
    settings::steps_setting,
};
use forewarn_core::{Columns, CoreError, Feature, FeatureState, Origin, Rows, restore_part, save_part};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, ValidRange};
use std::ops::Range;

/// The change of each metric since some steps before, as columns named `delta(metric)`, or `delta_5(metric)` over
/// five steps.
///
/// NaN in the first rows of a service and wherever one of the two samples is missing. `pod_restarts`, a count of rare
/// changes, has no delta of its own; other columns can be left out with [`except`](Self::except). A saved state takes
/// 4 bytes a step and metric, and a few.
#[derive(Clone, Debug)]
pub struct Deltas {
    select: Select,
    steps: usize,
}

impl Default for Deltas {
    fn default() -> Self {
        Self::except(&["pod_restarts"])
    }
}

impl Deltas {
    /// Deltas of every metric but these, since the step before.
    #[must_use]
    pub fn except(metrics: &[&str]) -> Self {
        Self { select: Select::except(metrics), steps: 1 }
    }

    /// The same of these metrics.
    #[must_use]
    pub fn with_metrics(self, select: Select) -> Self {
        Self { select, ..self }
    }

    /// The same since `steps` steps before.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] unless it is 1 to 10,000,000.
    pub fn with_steps(self, steps: usize) -> Result<Self, WindowError> {
        Ok(Self { steps: steps_setting("steps of a delta", steps)?, ..self })
    }
}

impl Feature for Deltas {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        let delta = |index: usize| {
            let metric = &input.metrics()[index];
            let name = match self.steps {
                1 => format!("delta({})", metric.name),
                steps => format!("delta_{steps}({})", metric.name),
            };
            Metric::new(name, metric.unit.clone(), Kind::Gauge, ValidRange::FINITE)
        };
        Ok(self.select.positions(input)?.into_iter().map(delta).collect())
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let columns = self.select.positions(input)?;
        let neighbours = neighbours(&columns).filter(|_| self.steps == 1);
        Ok(Box::new(Change {
            past: vec![f32::NAN; columns.len() * self.steps],
            oldest: 0,
            columns,
            neighbours,
        }))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings("deltas", fields! { steps: self.steps, select: &self.select })
    }
}

#[derive(Clone, Debug)]
struct Change {
    columns: Vec<usize>,
    /// The last rows, in a ring.
    past: Vec<f32>,
    oldest: usize,
    /// The columns as one slice of a row, where they are and the row before is all that is remembered.
    neighbours: Option<Range<usize>>,
}

impl FeatureState for Change {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        let width = self.columns.len();
        let past = &mut self.past[self.oldest..self.oldest + width];
        for ((out, past), &index) in out.iter_mut().zip(past).zip(&self.columns) {
            *out = row[index] - *past;
            *past = row[index];
        }
        self.oldest += width;
        if self.oldest >= self.past.len() {
            self.oldest = 0;
        }
    }

    fn push_rows(&mut self, samples: Rows<'_>, out: &mut Columns<'_>) {
        let Some(columns) = self.neighbours.clone().filter(|columns| columns.len() >= STRIP) else {
            samples.iter().zip(out.iter_mut()).for_each(|(sample, out)| self.push(sample, out));
            return;
        };
        for first in strips(columns.len()) {
            let Some(mut past) = self.past[first..].first_chunk::<STRIP>().copied() else { return };
            for (sample, out) in samples.iter().zip(out.iter_mut()) {
                let now = sample[columns.start + first..].first_chunk::<STRIP>();
                if let (Some(now), Some(out)) = (now, out[first..].first_chunk_mut::<STRIP>()) {
                    *out = std::array::from_fn(|i| now[i] - past[i]);
                    past = *now;
                }
            }
        }
        // Strips overlap, so the past is only moved on once all of them have seen it.
        if let Some(sample) = samples.iter().last() {
            self.past.copy_from_slice(&sample[columns]);
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(self.oldest, &self.past), out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (oldest, past): (usize, Vec<f32>) = restore_part(&mut rest)?;
        let is_row = oldest == 0 || oldest < past.len() && oldest.is_multiple_of(self.columns.len().max(1));
        if past.len() != self.past.len() || !is_row {
            let (got, expected) = (past.len(), self.past.len());
            return Err(CoreError::damaged_state(format!(
                "deltas remember {got} values, the oldest of them at {oldest}; expected {expected} in whole rows"
            )));
        }
        (self.oldest, self.past, *from) = (oldest, past, rest);
        Ok(())
    }
}
