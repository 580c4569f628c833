use forewarn_core::{Feature, FeatureState, Origin};
use forewarn_schema::{Kind, Metric, Schema, SchemaError};
use std::ops::Range;

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
        let columns: Vec<usize> = inputs(input).map(|(index, _)| index).collect();
        Ok(match neighbours(&columns) {
            Some(columns) => Box::new(CopySlice(columns)),
            None => Box::new(Copy(columns)),
        })
    }
}

/// The columns as one slice of a row, if they are neighbours.
pub(crate) fn neighbours(columns: &[usize]) -> Option<Range<usize>> {
    let first = *columns.first()?;
    let range = first..first + columns.len();
    columns.iter().copied().eq(range.clone()).then_some(range)
}

struct CopySlice(Range<usize>);

impl FeatureState for CopySlice {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        // Rows are short: a loop is quicker than a call of memcpy.
        out.iter_mut().zip(&row[self.0.clone()]).for_each(|(out, &value)| *out = value);
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
