//! An aligner as bytes.

use super::{AlignedRow, Aligner};
use crate::{WindowError, alignment::plan::AlignmentCounts};
use forewarn_core::{CoreError, Fingerprint, restore_part, save_part, seal, unseal};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// What an aligner remembers; times in milliseconds since the epoch.
#[derive(Serialize, Deserialize)]
struct Memory {
    /// Time, metric and value of samples that wait.
    pending: Vec<(i64, usize, f64)>,
    next: Option<i64>,
    newest: Option<i64>,
    counters: Vec<Option<(f64, i64)>>,
    rows: Vec<(i64, Vec<f32>)>,
    counts: AlignmentCounts,
}

impl Aligner {
    /// Appends what has been seen to `out`, without the settings.
    ///
    /// # Errors
    /// [`CoreError::Outside`] for more than 4 GiB of samples that wait, which leaves `out` as it was.
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), WindowError> {
        let memory = Memory {
            pending: self
                .pending
                .iter()
                .map(|(&(time, metric), &value)| (time.millis(), metric, value))
                .collect(),
            next: self.next.map(Timestamp::millis),
            newest: self.newest.map(Timestamp::millis),
            counters: self
                .counters
                .iter()
                .map(|last| last.map(|(value, row)| (value, row.millis())))
                .collect(),
            rows: self.rows.iter().map(|row| (row.time.millis(), row.values.clone())).collect(),
            counts: self.counts,
        };
        Ok(seal(self.fingerprint()?, out, |out| save_part(&memory, out))?)
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there: the same rows as if it
    /// had never stopped.
    ///
    /// # Errors
    /// [`CoreError::DamagedState`], and [`CoreError::ForeignState`] for a state of another service, schema, alignment
    /// or lateness. The aligner is
    /// then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), WindowError> {
        let mut rest = *from;
        let mut body = unseal(self.fingerprint()?, &format!("the aligner of {}", self.service), &mut rest)?;
        let Memory { pending, next, newest, counters, rows, counts } = restore_part(&mut body)?;
        let is_sound = counters.len() == self.raw.len()
            && pending.iter().all(|&(_, metric, value)| metric < self.raw.len() && !value.is_nan())
            && rows.iter().all(|(_, values)| values.len() == self.raw.len());
        if !is_sound {
            let reason = format!("its samples, counters or rows are not of {} metrics", self.raw.len());
            return Err(CoreError::damaged_state(reason).into());
        }
        let sample = |(millis, metric, value)| Ok(((time(millis)?, metric), value));
        let counter = |last: Option<(f64, i64)>| last.map(|(value, row)| Ok((value, time(row)?))).transpose();
        let row = |(millis, values)| Ok(AlignedRow { time: time(millis)?, values });
        let restored = Self {
            pending: pending.into_iter().map(sample).collect::<Result<_, CoreError>>()?,
            next: next.map(time).transpose()?,
            newest: newest.map(time).transpose()?,
            counters: counters.into_iter().map(counter).collect::<Result<_, CoreError>>()?,
            rows: rows.into_iter().map(row).collect::<Result<_, CoreError>>()?,
            counts,
            alignment: self.alignment.clone(),
            lateness_steps: self.lateness_steps,
            service: self.service.clone(),
            raw: self.raw.clone(),
            ratio_weight: self.ratio_weight,
        };
        (*self, *from) = (restored, rest);
        Ok(())
    }

    fn fingerprint(&self) -> Result<Fingerprint, CoreError> {
        let alignment = &self.alignment;
        let clock =
            (alignment.step, alignment.offset_millis, alignment.longest_gap_steps, self.lateness_steps);
        let rules = (alignment.gauges, alignment.duplicates, self.ratio_weight);
        Ok(Fingerprint::of("aligner 2").and(&self.raw)?.and(&(clock, rules))?.and_text(&self.service))
    }
}

fn time(millis: i64) -> Result<Timestamp, CoreError> {
    Timestamp::from_millis(millis)
        .ok_or_else(|| CoreError::damaged_state(format!("{millis} ms is beyond the calendar")))
}
