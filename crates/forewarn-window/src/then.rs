use crate::saved::Saved;
use forewarn_core::{Feature, FeatureState, Origin};
use forewarn_schema::{Metric, Schema, SchemaError};

/// Features of features.
pub trait FeatureExt: Feature + Sized {
    /// `next`, computed from the columns of this feature: `Deltas::default().then(Rolling::new(Statistic::Max, 5)?)` has the columns
    /// `max_5(delta(metric))`.
    fn then<F: Feature>(self, next: F) -> Then<Self, F> {
        Then { first: self, next }
    }
}

impl<F: Feature> FeatureExt for F {}

/// A feature computed from the columns of another; see [`FeatureExt::then`].
#[derive(Clone, Debug)]
pub struct Then<A, B> {
    first: A,
    next: B,
}

impl<A: Feature, B: Feature> Feature for Then<A, B> {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        self.next.outputs(&Schema::new(self.first.outputs(input)?)?)
    }

    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let between = Schema::new(self.first.outputs(input)?)?;
        Ok(Box::new(Chain {
            row: vec![f32::NAN; between.len()],
            first: self.first.start(input, origin)?,
            next: self.next.start(&between, origin)?,
        }))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        Saved::Then([self.first.saved()?, self.next.saved()?]).into_value()
    }
}

struct Chain {
    row: Vec<f32>,
    first: Box<dyn FeatureState>,
    next: Box<dyn FeatureState>,
}

impl FeatureState for Chain {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        self.first.push(row, &mut self.row);
        self.next.push(&self.row, out);
    }
}
