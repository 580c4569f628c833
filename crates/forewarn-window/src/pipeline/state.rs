use super::Pipeline;
use crate::{BoundFeatures, FeaturesState, Normaliser, RowNormaliser, WindowError};
use forewarn_core::{CoreError, Fingerprint, Origin, Pushed, RowBuffer, Windows, seal, unseal};
use forewarn_schema::{Layout, Schema, Timestamp};
use std::{fmt, sync::Arc};

/// A [`Pipeline`] on rows of a schema and for windows of a length, checked once: what the live states of all services
/// share. Copies are cheap.
#[derive(Clone)]
pub struct BoundPipeline(Arc<Bound>);

struct Bound {
    features: BoundFeatures,
    normaliser: Normaliser,
    /// For services that were not trained on.
    of_all: Arc<RowNormaliser>,
    schema: Schema,
    observation: usize,
    last_row: [u32; 1],
    fingerprint: Fingerprint,
}

impl BoundPipeline {
    pub(super) fn new(pipeline: &Pipeline, input: &Schema, observation: usize) -> Result<Self, WindowError> {
        let (features, normaliser) = (pipeline.features.bind(input)?, pipeline.normaliser.clone());
        let schema = normaliser.schema(features.schema())?;
        RowBuffer::new(schema.len(), observation)?;
        let last_row = observation.checked_sub(1).and_then(|last| u32::try_from(last).ok());
        let last_row = last_row.ok_or(CoreError::WindowTooLong { observation, lead: 0, period: 0 })?;
        let fingerprint = Fingerprint::of("window").and(&normaliser)?.and(&observation)?;
        let of_all = normaliser.of_live_service(None).unwrap_or_else(|| normaliser.of_service(""));
        Ok(Self(Arc::new(Bound {
            of_all: Arc::new(of_all),
            last_row: [last_row],
            features,
            normaliser,
            schema,
            observation,
            fingerprint,
        })))
    }

    /// The metrics of a row that is pushed.
    #[must_use]
    pub fn input(&self) -> &Schema {
        self.0.features.input()
    }

    /// The columns of a window.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// Rows of a window.
    #[must_use]
    pub fn observation(&self) -> usize {
        self.0.observation
    }

    /// The state of a service of which no row has been seen; its first row is due at the origin's start.
    ///
    /// # Errors
    /// As [`BoundFeatures::start`] and [`Layout::new`].
    pub fn start(&self, origin: Origin<'_>) -> Result<WindowState, WindowError> {
        let Bound { features, normaliser, of_all, schema, observation, fingerprint, .. } = &*self.0;
        let own = normaliser.of_live_service(Some(origin.service)).map(Arc::new);
        let fingerprint = fingerprint.and(&features.fingerprint(origin)?)?;
        let features = features.start(origin)?;
        let place = Layout::new(origin.step, [(features.shared_service(), origin.start, *observation)])?;
        Ok(WindowState {
            features,
            normaliser: own.unwrap_or_else(|| Arc::clone(of_all)),
            rows: RowBuffer::new(schema.len(), *observation)?,
            fingerprint,
            place,
            pipeline: self.clone(),
        })
    }
}

impl fmt::Debug for BoundPipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundPipeline")
            .field("features", &self.0.features)
            .field("observation", &self.0.observation)
            .finish_non_exhaustive()
    }
}

/// The last window of one service's live rows, as a model sees it; equal to the window of [`Pipeline::apply`] on a
/// frame of the same rows, bit for
/// bit, and knowing its service and time as that does.
///
/// Memory: two windows of rows, 8 bytes for each value of a window; about 350 bytes; 12 a column where the normaliser
/// knows the service; and what
/// the features take. Saved: 4 bytes a value of a window, about 40, and what the features say.
#[derive(Clone, Debug)]
pub struct WindowState {
    pipeline: BoundPipeline,
    features: FeaturesState,
    normaliser: Arc<RowNormaliser>,
    rows: RowBuffer,
    /// The service and the times of the window's rows.
    place: Layout,
    fingerprint: Fingerprint,
}

impl WindowState {
    /// The same with another longest gap that is filled; see [`FeaturesState::with_longest_gap`].
    #[must_use]
    pub fn with_longest_gap(self, rows: u64) -> Self {
        Self { features: self.features.with_longest_gap(rows), ..self }
    }

    /// The columns of a window.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        self.pipeline.schema()
    }

    /// Service.
    #[must_use]
    pub fn service(&self) -> &str {
        self.features.service()
    }

    /// The same, shared: a copy takes no memory.
    #[must_use]
    pub fn shared_service(&self) -> Arc<str> {
        self.features.shared_service()
    }

    /// Time of the row that is due next.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.features.next()
    }

    /// Takes the row at `time` and gives the one window that ends in it; `None` until there are enough rows. Rows that
    /// never came are missing,
    /// and after too long a gap the service [begins again](FeaturesState::push_at). Allocates nothing.
    ///
    /// # Errors
    /// As [`FeaturesState::push_at`]. A row with a column too large for an `f32` is missing from the windows that
    /// follow.
    pub fn push_at(
        &mut self,
        time: Timestamp,
        row: &[f32],
    ) -> Result<Pushed<Option<Windows<'_>>>, CoreError> {
        let Self { pipeline, features, normaliser, rows, place, .. } = self;
        let (admitted, before) = (features.admit(time, row)?, features.next());
        let after = time.checked_add(place.step(), 1).unwrap_or(time);
        place.end_at(0, after)?;
        let (mut first, mut too_large) = (admitted.restarted, None);
        let taken = features.take(admitted, time, row, |made, time| {
            normaliser.apply(made);
            if let Err(error) = pipeline.schema().check_row(made) {
                made.fill(f32::NAN);
                too_large.get_or_insert((error, time));
            }
            if std::mem::take(&mut first) {
                rows.clear();
            }
            rows.push(made).expect("a row has the columns of the pipeline");
        });
        if let Err(error) = taken {
            place.end_at(0, before)?;
            return Err(error);
        }
        match too_large {
            Some((error, time)) => Err(error.in_row(self.service(), time).into()),
            None => Ok(admitted.and(self.window())),
        }
    }

    /// The window that ends in the last row; `None` until there are enough rows.
    #[must_use]
    pub fn window(&self) -> Option<Windows<'_>> {
        let Bound { schema, observation, last_row, .. } = &*self.pipeline.0;
        let windows = Windows::new(schema, self.rows.window()?, *observation, last_row).ok()?;
        Some(windows.with_layout(&self.place))
    }

    /// Appends what has been seen to `out`, without the settings.
    ///
    /// # Errors
    /// [`CoreError::NotSavable`] from a feature of your own that cannot be saved.
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        seal(self.fingerprint, out, |out| {
            self.rows.save(out)?;
            self.features.save_body(out)
        })
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there: the same bits as if it
    /// had never stopped.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`], and [`CoreError::ForeignState`] for a state of another service, step, schema,
    /// pipeline or length of windows. The
    /// state is then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let mut body = unseal(self.fingerprint, &format!("the window of {}", self.service()), &mut rest)?;
        let mut rows = RowBuffer::new(self.schema().len(), self.pipeline.observation())?;
        rows.restore(&mut body)?;
        self.features.restore_body(&mut body)?;
        // Windows end before the row that is due.
        self.place.end_at(0, self.features.next())?;
        self.rows = rows;
        *from = rest;
        Ok(())
    }
}
