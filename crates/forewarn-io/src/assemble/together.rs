//! Rows of many services at one time, as the lines of a wide file: placed once for all of them.

use super::{Assembler, Counter, Keep, Store};
use crate::{
    Duplicates, IoError,
    columns::{cells::RowValues, time_form::Moment},
};

/// Services of which the same rows have come, one line after another.
#[derive(Debug, Default)]
pub(super) struct Together {
    services: Vec<usize>,
    /// The row that is being filled in, and whether it is a further one of its time.
    key: i64,
    is_further: bool,
    /// Of each service the place of the first row of the chunk that has the row, and the rows from one end of the chunk.
    chunk: Option<(i64, i64)>,
    bases: Vec<usize>,
}

impl Assembler {
    /// Begins the row of all these services from `line` of the present file, whose cells of `slot` are then
    /// [put](Self::put_together) one by one. False where the services have to be pushed one by one instead.
    pub(crate) fn begin_together(
        &mut self,
        line: u64,
        names: &[&str],
        moment: Moment,
        slot: usize,
    ) -> Result<bool, IoError> {
        if self.slots.len() > self.kept.columns.len() {
            self.choose();
        }
        let is_coded = matches!(self.keep, Keep::Codes(_));
        let is_kept = is_coded || self.kept.all && !self.keep.has_no_values();
        if self.pending.is_some() || !is_kept || self.slots.slots[slot].counter != Counter::No {
            return Ok(false);
        }
        let line = self.clocks.sources.number(line);
        if self.together.is_none() {
            let services: Result<Vec<usize>, IoError> =
                names.iter().map(|name| self.clocks.service(line, name)).collect();
            let services = services?;
            if !self.clocks.are_alike(&services) {
                return Ok(false);
            }
            let most = services.iter().max().map_or(0, |service| service + 1);
            if most > self.stores.len() {
                self.stores.resize_with(most, Store::default);
            }
            self.together = Some(Together { services, ..Together::default() });
        }
        let Some(together) = &mut self.together else { return Ok(false) };
        let placed = self.clocks.place_together(line, &together.services, moment, self.slots.len())?;
        if let Some(earlier) = placed.duplicate_of
            && self.duplicates == Duplicates::Error
        {
            return Err(self.clocks.duplicate(line, placed.service, moment.time, earlier));
        }
        (together.key, together.is_further) = (placed.key, placed.duplicate_of.is_some());
        let holds = |(first, end): (i64, i64)| {
            let key = placed.key;
            if first < 0 { end < key && key <= first } else { first <= key && key < end }
        };
        if !together.chunk.is_some_and(holds) {
            let (first, end) = super::pool::chunk_around(placed.key);
            together.bases.clear();
            for &service in &together.services {
                together.bases.push(match is_coded {
                    true => self.coded.row(service, first),
                    false => self.pool.row(service, first),
                });
            }
            together.chunk = Some((first, end));
        }
        Ok(true)
    }

    /// Puts the cell of the service at a position of those that were begun.
    pub(crate) fn put_together(&mut self, position: usize, slot: usize, row: &RowValues) {
        let Some(together) = &self.together else { return };
        let (first, _) = together.chunk.unwrap_or_default();
        let (service, key) = (together.services[position], together.key);
        // Rows before the first that came lie backwards.
        let place = together.bases[position] + (key - first).unsigned_abs() as usize;
        let is_further = together.is_further;
        if !row.changes.is_empty() {
            self.count(service, row);
        }
        if let Keep::Codes(_) = self.keep {
            let value = row.sample[slot];
            self.coded.put_at(place, slot, value);
            self.look_at(service, slot, value);
            return;
        }
        let Some((column, _)) = self.kept.columns[slot] else { return };
        let (value, cell) = (row.sample[slot], &mut self.pool.values(place)[column]);
        if !is_further {
            *cell = value;
            return;
        }
        self.clocks.count_duplicate(service);
        let is_outcome = self.slots.slots[slot].is_outcome();
        self.stores[service].merge_value((key, slot), cell, value, self.duplicates, is_outcome);
    }

    /// Ends what is done together: rows may then come in any way.
    pub(super) fn part(&mut self) {
        if let Some(together) = self.together.take() {
            self.clocks.catch_up(&together.services);
        }
    }
}
