use crate::LabelError;
use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_schema::{Step, Timestamp};

/// Most missed steps between two rows: a year of minutes. More is a stray time, not a gap.
const MOST_MISSED: usize = 366 * 1440;

/// The clock of live rows: which row a time is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clock {
    start: Timestamp,
    step: Step,
}

impl Clock {
    pub(crate) fn new(start: Timestamp, step: Step) -> Self {
        Self { start, step }
    }

    /// Appends when the first row was.
    pub(crate) fn save(self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.start.millis(), out)
    }

    /// The same clock from the start that [`save`](Self::save) wrote; `rows` rows of it must be on the calendar.
    pub(crate) fn restored(self, rows: usize, from: &mut &[u8]) -> Result<Self, CoreError> {
        let millis = restore_part(from)?;
        let clock = Timestamp::from_millis(millis).map(|start| Self { start, ..self });
        clock.filter(|clock| clock.time(rows).is_ok()).ok_or_else(|| {
            CoreError::damaged_state(format!("{rows} rows from {millis} ms on go beyond the calendar"))
        })
    }

    pub(crate) fn step(self) -> Step {
        self.step
    }

    /// The time of a row.
    pub(crate) fn time(self, row: usize) -> Result<Timestamp, LabelError> {
        let time = i64::try_from(row).ok().and_then(|row| self.start.checked_add(self.step, row));
        time.ok_or(LabelError::BeyondCalendar { start: self.start, row })
    }

    /// How many rows were missed before one at `time`, when `rows` rows were seen.
    pub(crate) fn missed(self, rows: usize, time: Timestamp) -> Result<usize, LabelError> {
        let expected = self.time(rows)?;
        let behind = time.millis() - expected.millis();
        if behind < 0 {
            return Err(LabelError::LateRow { time, expected });
        }
        if behind % self.step.millis() != 0 {
            return Err(LabelError::RowOffClock { time, expected, step_millis: self.step.millis() });
        }
        match usize::try_from(behind / self.step.millis()) {
            Ok(missed) if missed <= MOST_MISSED => Ok(missed),
            _ => Err(LabelError::GapTooLong { time, expected, most: MOST_MISSED }),
        }
    }
}
