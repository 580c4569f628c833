use crate::{Normalisation, Normaliser, Scope, WindowError};
use forewarn_core::{Samples, Train};
use forewarn_schema::FrameSet;

/// Standard scores: each column minus its mean, over its standard deviation, both from training rows. Short for a
/// [`Normaliser`] by [`Normalisation::ZScore`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ZScore;

impl ZScore {
    /// Fits on the training rows of `frames`. One pass; memory for one row of sums a service.
    ///
    /// # Errors
    /// As [`Normaliser::fit`].
    pub fn fit(train: &Train<Samples>, frames: &FrameSet, scope: Scope) -> Result<Normaliser, WindowError> {
        Normaliser::fit(train, frames, Normalisation::ZScore, scope)
    }
}
