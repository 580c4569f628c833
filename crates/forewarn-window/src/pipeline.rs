//! From raw metrics to what a model sees.

mod state;

use crate::{
    Features, Normalisation, Normaliser, RowNormaliser, Scope, WindowError, features::ListState, normaliser,
};
use forewarn_core::{Samples, Train};
use forewarn_schema::{FrameSet, Schema};
use serde::{Deserialize, Serialize};
pub use state::{BoundPipeline, WindowState};

/// Features and the normaliser that was fitted on them: from raw metrics to what a model sees, in one pass.
///
/// The columns are those of [`Features::apply`] and [`Normaliser::apply`] after one another, bit for bit, without the
/// block of features that lies between: each few rows are computed, normalised and checked while they are in the
/// cache.
///
/// It is data: written and read by serde, to lie beside a model's weights. What is read gives the same bits.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    features: Features,
    normaliser: Normaliser,
    #[serde(skip, default = "one_thread")]
    threads: usize,
}

fn one_thread() -> usize {
    1
}

impl Pipeline {
    /// Fits a normaliser on the features of training rows. One pass over the frames up to the last training row; for
    /// [`Normalisation::ZScore`] and [`Normalisation::MinMax`] nothing is kept of a row but sums.
    ///
    /// `threads` is how many threads services are shared out to, here and in [`apply`](Self::apply); it changes no bit.
    ///
    /// # Errors
    /// As [`Features::schema`] and [`Normaliser::fit`].
    pub fn fit(
        features: Features,
        train: &Train<Samples>,
        frames: &FrameSet,
        method: Normalisation,
        scope: Scope,
        threads: usize,
    ) -> Result<Self, WindowError> {
        let normaliser = normaliser::fit_features(train, frames, &features, method, scope, threads)?;
        Ok(Self { features, normaliser, threads })
    }

    /// Features and a normaliser that was fitted, or read, before.
    #[must_use]
    pub fn new(features: Features, normaliser: Normaliser) -> Self {
        Self { features, normaliser, threads: 1 }
    }

    /// The same with services shared out to this number of threads in [`apply`](Self::apply), which changes no bit.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// The same with results cut off; see [`Normaliser::with_limit`].
    ///
    /// # Errors
    /// [`WindowError::InvalidLimit`] unless `limit` is positive.
    pub fn with_limit(self, limit: f32) -> Result<Self, WindowError> {
        Ok(Self { normaliser: self.normaliser.with_limit(limit)?, ..self })
    }

    /// The features.
    #[must_use]
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// The fitted normaliser, to be saved with the model.
    #[must_use]
    pub fn normaliser(&self) -> &Normaliser {
        &self.normaliser
    }

    /// The features, to be refitted on other rows.
    #[must_use]
    pub fn into_features(self) -> Features {
        self.features
    }

    /// The columns, for frames of `input`.
    ///
    /// # Errors
    /// As [`Features::schema`]; [`WindowError::ColumnMismatch`] for other columns than those of the fit.
    pub fn schema(&self, input: &Schema) -> Result<Schema, WindowError> {
        self.normaliser.schema(&self.features.schema(input)?)
    }

    /// Computes the normalised columns of every row. Linear in rows; allocates the result only.
    ///
    /// # Errors
    /// As [`schema`](Self::schema); out of range for a value too large for an `f32`.
    pub fn apply(&self, frames: &FrameSet) -> Result<FrameSet, WindowError> {
        self.apply_in(Vec::new(), frames)
    }

    /// [`apply`](Self::apply) in memory that is there already: the [`FrameSet::into_values`] of the fold before, say.
    /// Fresh memory costs about as much as the columns that are written to it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_in(&self, memory: Vec<f32>, frames: &FrameSet) -> Result<FrameSet, WindowError> {
        let between = self.features.schema(frames.schema())?;
        let schema = self.normaliser.schema(&between)?;
        let normalisers =
            frames.layout().services().iter().map(|place| self.normaliser.of_service(place.name()));
        let columns = self.features.columns(frames.layout(), frames.schema())?;
        let states = columns.into_iter().zip(normalisers).collect();
        let fill =
            |(columns, normaliser): &mut (ListState, RowNormaliser), samples: &[f32], block: &mut [f32]| {
                columns.write_rows(samples, block);
                normaliser.apply(block);
            };
        Ok(frames.derive_blocks_in(memory, schema, states, self.threads, fill)?)
    }

    /// This pipeline on rows of `input`, for windows of `observation` rows: what the live states of all services share.
    ///
    /// # Errors
    /// As [`schema`](Self::schema) and [`RowBuffer::new`](forewarn_core::RowBuffer::new).
    pub fn bind(&self, input: &Schema, observation: usize) -> Result<BoundPipeline, WindowError> {
        BoundPipeline::new(self, input, observation)
    }
}
