use forewarn_core::{Feature, FeatureState, Origin};
use forewarn_schema::{Kind, Metric, Schema, SchemaError};

/// The metrics themselves, as they are. Outcome columns are left out: what failed is no input.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metrics;

/// Positions of the metrics that a model may see.
pub(crate) fn inputs(schema: &Schema) -> impl Iterator<Item = (usize, &Metric)> {
    schema.metrics().iter().enumerate().filter(|(_, metric)| metric.kind != Kind::Outcome)
}

impl Feature for Metrics {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        Ok(inputs(input).map(|(_, metric)| metric.clone()).collect())
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        Ok(Box::new(Copy(inputs(input).map(|(index, _)| index).collect())))
    }
}

struct Copy(Vec<usize>);

impl FeatureState for Copy {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        for (out, &index) in out.iter_mut().zip(&self.0) {
            *out = row[index];
        }
    }
}
