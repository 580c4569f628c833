use super::{per_column::nothing_to_save, saved::kind, select::inputs};
use forewarn_core::{Columns, Feature, FeatureState, Origin, Rows};
use forewarn_schema::{Metric, Schema, SchemaError};
use std::ops::Range;

/// The metrics themselves, as they are. Outcome columns are left out: what failed is no input.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metrics;

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

    fn saved(&self) -> Option<serde_json::Value> {
        kind("metrics")
    }
}

/// The columns as one slice of a row, if they are neighbours.
pub(crate) fn neighbours(columns: &[usize]) -> Option<Range<usize>> {
    let first = *columns.first()?;
    let range = first..first + columns.len();
    columns.iter().copied().eq(range.clone()).then_some(range)
}

/// Columns that are worked on at a time, all rows of a block after one another: a row is too short for a loop of its
/// own.
pub(crate) const STRIP: usize = 4;

/// Where strips of [`STRIP`] begin that cover `width` columns, the last one overlapping another where it must; none
/// for fewer columns.
pub(crate) fn strips(width: usize) -> impl Iterator<Item = usize> {
    let count = if width < STRIP { 0 } else { width.div_ceil(STRIP) };
    (0..count).map(move |strip| (strip * STRIP).min(width - STRIP))
}

#[derive(Clone, Debug)]
struct CopySlice(Range<usize>);

impl FeatureState for CopySlice {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        out.copy_from_slice(&row[self.0.clone()]);
    }

    fn push_rows(&mut self, samples: Rows<'_>, out: &mut Columns<'_>) {
        if self.0.len() < STRIP {
            samples.iter().zip(out.iter_mut()).for_each(|(sample, out)| self.push(sample, out));
        }
        for first in strips(self.0.len()) {
            for (sample, out) in samples.iter().zip(out.iter_mut()) {
                let from = sample[self.0.start + first..].first_chunk::<STRIP>();
                if let (Some(from), Some(to)) = (from, out[first..].first_chunk_mut::<STRIP>()) {
                    *to = *from;
                }
            }
        }
    }

    nothing_to_save!();
}

#[derive(Clone, Debug)]
struct Copy(Vec<usize>);

impl FeatureState for Copy {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        for (out, &index) in out.iter_mut().zip(&self.0) {
            *out = row[index];
        }
    }

    nothing_to_save!();
}
