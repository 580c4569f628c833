use crate::CoreError;
use forewarn_schema::{FrameView, Metric, Schema, SchemaError, Step, Timestamp};
use std::{fmt, ops::Range, sync::Arc};

/// Numbers derived from a service's metrics, one row at a time.
///
/// A feature is a factory of [`FeatureState`]s, one for each service. Because a state sees one row after another and
/// never a later one, features are causal by construction, and a live stream computes the same bits as a whole frame.
pub trait Feature: Send + Sync {
    /// The columns that the feature adds, for frames of `input`.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`] for a metric that the feature needs.
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError>;

    /// A fresh state, for the first row of a service; `origin` says which service that is and when.
    ///
    /// # Errors
    /// As [`outputs`](Self::outputs).
    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError>;

    /// The feature as data to be saved with a model, a table with one key, `{ kind: settings }`, from which it can be
    /// made again; `None` for one that cannot be saved.
    fn saved(&self) -> Option<serde_json::Value> {
        None
    }
}

/// Whose rows a feature is going to see, when the first of them is, and how far apart they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Service.
    pub service: &'a str,
    /// Time of the first row.
    pub start: Timestamp,
    /// Time between rows.
    pub step: Step,
}

impl<'a> From<FrameView<'a>> for Origin<'a> {
    fn from(frame: FrameView<'a>) -> Self {
        Self { service: frame.service(), start: frame.start(), step: frame.step() }
    }
}

/// A feature in the middle of one service's rows.
///
/// A state can be copied, shown and saved, so that a live service goes on after a restart as if it had not stopped.
/// `Clone` and `Debug` are
/// derived; [`save`](Self::save) and [`restore`](Self::restore) are a line each for most states:
///
/// ```
/// use forewarn_core::{CoreError, FeatureState, restore_part, save_part};
///
/// /// The largest sample so far.
/// #[derive(Clone, Debug)]
/// struct Peak(f32);
///
/// impl FeatureState for Peak {
///     fn push(&mut self, row: &[f32], out: &mut [f32]) {
///         self.0 = self.0.max(row[0]);
///         out[0] = self.0;
///     }
///
///     fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
///         save_part(&self.0, out)
///     }
///
///     fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
///         self.0 = restore_part(from)?;
///         Ok(())
///     }
/// }
/// ```
pub trait FeatureState: CloneState + fmt::Debug + Send + Sync {
    /// Takes the next row (one value a metric of the input schema, NaN where missing) and writes the feature's
    /// columns of that row to `out`, which is as long as [`Feature::outputs`]. Writes NaN where it cannot tell.
    fn push(&mut self, row: &[f32], out: &mut [f32]);

    /// Takes many rows, one after another, as a call of [`push`](Self::push) for each does: `samples` are the input
    /// rows, `out` the feature's columns of as many rows. There to save a dynamic call for every row; what it writes
    /// must be the same bits.
    fn push_rows(&mut self, samples: Rows<'_>, out: &mut Columns<'_>) {
        for (sample, out) in samples.iter().zip(out.iter_mut()) {
            self.push(sample, out);
        }
    }

    /// Appends what has been seen to `out`: what [`restore`](Self::restore) needs to go on with the same bits.
    /// Settings are left out, since a state
    /// is restored into one that was started with the same; a state that remembers nothing writes nothing. Required,
    /// so that no state is
    /// forgotten.
    ///
    /// # Errors
    /// [`CoreError::NotSavable`] from a state that cannot, which says how many rows of warm-up rebuild it.
    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError>;

    /// Takes what [`save`](Self::save) wrote from the front of `from`, in a state that was started with the same
    /// settings, service and step.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`] for bytes that cannot be used: lengths and ranges are checked, no bytes make it
    /// panic or take memory that they
    /// do not fill. The state is then as it was.
    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError>;
}

/// Copies a [`FeatureState`] behind a pointer. Implemented for every state that is `Clone`; derive that instead.
pub trait CloneState {
    /// A copy that goes on by itself.
    fn clone_state(&self) -> Box<dyn FeatureState>;
}

impl<S: FeatureState + Clone + 'static> CloneState for S {
    fn clone_state(&self) -> Box<dyn FeatureState> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn FeatureState> {
    fn clone(&self) -> Self {
        (**self).clone_state()
    }
}

/// Whole rows of equal width, one after another.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    values: &'a [f32],
    width: usize,
}

impl<'a> Rows<'a> {
    /// Rows of `width` values; values beyond the last whole row are left out. A width of zero has no rows.
    #[must_use]
    #[inline]
    pub fn new(values: &'a [f32], width: usize) -> Self {
        Self { values: if width == 0 { &[] } else { values }, width: width.max(1) }
    }

    /// The rows in order.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [f32]> + use<'a> {
        self.values.chunks_exact(self.width)
    }
}

/// Some neighbouring columns of a block of rows, to be written.
#[derive(Debug)]
pub struct Columns<'a> {
    block: &'a mut [f32],
    width: usize,
    columns: Range<usize>,
}

impl<'a> Columns<'a> {
    /// `columns` of the rows of `width` values that `block` is made of.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`](crate::CoreError::LengthMismatch) for columns beyond the width of a row.
    #[inline]
    pub fn new(block: &'a mut [f32], width: usize, columns: Range<usize>) -> Result<Self, CoreError> {
        if width == 0 || columns.start > columns.end || columns.end > width {
            let (expected, got) = (width, columns.end.max(columns.start));
            return Err(CoreError::LengthMismatch { what: "columns of a row", expected, got });
        }
        Ok(Self { block, width, columns })
    }

    /// These columns of one row after another.
    #[inline]
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        let columns = self.columns.clone();
        self.block.chunks_exact_mut(self.width).map(move |row| &mut row[columns.clone()])
    }
}

impl<F: Feature + ?Sized> Feature for Box<F> {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        (**self).outputs(input)
    }

    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        (**self).start(input, origin)
    }

    fn saved(&self) -> Option<serde_json::Value> {
        (**self).saved()
    }
}

impl<F: Feature + ?Sized> Feature for Arc<F> {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        (**self).outputs(input)
    }

    fn start(&self, input: &Schema, origin: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        (**self).start(input, origin)
    }

    fn saved(&self) -> Option<serde_json::Value> {
        (**self).saved()
    }
}

impl FeatureState for Box<dyn FeatureState> {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        (**self).push(row, out);
    }

    fn push_rows(&mut self, samples: Rows<'_>, out: &mut Columns<'_>) {
        (**self).push_rows(samples, out);
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        (**self).save(out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        (**self).restore(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_lie_within_their_rows() {
        let mut block = [0.0; 6];
        let mut columns = Columns::new(&mut block, 3, 1..3).unwrap();
        for (row, out) in columns.iter_mut().enumerate() {
            out.fill(row as f32 + 1.0);
        }
        assert_eq!(block, [0.0, 1.0, 1.0, 0.0, 2.0, 2.0]);
        assert!(Columns::new(&mut block, 3, 2..4).is_err());
        assert!(Columns::new(&mut block, 0, 0..0).is_err());
        assert_eq!(Rows::new(&block, 0).iter().len(), 0);
        assert_eq!(Rows::new(&block, 4).iter().len(), 1);
    }
}
