use crate::CoreError;
use forewarn_schema::{Step, Timestamp};

/// When the rows of one service are due: which row comes next, and which rows between it and one that came are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowClock {
    next: Timestamp,
    step: Step,
}

impl RowClock {
    /// A clock whose first row is due at `start`.
    #[must_use]
    pub fn new(start: Timestamp, step: Step) -> Self {
        Self { next: start, step }
    }

    /// Time of the row that is due next.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.next
    }

    /// Time between rows.
    #[must_use]
    pub fn step(&self) -> Step {
        self.step
    }

    /// Rows that are missing before a row at `time`: 0 for the one that is due. Nothing is changed.
    ///
    /// # Errors
    /// [`CoreError::LateRow`] for a row that came already or before, [`CoreError::OffClock`] for one between two times
    /// of the clock.
    pub fn missing_before(&self, service: &str, time: Timestamp) -> Result<u64, CoreError> {
        if time < self.next {
            return Err(CoreError::LateRow { service: service.to_owned(), time, due: self.next });
        }
        // Both are times of the calendar, so their distance is an `i64`, and not negative.
        let span = time.millis() - self.next.millis();
        if span % self.step.millis() != 0 {
            let (due, step_millis) = (self.next, self.step.millis());
            return Err(CoreError::OffClock { service: service.to_owned(), time, due, step_millis });
        }
        Ok((span / self.step.millis()).unsigned_abs())
    }

    /// The row at `time` has come: the next one is due a step later.
    ///
    /// # Errors
    /// [`SchemaError::TimeOverflow`](forewarn_schema::SchemaError::TimeOverflow) in the last step of the calendar,
    /// which leaves the clock as it was.
    pub fn pass(&mut self, time: Timestamp) -> Result<(), CoreError> {
        self.next = self.after(time)?;
        Ok(())
    }

    /// The row that is due after one at `time`.
    ///
    /// # Errors
    /// As [`pass`](Self::pass).
    pub fn after(&self, time: Timestamp) -> Result<Timestamp, CoreError> {
        time.checked_add(self.step, 1).ok_or_else(|| {
            let step_millis = self.step.millis();
            forewarn_schema::SchemaError::TimeOverflow { start: time, steps: 1, step_millis }.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_due_early_late_or_between() {
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000).unwrap();
        let mut clock = RowClock::new(at(5), Step::MINUTE);
        assert_eq!(clock.missing_before("s", at(5)).unwrap(), 0);
        assert_eq!(clock.missing_before("s", at(9)).unwrap(), 4);
        clock.pass(at(9)).unwrap();
        let text = |time| clock.missing_before("s", time).unwrap_err().to_string();
        assert_eq!(
            text(at(9)),
            "s: the row at 1970-01-01T00:09:00Z is late or repeated: the next one is due at 1970-01-01T00:10:00Z"
        );
        assert_eq!(
            text(Timestamp::from_millis(630_000).unwrap()),
            "s: a row at 1970-01-01T00:10:30Z is not on the clock: rows are due at 1970-01-01T00:10:00Z and every \
             60000 ms after it; round its time to that, or align raw samples first"
        );
        let end: Timestamp = "9999-12-30T22:00:00Z".parse().unwrap();
        let year = Step::from_millis(365 * 86_400_000).unwrap();
        let mut last = RowClock::new(end, year);
        assert!(last.pass(end).is_err());
        assert_eq!(last.next(), end);
    }
}
