//! Features that treat each selected metric by itself: one number in, one number out.

use crate::Select;
use forewarn_core::FeatureState;
use forewarn_schema::{Metric, Schema, SchemaError};

/// One metric's state in the middle of a service's rows.
pub(crate) trait ColumnState: Send + Sync + Clone + 'static {
    /// Takes the next sample, NaN where missing, and gives the feature's value, NaN where it cannot tell.
    fn push(&mut self, sample: f32) -> f32;
}

/// A column for each selected metric, made by `describe` from the metric.
pub(crate) fn outputs(
    select: &Select,
    input: &Schema,
    describe: impl Fn(&Metric) -> Metric,
) -> Result<Vec<Metric>, SchemaError> {
    Ok(select.positions(input)?.into_iter().map(|index| describe(&input.metrics()[index])).collect())
}

/// A copy of `fresh` for each selected metric.
pub(crate) fn start<S: ColumnState>(
    select: &Select,
    input: &Schema,
    fresh: &S,
) -> Result<Box<dyn FeatureState>, SchemaError> {
    let columns = select.positions(input)?.into_iter().map(|index| (index, fresh.clone())).collect();
    Ok(Box::new(PerColumn(columns)))
}

struct PerColumn<S>(Vec<(usize, S)>);

impl<S: ColumnState> FeatureState for PerColumn<S> {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        for (out, (index, state)) in out.iter_mut().zip(&mut self.0) {
            *out = state.push(row[*index]);
        }
    }
}
