use super::scratch::Scratch;
use crate::{features::saved::settings, settings::limited};
use forewarn_core::{CoreError, Feature, FeatureState, Origin};
use forewarn_schema::{Metric, Schema, SchemaError};

/// Features of features.
pub trait FeatureExt: Feature + Sized {
    /// `next`, computed from the columns of this feature: `Deltas::default().then(Rolling::new(Statistic::Max, 5)?)`
    /// has the columns `max_5(delta(metric))`.
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

impl<A: Feature, B: Feature> Then<A, B> {
    /// The columns of the first, which the next one sees.
    fn between(&self, input: &Schema) -> Result<Schema, SchemaError> {
        let columns = self.first.outputs(input)?;
        limited(columns.len())?;
        Schema::new(columns)
    }
}

impl<A: Feature, B: Feature> Feature for Then<A, B> {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        let columns = self.next.outputs(&self.between(input)?)?;
        limited(columns.len())?;
        Ok(columns)
    }

    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let between = self.between(input)?;
        Ok(Box::new(Chain {
            width: between.len(),
            between: Scratch::default(),
            first: self.first.start(input, origin)?,
            next: self.next.start(&between, origin)?,
        }))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings("then", [self.first.saved()?, self.next.saved()?])
    }
}

#[derive(Clone, Debug)]
struct Chain {
    /// Columns between the two.
    width: usize,
    between: Scratch,
    first: Box<dyn FeatureState>,
    next: Box<dyn FeatureState>,
}

impl FeatureState for Chain {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        let Self { width, between, first, next } = self;
        between.row(*width, |between| {
            first.push(row, between);
            next.push(between, out);
        });
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.first.save(out)?;
        self.next.save(out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let (mut restored, mut rest) = (self.clone(), *from);
        restored.first.restore(&mut rest)?;
        restored.next.restore(&mut rest)?;
        (*self, *from) = (restored, rest);
        Ok(())
    }
}
