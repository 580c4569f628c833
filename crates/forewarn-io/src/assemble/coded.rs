//! Values as small codes, for questions that only ask on which side of some numbers they lie.

use super::{Assembler, pool::Pool};
use crate::{IoError, ReadSummary, columns::slots::Counter};
use forewarn_schema::{Frame, Metric, Schema};
use std::sync::Arc;

/// What becomes of the values of a metric: 0 where there is none, else twice the number of limits below it, one more
/// where it equals the next, and one more still.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Code {
    /// Ascending, at most [`MOST_LIMITS`].
    limits: Arc<[f32]>,
}

/// Limits that a code has room for.
const MOST_LIMITS: usize = 120;

/// Says of a metric by its name whether codes of it are kept.
pub(crate) type Codes = dyn Fn(&str) -> Option<Code> + Send + Sync;

impl Code {
    /// `None` for more limits than a code has room for.
    pub(crate) fn new(limits: &[f32]) -> Option<Self> {
        (limits.len() <= MOST_LIMITS).then(|| Self { limits: limits.into() })
    }

    fn of(&self, value: f32) -> u8 {
        if value.is_nan() {
            return 0;
        }
        let below = self.limits.partition_point(|&limit| limit < value);
        let equal = self.limits.get(below).is_some_and(|&limit| limit == value);
        (2 * below + usize::from(equal) + 1) as u8
    }

    /// A value with this code: the limit, or the nearest number to it.
    fn value(&self, code: u8) -> f32 {
        let Some(place) = usize::from(code).checked_sub(1) else { return f32::NAN };
        let (below, is_equal) = (place / 2, place % 2 == 1);
        match (self.limits.get(below), below.checked_sub(1).map(|last| self.limits[last])) {
            (Some(&limit), _) if is_equal => limit,
            (_, Some(last)) => last.next_up(),
            (Some(&limit), None) => limit.next_down(),
            (None, None) => 0.0,
        }
    }
}

/// Codes that are kept, and of which slots.
#[derive(Debug, Default)]
pub(super) struct Coded {
    slots: Vec<(usize, Code)>,
    pool: Pool<u8>,
}

impl Coded {
    /// Another slot.
    pub(super) fn add(&mut self, slot: usize, code: Code) {
        self.slots.push((slot, code));
        self.pool.widen(self.slots.len(), 0);
    }

    /// The row of a service; `value` gives that of a slot.
    pub(super) fn put(&mut self, service: usize, key: i64, value: impl Fn(usize) -> f32) {
        let row = self.pool.row(service, key);
        for (to, (slot, code)) in self.pool.values(row).iter_mut().zip(&self.slots) {
            *to = code.of(value(*slot));
        }
    }
}

impl Coded {
    /// Where a row of a service lies.
    pub(super) fn row(&mut self, service: usize, key: i64) -> usize {
        self.pool.row(service, key)
    }

    /// One cell of a row of a service.
    pub(super) fn put_cell(&mut self, service: usize, key: i64, slot: usize, value: f32) {
        let row = self.pool.row(service, key);
        self.put_at(row, slot, value);
    }

    /// One cell of the row at a place.
    pub(super) fn put_at(&mut self, row: usize, slot: usize, value: f32) {
        if let Some(at) = self.slots.iter().position(|(of, _)| *of == slot) {
            self.pool.values(row)[at] = self.slots[at].1.of(value);
        }
    }
}

/// What [`read_sides`](crate::read_sides) found: for each value on which side of the limits it lies.
#[derive(Debug)]
#[non_exhaustive]
pub struct SidedRecording {
    /// What was read, and what is missing from it.
    pub summary: ReadSummary,
    schema: Schema,
    codes: Vec<Code>,
    values: Pool<u8>,
    /// Services in order of their names, each with its number, its first row and the one after its last.
    places: Vec<(usize, i64, i64)>,
}

impl SidedRecording {
    /// The metrics that limits were given of.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// One service after another, in order of name. Each value is the limit that it equals, else the number next to a
    /// limit on the same side of all.
    pub fn frames(&self) -> impl Iterator<Item = Result<Frame, IoError>> + '_ {
        self.summary.services.iter().zip(&self.places).map(move |(service, &(number, first, end))| {
            let rows = end.saturating_sub(first).max(0) as usize;
            let mut values = Vec::with_capacity(rows * self.codes.len());
            self.values.for_each(number, first, end, |row| {
                values.extend(row.iter().zip(&self.codes).map(|(&code, of)| of.value(code)));
            });
            Frame::new(service.name.as_str(), self.schema.clone(), service.start, self.summary.step, values)
                .map_err(|source| IoError::Schema { file: service.name.clone(), source })
        })
    }
}

impl Assembler {
    /// All codes; `None` where none was asked for, and where one of the metrics is a counter, of which increases are
    /// asked for, or an outcome.
    pub(crate) fn finish_coded(mut self) -> Result<Option<SidedRecording>, IoError> {
        self.settle()?;
        self.check_names()?;
        let places = self.places_by_name();
        let Coded { slots, pool: values } = std::mem::take(&mut self.coded);
        let is_plain = |(slot, _): &(usize, Code)| {
            let slot = &self.slots.slots[*slot];
            slot.counter == Counter::No && !slot.is_outcome()
        };
        if slots.is_empty() || !slots.iter().all(is_plain) {
            return Ok(None);
        }
        let names: Vec<String> =
            slots.iter().map(|(slot, _)| self.slots.slots[*slot].metric.name.clone()).collect();
        let summary = self.finish_summary()?;
        let metric = |name: &String| summary.metrics.iter().find(|metric| metric.name == *name).cloned();
        let Some(metrics) = names.iter().map(metric).collect::<Option<Vec<Metric>>>() else {
            return Ok(None);
        };
        let codes = slots.into_iter().map(|(_, code)| code).collect();
        let schema = Schema::new(metrics)
            .map_err(|source| IoError::Schema { file: summary.format.to_string(), source })?;
        Ok(Some(SidedRecording { summary, schema, codes, values, places }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_and_the_one_for_it_lie_on_the_same_sides() {
        let limits = [-1.0f32, 0.0, 0.05];
        let code = Code::new(&limits).unwrap();
        for value in [-2.0f32, -1.0, -0.5, 0.0, 0.01, 0.05, 0.050_000_004, 7.0, f32::MAX] {
            let other = code.value(code.of(value));
            for limit in limits {
                assert_eq!(value.total_cmp(&limit), other.total_cmp(&limit), "{value} {other} {limit}");
            }
        }
        assert!(code.value(code.of(f32::NAN)).is_nan());
        assert_eq!(Code::new(&[]).unwrap().value(Code::new(&[]).unwrap().of(3.0)), 0.0);
        assert!(Code::new(&[0.0; 121]).is_none());
    }
}
