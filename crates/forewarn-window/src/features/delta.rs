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
        let past = vec![f32::NAN; columns.len() * self.steps].into();
        let neighbours = neighbours(&columns).filter(|_| self.steps == 1);
        Ok(match neighbours {
            Some(columns) => Box::new(StepChange { columns, past }),
            None => Box::new(Change { columns, past, oldest: 0 }),
        })
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings("deltas", fields! { steps: self.steps, select: &self.select })
    }
}

/// Since the step before, of columns side by side.
#[derive(Clone, Debug)]
struct StepChange {
    columns: Range<usize>,
    /// The last row.
    past: Box<[f32]>,
}

impl FeatureState for StepChange {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        for ((out, past), &value) in out.iter_mut().zip(&mut self.past).zip(&row[self.columns.clone()]) {
            *out = value - *past;
            *past = value;
        }
    }

    fn push_rows(&mut self, samples: Rows<'_>, out: &mut Columns<'_>) {
        let columns = self.columns.clone();
        if columns.len() < STRIP {
            samples.iter().zip(out.iter_mut()).for_each(|(sample, out)| self.push(sample, out));
            return;
        }
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
        save(0, &self.past, out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        restore(self.columns.len(), &mut self.past, from).map(drop)
    }
}

/// Since some steps before, of any columns.
#[derive(Clone, Debug)]
struct Change {
    columns: Vec<usize>,
    /// The last rows, in a ring.
    past: Box<[f32]>,
    oldest: usize,
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

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save(self.oldest, &self.past, out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.oldest = restore(self.columns.len(), &mut self.past, from)?;
        Ok(())
    }
}

/// Appends the last rows, and where the oldest lies.
fn save(oldest: usize, past: &[f32], out: &mut Vec<u8>) -> Result<(), CoreError> {
    save_part(&(oldest, past), out)
}

/// Takes what [`save`] wrote into `into`, and gives where the oldest row lies.
fn restore(width: usize, into: &mut [f32], from: &mut &[u8]) -> Result<usize, CoreError> {
    let mut rest = *from;
    let (oldest, past): (usize, Vec<f32>) = restore_part(&mut rest)?;
    let is_row = oldest == 0 || oldest < past.len() && oldest.is_multiple_of(width.max(1));
    if past.len() != into.len() || !is_row {
        let (got, expected) = (past.len(), into.len());
        return Err(CoreError::damaged_state(format!(
            "deltas remember {got} values, the oldest of them at {oldest}; expected {expected} in whole rows"
        )));
    }
    into.copy_from_slice(&past);
    *from = rest;
    Ok(oldest)
}
