//! Features that treat each selected metric by itself: one number in, one number out.

use crate::Select;
use forewarn_core::{CoreError, FeatureState};
use forewarn_schema::{Metric, Schema, SchemaError};

/// One metric's state in the middle of a service's rows.
pub(crate) trait ColumnState: Send + Sync + Clone + std::fmt::Debug + 'static {
    /// Takes the next sample, NaN where missing, and gives the feature's value, NaN where it cannot tell.
    fn push(&mut self, sample: f32) -> f32;

    /// As [`FeatureState::save`].
    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError>;

    /// As [`FeatureState::restore`].
    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError>;
}

/// Saves and restores a state that remembers nothing.
macro_rules! nothing_to_save {
    () => {
        fn save(&self, _: &mut Vec<u8>) -> Result<(), forewarn_core::CoreError> {
            Ok(())
        }

        fn restore(&mut self, _: &mut &[u8]) -> Result<(), forewarn_core::CoreError> {
            Ok(())
        }
    };
}

pub(crate) use nothing_to_save;

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
    let positions = select.positions(input)?.into_iter();
    let columns = positions.map(|index| (u32::try_from(index).unwrap_or(u32::MAX), fresh.clone())).collect();
    Ok(Box::new(PerColumn(columns)))
}

#[derive(Clone, Debug)]
struct PerColumn<S>(Box<[(u32, S)]>);

impl<S: ColumnState> FeatureState for PerColumn<S> {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        for (out, (index, state)) in out.iter_mut().zip(&mut self.0) {
            *out = state.push(row[*index as usize]);
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.0.iter().try_for_each(|(_, state)| state.save(out))
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let (mut restored, mut rest) = (self.0.clone(), *from);
        restored.iter_mut().try_for_each(|(_, state)| state.restore(&mut rest))?;
        (self.0, *from) = (restored, rest);
        Ok(())
    }
}
