use crate::{
    Features, Method, Normaliser, RowNormaliser, Scope, WindowError, features::FeatureStream, normaliser,
};
use forewarn_core::{CoreError, Origin, RowBuffer, Samples, Train};
use forewarn_schema::{FrameSet, Schema};
use serde::{Deserialize, Serialize};

/// Features and the normaliser that was fitted on them: from raw metrics to what a model sees, in one pass.
///
/// The columns are those of [`Features::apply`] and [`Normaliser::apply`] after one another, to the bit, without the block of features that
/// lies between: each few rows are computed, normalised and checked while they are in the cache.
///
/// It is data: written and read by serde, to lie beside a model's weights. What is read gives the same bits.
#[derive(Serialize, Deserialize)]
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
    /// [`Method::ZScore`] and [`Method::MinMax`] nothing is kept of a row but sums.
    ///
    /// `threads` is how many threads services are shared out to, here and in [`apply`](Self::apply); it changes no bit.
    ///
    /// # Errors
    /// As [`Features::schema`] and [`Normaliser::fit`].
    pub fn fit(
        features: Features,
        train: &Train<Samples>,
        frames: &FrameSet,
        method: Method,
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

    /// The same with services shared out to so many threads in [`apply`](Self::apply), which changes no bit.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
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

    /// The features, to be fitted anew on other rows.
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

    /// [`apply`](Self::apply) in memory that is there already: the [`FrameSet::into_values`] of the fold before, say. Fresh memory
    /// costs about as much as the columns that are written to it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_in(&self, memory: Vec<f32>, frames: &FrameSet) -> Result<FrameSet, WindowError> {
        let between = self.features.schema(frames.schema())?;
        let schema = self.normaliser.schema(&between)?;
        let normalisers =
            frames.layout().services().iter().map(|place| self.normaliser.of_service(place.name()));
        let states = self.features.streams(frames, &between)?.into_iter().zip(normalisers).collect();
        let fill = |(stream, normaliser): &mut (FeatureStream, RowNormaliser),
                    samples: &[f32],
                    block: &mut [f32]| {
            stream.write_rows(samples, block);
            normaliser.apply(block);
        };
        Ok(frames.derive_blocks_in(memory, schema, states, self.threads, fill)?)
    }

    /// A live stream of one service: push a sample, get the window that ends in it.
    ///
    /// # Errors
    /// As [`schema`](Self::schema) and [`RowBuffer::new`].
    pub fn stream(
        &self,
        input: &Schema,
        origin: Origin<'_>,
        observation: usize,
    ) -> Result<WindowStream, WindowError> {
        let schema = self.schema(input)?;
        Ok(WindowStream {
            features: self.features.stream(input, origin)?,
            normaliser: self.normaliser.of_service(origin.service),
            rows: RowBuffer::new(schema.len(), observation)?,
            row: vec![f32::NAN; schema.len()],
            schema,
        })
    }
}

/// The last window of one service's live rows, as a model sees it; equal to the window of [`Pipeline::apply`] to the bit.
pub struct WindowStream {
    features: FeatureStream,
    normaliser: RowNormaliser,
    rows: RowBuffer,
    row: Vec<f32>,
    schema: Schema,
}

impl WindowStream {
    /// The columns of a window.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Takes the next sample (all NaN for a missed step) and gives the window that ends in it, a contiguous `[observation, feature]`
    /// slice; `None` until there are enough rows. Allocates nothing.
    ///
    /// # Errors
    /// As [`Schema::check_row`], in its [row](forewarn_schema::SchemaError::InRow): for a sample that no frame could hold, which leaves the stream
    /// as it was, and for a column too large for an `f32`, when the sample has been taken in and its row is missing.
    pub fn push(&mut self, sample: &[f32]) -> Result<Option<&[f32]>, CoreError> {
        self.features.take_in(sample, &mut self.row)?;
        self.normaliser.apply(&mut self.row);
        let made = self.features.check_made(&self.schema, &self.row);
        if made.is_err() {
            self.row.fill(f32::NAN);
        }
        self.rows.push(&self.row)?;
        made?;
        Ok(self.rows.window())
    }
}
