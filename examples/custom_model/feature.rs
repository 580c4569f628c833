//! A feature of one's own.

use forewarn::{
    core::{CoreError, FeatureState, Origin, restore_part, save_part},
    prelude::*,
    schema::SchemaError,
};

/// An exponentially weighted mean of the arrivals.
pub(crate) struct SmoothArrivals {
    pub(crate) weight: f32,
}

impl Feature for SmoothArrivals {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        input.index_of("arrivals")?;
        Ok(vec![Metric::gauge("smooth(arrivals)")])
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        Ok(Box::new(Smooth { column: input.index_of("arrivals")?, weight: self.weight, mean: f32::NAN }))
    }
}

/// The feature in the middle of one service's rows.
#[derive(Clone, Debug)]
struct Smooth {
    column: usize,
    weight: f32,
    mean: f32,
}

impl FeatureState for Smooth {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        let sample = row[self.column];
        if self.mean.is_nan() {
            self.mean = sample;
        } else if !sample.is_nan() {
            self.mean += self.weight * (sample - self.mean);
        }
        out[0] = self.mean;
    }

    // Column and weight are settings: a state is restored into one that was started with the same.
    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.mean, out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.mean = restore_part(from)?;
        Ok(())
    }
}
