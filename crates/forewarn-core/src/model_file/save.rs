use super::{Envelope, ModelFileError};
use crate::{Predictor, WindowSpec};

/// A model that can be saved.
///
/// A type implements it together with [`Predictor::as_save`], so that a `dyn Predictor` of whatever type can be
/// saved; what was saved is read by the reader that a [`Registry`](super::Registry) has for its kind, and scores the
/// same bits.
pub trait Save: Predictor {
    /// The model as a saved one, for windows of `window`. Pipeline and policy are left to the caller.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`](crate::CoreError::LengthMismatch) in [`ModelFileError::Core`] when `window`
    /// observes another number of rows than the model was fitted for; [`ModelFileError::NotSavable`] for a model
    /// inside it that has no way to be saved.
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError>;
}
