//! Times at which windows can be labelled, and spans of them.

use crate::WindowError;
use forewarn_core::{Exclusion, Label, Labels};
use forewarn_schema::Timestamp;
use std::ops::Range;

/// The clock of a set of labels: from the first to the last time at which a window of any service can be labelled.
pub(crate) struct Clock {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// After all rows.
    end: Timestamp,
    step: i64,
    purge: i64,
}

impl Clock {
    pub(crate) fn of(labels: &Labels) -> Result<Self, WindowError> {
        let (layout, observation) = (labels.layout(), labels.spec().observation());
        let counts = |row: &usize| labels.as_slice()[*row] != Label::Excluded(Exclusion::Censored);
        let mut times: Option<(Timestamp, Timestamp)> = None;
        for place in layout.services() {
            let rows = place.rows();
            let mut rows = (rows.start + observation - 1).min(rows.end)..rows.end;
            let Some(first) = rows.clone().find(counts) else { continue };
            let last = rows.rfind(counts).unwrap_or(first);
            for (_, time) in [first, last].into_iter().filter_map(|row| layout.locate(row)) {
                let (first, last) = times.unwrap_or((time, time));
                times = Some((first.min(time), last.max(time)));
            }
        }
        let step = layout.step().millis();
        let purge = i64::try_from(labels.purge()).unwrap_or(i64::MAX).saturating_mul(step);
        match times.zip(layout.span()) {
            Some(((first, last), (_, end))) => Ok(Self { first, last, end, step, purge }),
            None => {
                let longest = layout.services().iter().map(|place| place.rows().len()).max().unwrap_or(0);
                Err(WindowError::TooShort { needed: labels.purge(), longest })
            }
        }
    }

    /// Steps from the first to the last time, both counted.
    pub(crate) fn steps(&self) -> i64 {
        (self.last.millis() - self.first.millis()) / self.step + 1
    }

    /// This number of steps after the first time, kept within the clock.
    pub(crate) fn at(&self, steps: i64) -> Timestamp {
        self.clamp(self.first.millis().saturating_add(steps.saturating_mul(self.step)))
    }

    /// From `start` on, up to the last time a purge before `next`, the start of the part that follows.
    pub(crate) fn purged(&self, start: Timestamp, next: Timestamp) -> Range<Timestamp> {
        start..self.clamp(next.millis().saturating_sub(self.purge).saturating_add(1)).max(start)
    }

    /// The first time that is a purge and `embargo` steps after what ends before `end`.
    pub(crate) fn after(&self, end: Timestamp, embargo: usize) -> Timestamp {
        let embargo = i64::try_from(embargo).unwrap_or(i64::MAX).saturating_mul(self.step);
        // The last time before `end` may be up to a step earlier; counting from `end` itself keeps a millisecond more
        // than needed.
        self.clamp(end.millis().saturating_add(self.purge).saturating_add(embargo))
    }

    /// From `start` to the end of the data.
    pub(crate) fn rest(&self, start: Timestamp) -> Range<Timestamp> {
        start..self.end
    }

    fn clamp(&self, millis: i64) -> Timestamp {
        let millis = millis.clamp(self.first.millis(), self.end.millis());
        // Between two times that exist there is none that does not.
        Timestamp::from_millis(millis).unwrap_or(self.end)
    }
}
