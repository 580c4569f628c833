use super::{Fingerprint, RowBuffer, RowClock, restore_part, save_part, seal, unseal};
use crate::{CoreError, Origin, Windows};
use forewarn_schema::{Layout, Schema, ServiceRows, Timestamp};
use std::sync::Arc;

/// What became of a row that was pushed, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed<T> {
    /// Rows between the one before and this one that never came, and count as missing.
    pub missing_rows: u64,
    /// Whether the gap was long enough that all that had been seen was forgotten: the stream is then that of a service
    /// whose first row is this one.
    pub restarted: bool,
    /// What the row gave.
    pub result: T,
}

impl<T> Pushed<T> {
    /// The same gap, with another result.
    pub fn and<U>(self, result: U) -> Pushed<U> {
        Pushed { missing_rows: self.missing_rows, restarted: self.restarted, result }
    }
}

/// The last window of one service's live rows as they are measured, knowing its service and time as a window of a
/// frame does. For rows that a
/// pipeline makes there is `WindowState` of forewarn-window.
///
/// Memory: two windows of rows, 8 bytes for each value of a window, and about 200 bytes. Saved: 4 bytes a value and
/// about 40.
#[derive(Clone, Debug)]
pub struct RowsState {
    schema: Schema,
    rows: RowBuffer,
    clock: RowClock,
    /// The service and the times of the window's rows.
    place: Layout,
    last_row: [u32; 1],
    fingerprint: Fingerprint,
}

impl RowsState {
    /// The state of a service of which no row has been seen, for windows of `observation` rows; its first row is due
    /// at the origin's start.
    ///
    /// # Errors
    /// As [`RowBuffer::new`] and [`Layout::new`].
    pub fn start(schema: &Schema, observation: usize, origin: Origin<'_>) -> Result<Self, CoreError> {
        let fingerprint =
            Fingerprint::of("rows").and(schema)?.and(&(observation, origin.step))?.and_text(origin.service);
        let rows = RowBuffer::new(schema.len(), observation)?;
        // A layout holds no more rows than 32 bits can number.
        let place = Layout::new(origin.step, [(origin.service, origin.start, observation)])?;
        let (clock, last_row) = (RowClock::new(origin.start, origin.step), [(observation - 1) as u32]);
        Ok(Self { schema: schema.clone(), rows, clock, place, last_row, fingerprint })
    }

    /// Service.
    #[must_use]
    pub fn service(&self) -> &str {
        self.place.services().first().map_or("", |place| place.name())
    }

    /// The same, shared: a copy takes no memory.
    #[must_use]
    pub fn shared_service(&self) -> Arc<str> {
        self.place.services().first().map_or_else(|| "".into(), ServiceRows::shared_name)
    }

    /// Time of the row that is due next.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.clock.next()
    }

    /// Takes the row at `time`, and counts those between the one before and it as missing; gives the one window that
    /// ends in it, `None` until
    /// there are enough rows. A gap of any length takes no more work than a window. Allocates nothing.
    ///
    /// # Errors
    /// [`CoreError::LateRow`] and [`CoreError::OffClock`], and as [`Schema::check_row`], in its
    /// [row](forewarn_schema::SchemaError::InRow), for a row that no frame could hold. The state is then as it was.
    pub fn push_at(
        &mut self,
        time: Timestamp,
        row: &[f32],
    ) -> Result<Pushed<Option<Windows<'_>>>, CoreError> {
        self.schema.check_row(row).map_err(|error| error.in_row(self.service(), time))?;
        let missing_rows = self.clock.missing_before(self.service(), time)?;
        self.place.end_at(0, self.clock.after(time)?)?;
        self.clock.pass(time)?;
        self.rows.push_missing(missing_rows);
        self.rows.push(row)?;
        Ok(Pushed { missing_rows, restarted: false, result: self.window() })
    }

    /// The window that ends in the last row; `None` until there are enough rows.
    #[must_use]
    pub fn window(&self) -> Option<Windows<'_>> {
        let (window, observation) = (self.rows.window()?, self.rows.observation());
        let windows = Windows::new(&self.schema, window, observation, &self.last_row).ok()?;
        Some(windows.with_layout(&self.place))
    }

    /// Appends what has been seen to `out`.
    ///
    /// # Errors
    /// As [`save_part`].
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        seal(self.fingerprint, out, |out| {
            save_part(&self.clock.next().millis(), out)?;
            self.rows.save(out)
        })
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there: the same bits as if it
    /// had never stopped.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`], and [`CoreError::ForeignState`] for a state of another service, step, schema or
    /// observation. The state is then
    /// as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let mut body = unseal(self.fingerprint, &format!("the rows of {}", self.service()), &mut rest)?;
        let millis = restore_part(&mut body)?;
        let next = Timestamp::from_millis(millis)
            .ok_or_else(|| CoreError::damaged_state(format!("{millis} ms is beyond the calendar")))?;
        let mut place = self.place.clone();
        place.end_at(0, next)?;
        self.rows.restore(&mut body)?;
        self.place = place;
        self.clock = RowClock::new(next, self.clock.step());
        *from = rest;
        Ok(())
    }
}
