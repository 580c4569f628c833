use super::{Features, scratch::Scratch};
use crate::WindowError;
use forewarn_core::{
    CoreError, FeatureState, Fingerprint, Origin, Pushed, RowClock, Rows, restore_part, save_part, seal,
    unseal,
};
use forewarn_schema::{Schema, SchemaError, Timestamp};
use std::{fmt, sync::Arc};

/// Rows that are filled where a live service was silent, unless said otherwise: a day of minutes. After a longer gap
/// it begins again.
pub const LONGEST_GAP_ROWS: u64 = 1_440;

/// The columns of all features of a list, in the middle of one service's rows.
#[derive(Clone, Debug)]
pub(crate) struct ListState {
    /// With the number of its columns.
    states: Vec<(Box<dyn FeatureState>, usize)>,
    input_width: usize,
    width: usize,
}

impl ListState {
    pub(crate) fn start(
        features: &Features,
        input: &Schema,
        origin: Origin<'_>,
    ) -> Result<Self, SchemaError> {
        let states =
            features.parts.iter().map(|part| Ok((part.start(input, origin)?, part.outputs(input)?.len())));
        let states: Vec<_> = states.collect::<Result<_, SchemaError>>()?;
        let width = states.iter().map(|(_, width)| width).sum();
        Ok(Self { states, input_width: input.len(), width })
    }

    /// Computes the rows of `block` from as many rows of `samples`.
    pub(crate) fn write_rows(&mut self, samples: &[f32], block: &mut [f32]) {
        let (samples, mut column) = (Rows::new(samples, self.input_width), 0);
        for (state, width) in &mut self.states {
            let mut columns = forewarn_core::Columns::new(block, self.width, column..column + *width)
                .expect("the columns of all parts are those of the list");
            state.push_rows(samples, &mut columns);
            column += *width;
        }
    }
}

impl FeatureState for ListState {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        let mut rest = out;
        for (state, width) in &mut self.states {
            let (out, after) = rest.split_at_mut(*width);
            state.push(row, out);
            rest = after;
        }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.states.iter().try_for_each(|(state, _)| state.save(out))
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let (mut restored, mut rest) = (self.states.clone(), *from);
        restored.iter_mut().try_for_each(|(state, _)| state.restore(&mut rest))?;
        (self.states, *from) = (restored, rest);
        Ok(())
    }
}

/// A list of features on rows of a schema, checked once: what the live states of all services share. Copies are cheap.
#[derive(Clone)]
pub struct BoundFeatures(Arc<Bound>);

struct Bound {
    features: Features,
    input: Schema,
    schema: Schema,
    /// A row that never came.
    missing: Vec<f32>,
    fingerprint: Fingerprint,
}

impl BoundFeatures {
    pub(super) fn new(features: &Features, input: &Schema) -> Result<Self, WindowError> {
        let schema = features.schema(input)?;
        let fingerprint = Fingerprint::of("features").and(input)?.and(&schema)?.and(&features.values())?;
        let (features, missing) = (features.clone(), vec![f32::NAN; input.len()]);
        Ok(Self(Arc::new(Bound { features, input: input.clone(), schema, missing, fingerprint })))
    }

    /// The metrics of a row that is pushed.
    #[must_use]
    pub fn input(&self) -> &Schema {
        &self.0.input
    }

    /// The columns of a row that is made.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// The state of a service of which no row has been seen; its first row is due at the origin's start.
    ///
    /// # Errors
    /// None of this crate's features; a feature of your own may have some.
    pub fn start(&self, origin: Origin<'_>) -> Result<FeaturesState, WindowError> {
        Ok(FeaturesState {
            columns: ListState::start(&self.0.features, &self.0.input, origin)?,
            clock: RowClock::new(origin.start, origin.step),
            longest_gap_rows: LONGEST_GAP_ROWS,
            row: Vec::new(),
            scratch: Scratch::default(),
            service: origin.service.into(),
            bound: self.clone(),
        })
    }

    pub(crate) fn fingerprint(&self, origin: Origin<'_>) -> Result<Fingerprint, CoreError> {
        Ok(self.0.fingerprint.and(&origin.step)?.and_text(origin.service))
    }
}

impl fmt::Debug for BoundFeatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundFeatures")
            .field("input", &self.0.input.names().collect::<Vec<_>>())
            .field("columns", &self.0.schema.names().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Features of one service's live rows; equal to [`Features::apply`] on a frame of the same rows, bit for bit.
///
/// Memory: about 170 bytes, and what each feature remembers; 4 a column where there are more than 64, or where
/// [`push_at`](Self::push_at) is called. Saved: 27 bytes and what each feature says.
#[derive(Clone, Debug)]
pub struct FeaturesState {
    bound: BoundFeatures,
    service: Arc<str>,
    clock: RowClock,
    longest_gap_rows: u64,
    columns: ListState,
    /// The row that was made last, where its features are all that is asked for.
    row: Vec<f32>,
    scratch: Scratch,
}

impl FeaturesState {
    /// The same with another longest gap that is filled with missing rows, [`LONGEST_GAP_ROWS`] unless said otherwise.
    /// Each row of a gap takes as
    /// much work as a row that comes; after a longer gap all that was seen is forgotten.
    #[must_use]
    pub fn with_longest_gap(self, rows: u64) -> Self {
        Self { longest_gap_rows: rows, ..self }
    }

    /// The columns that a row has.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        self.bound.schema()
    }

    /// Service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The same, shared: a copy takes no memory.
    #[must_use]
    pub fn shared_service(&self) -> Arc<str> {
        Arc::clone(&self.service)
    }

    /// Time of the row that is due next.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.clock.next()
    }

    /// Takes the row at `time` and gives its features. Rows between the one before and this one are missing, all NaN,
    /// as in a frame; more than the [longest gap](Self::with_longest_gap) make the features begin again, as for a
    /// service whose first row is this one.
    ///
    /// # Errors
    /// [`CoreError::LateRow`] and [`CoreError::OffClock`], and as [`Schema::check_row`], in its
    /// [row](SchemaError::InRow), for a row that no frame
    /// could hold: the state is then as it was. For a feature too large for an `f32`, of this row or a missing one,
    /// when the row has been taken in.
    pub fn push_at(&mut self, time: Timestamp, row: &[f32]) -> Result<Pushed<&[f32]>, CoreError> {
        let (bound, service, mut too_large) = (self.bound.clone(), Arc::clone(&self.service), None);
        let (admitted, mut made) = (self.admit(time, row)?, std::mem::take(&mut self.row));
        let taken = self.take(admitted, time, row, |row, time| {
            made.clear();
            made.extend_from_slice(row);
            if let Err(error) = bound.schema().check_row(row) {
                too_large.get_or_insert(error.in_row(&*service, time));
            }
        });
        self.row = made;
        taken?;
        match too_large {
            Some(error) => Err(error.into()),
            None => Ok(admitted.and(&self.row)),
        }
    }

    /// What comes before the row at `time`, unless it is refused. Changes nothing.
    pub(crate) fn admit(&self, time: Timestamp, row: &[f32]) -> Result<Pushed<()>, CoreError> {
        self.bound.input().check_row(row).map_err(|error| error.in_row(&*self.service, time))?;
        let missing_rows = self.clock.missing_before(&self.service, time)?;
        self.clock.after(time)?;
        Ok(Pushed { missing_rows, restarted: missing_rows > self.longest_gap_rows, result: () })
    }

    /// Takes a row that was admitted, and gives the features of each missing row before it and its own to `made`.
    pub(crate) fn take(
        &mut self,
        admitted: Pushed<()>,
        time: Timestamp,
        row: &[f32],
        mut made: impl FnMut(&mut [f32], Timestamp),
    ) -> Result<(), CoreError> {
        let Self { bound, service, clock, columns, scratch, .. } = self;
        let Bound { features, input, schema, missing, .. } = &*bound.0;
        scratch.row(schema.len(), |own| {
            if admitted.restarted {
                let origin = Origin { service, start: time, step: clock.step() };
                *columns = ListState::start(features, input, origin)?;
            } else {
                for _ in 0..admitted.missing_rows {
                    let now = clock.next();
                    columns.push(missing, own);
                    made(own, now);
                    clock.pass(now)?;
                }
            }
            columns.push(row, own);
            made(own, time);
            clock.pass(time)
        })
    }

    /// Appends what has been seen to `out`, without the settings.
    ///
    /// # Errors
    /// [`CoreError::NotSavable`] from a feature of your own that cannot be saved.
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        seal(self.fingerprint()?, out, |out| self.save_body(out))
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there: the same bits as if it
    /// had never stopped.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`], and [`CoreError::ForeignState`] for a state of another service, step, schema or
    /// list of features. The state is
    /// then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let what = format!("the features of {}", self.service);
        let mut body = unseal(self.fingerprint()?, &what, &mut rest)?;
        self.restore_body(&mut body)?;
        *from = rest;
        Ok(())
    }

    fn fingerprint(&self) -> Result<Fingerprint, CoreError> {
        let (service, start, step) = (&*self.service, self.clock.next(), self.clock.step());
        self.bound.fingerprint(Origin { service, start, step })
    }

    pub(crate) fn save_body(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.clock.next().millis(), out)?;
        self.columns.save(out)
    }

    pub(crate) fn restore_body(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let millis = restore_part(&mut rest)?;
        let next = Timestamp::from_millis(millis)
            .ok_or_else(|| CoreError::damaged_state(format!("{millis} ms is beyond the calendar")))?;
        self.columns.restore(&mut rest)?;
        self.clock = RowClock::new(next, self.clock.step());
        *from = rest;
        Ok(())
    }
}
