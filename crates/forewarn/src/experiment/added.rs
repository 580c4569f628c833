//! Features of frames whose rows are metrics with other columns after them, which models see as they are.

use forewarn_core::{Feature, FeatureState, Origin};
use forewarn_schema::{Metric, Schema, SchemaError};
use forewarn_window::Features;

/// Features of the metrics alone, which are the first columns of a row.
pub(super) struct OfMetrics {
    pub(super) features: Features,
    pub(super) metrics: Schema,
}

impl Feature for OfMetrics {
    fn outputs(&self, _: &Schema) -> Result<Vec<Metric>, SchemaError> {
        self.features.outputs(&self.metrics)
    }

    fn start(&self, _: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let width = self.metrics.len();
        Ok(Box::new(FirstColumns { width, state: self.features.start(&self.metrics, origin)? }))
    }
}

struct FirstColumns {
    width: usize,
    state: Box<dyn FeatureState>,
}

impl FeatureState for FirstColumns {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        self.state.push(&row[..self.width], out);
    }
}

/// The columns after the metrics, as they are: the last of a row.
pub(super) struct Added {
    pub(super) columns: Vec<Metric>,
}

impl Feature for Added {
    fn outputs(&self, _: &Schema) -> Result<Vec<Metric>, SchemaError> {
        Ok(self.columns.clone())
    }

    fn start(&self, _: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        Ok(Box::new(LastColumns))
    }
}

struct LastColumns;

impl FeatureState for LastColumns {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        out.copy_from_slice(&row[row.len() - out.len()..]);
    }
}
