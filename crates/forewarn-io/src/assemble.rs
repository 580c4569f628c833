use crate::{
    CellChange, Duplicates, IoError, ReadOptions, ReadSummary, Recording, StepSource,
    assemble::{
        clocks::{Clocks, Finished, Order, Placed},
        counters::Falls,
        lines::Lines,
        sources::Sources,
    },
    columns::{
        cells::RowValues,
        slots::{Counter, Slots},
        time_form::Moment,
    },
    error::Origin,
    recording::{CellCount, ServiceSummary},
    step::StepFinder,
};
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step};
use std::collections::{BTreeMap, VecDeque};

pub(crate) mod clocks;
pub(crate) mod counters;
mod finish;
pub(crate) mod lines;
pub(crate) mod sources;

#[cfg(feature = "parquet")]
pub(crate) use finish::{Places, complete};

/// What is kept of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Values,
    /// Only what the summary says.
    Counts,
}

/// Puts the rows of files together, each service's on its clock, in whatever order and shape they come.
///
/// Costs the values themselves, eight bytes more for each cell of a counter, and the second largest service once more
/// at the end. Rows are held back until the step is known.
#[derive(Debug)]
pub(crate) struct Assembler {
    pub(crate) slots: Slots,
    pub(crate) clocks: Clocks,
    keep: Keep,
    duplicates: Duplicates,
    pending: Option<Pending>,
    /// Places for values in a row, which are as many as there are metrics or more.
    stride: usize,
    raw_stride: usize,
    stores: Vec<Store>,
    changes: BTreeMap<(usize, usize, CellChange), u64>,
    notes: Vec<String>,
}

/// The values of a service.
#[derive(Debug, Default)]
struct Store {
    /// `[row, stride]`
    values: VecDeque<f32>,
    /// `[row, raw_stride]`: counters as the files have them.
    raws: VecDeque<f64>,
    /// For each metric of a long file, the lines of its cells.
    series: Vec<Lines>,
    /// Rows of one time whose mean a value is, by row and slot, where there are more than one.
    means: BTreeMap<(i64, usize), u32>,
    /// Cells that hold a number, where values are not kept.
    known: u64,
    falls: Falls,
}

/// Rows whose places are not known yet.
#[derive(Debug, Default)]
struct Pending {
    finder: StepFinder,
    rows: Vec<PendingRow>,
    values: Vec<f32>,
    raws: Vec<f64>,
}

#[derive(Debug)]
struct PendingRow {
    line: u64,
    service: usize,
    moment: Moment,
    /// Its values lie one after another, as many as this; or it is one cell of this slot.
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Row { values: usize, raws: usize },
    Cell { slot: usize, value: f32, raw: f64 },
}

impl Assembler {
    pub(crate) fn new(options: &ReadOptions, keep: Keep) -> Result<Self, IoError> {
        Self::with_order(options, keep, Order::Any)
    }

    pub(crate) fn with_order(options: &ReadOptions, keep: Keep, order: Order) -> Result<Self, IoError> {
        let (step, source) = match options.step {
            Some(step) => (step, StepSource::Given),
            None => (Step::MINUTE, StepSource::Assumed),
        };
        Ok(Self {
            slots: Slots::new(options)?,
            clocks: Clocks::new(Sources::default(), step, source, order),
            keep,
            duplicates: options.duplicates,
            pending: options.step.is_none().then(Pending::default),
            stride: 0,
            raw_stride: 0,
            stores: Vec::new(),
            changes: BTreeMap::new(),
            notes: Vec::new(),
        })
    }

    /// Begins a file.
    pub(crate) fn begin(&mut self, origin: &Origin) {
        self.clocks.sources.begin(origin);
    }

    /// Notes something once.
    pub(crate) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The slot of a metric that `line` of the present file names.
    pub(crate) fn metric(&mut self, line: u64, name: &str) -> Result<usize, IoError> {
        if name.is_empty() {
            let line = self.clocks.sources.number(line);
            return Err(IoError::MissingMetric { place: self.clocks.sources.at(line) });
        }
        self.slots.find_or_add(name)
    }

    /// Adds the row from `line` of the present file; its values have been checked.
    pub(crate) fn push(
        &mut self,
        line: u64,
        service: &str,
        moment: Moment,
        row: &RowValues,
    ) -> Result<(), IoError> {
        let line = self.clocks.sources.number(line);
        let service = self.clocks.service(line, service)?;
        self.count(service, row);
        let Some(pending) = &mut self.pending else {
            return self.place_row(line, service, moment, &row.sample, &row.raws);
        };
        pending.finder.push(service, moment.time.millis());
        let what = What::Row { values: row.sample.len(), raws: row.raws.len() };
        pending.rows.push(PendingRow { line, service, moment, what });
        pending.values.extend_from_slice(&row.sample);
        pending.raws.extend_from_slice(&row.raws);
        if pending.finder.is_enough() { self.settle() } else { Ok(()) }
    }

    /// Adds one cell, in `slot`, from `line` of the present file.
    pub(crate) fn push_cell(
        &mut self,
        line: u64,
        service: &str,
        moment: Moment,
        slot: usize,
        row: &RowValues,
    ) -> Result<(), IoError> {
        let line = self.clocks.sources.number(line);
        let service = self.clocks.service(line, service)?;
        self.count(service, row);
        let place = &self.slots.slots[slot];
        let raw = row.raws.get(place.counter_at).copied().filter(|_| place.counter != Counter::No);
        let (value, raw) = (row.sample[slot], raw.unwrap_or(f64::NAN));
        let Some(pending) = &mut self.pending else {
            return self.place_cell(line, service, moment, slot, value, raw);
        };
        pending.finder.push(service, moment.time.millis());
        pending.rows.push(PendingRow { line, service, moment, what: What::Cell { slot, value, raw } });
        if pending.finder.is_enough() { self.settle() } else { Ok(()) }
    }

    fn count(&mut self, service: usize, row: &RowValues) {
        for &(slot, change) in &row.changes {
            *self.changes.entry((service, slot, change)).or_default() += 1;
        }
    }

    /// Finds the step, and the places of all rows that waited for it.
    fn settle(&mut self) -> Result<(), IoError> {
        let Some(Pending { finder, rows, values, raws }) = self.pending.take() else { return Ok(()) };
        let refuse = |found_millis| IoError::NoStep { file: self.clocks.sources.name(), found_millis };
        match finder.find().map_err(refuse)? {
            Some(step) => self.clocks.set_step(step, StepSource::Found),
            None => self.clocks.set_step(Step::MINUTE, StepSource::Assumed),
        }
        let (mut values, mut raws) = (values.as_slice(), raws.as_slice());
        for PendingRow { line, service, moment, what } in rows {
            match what {
                What::Row { values: width, raws: counters } => {
                    let (sample, later) = values.split_at(width);
                    let (raw, later_raws) = raws.split_at(counters);
                    (values, raws) = (later, later_raws);
                    self.place_row(line, service, moment, sample, raw)?;
                }
                What::Cell { slot, value, raw } => {
                    self.place_cell(line, service, moment, slot, value, raw)?;
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, line: u64, service: usize, moment: Moment) -> Result<Placed, IoError> {
        if self.slots.len() > self.stride || self.slots.counters.len() > self.raw_stride {
            self.widen();
        }
        if service >= self.stores.len() {
            self.stores.resize_with(service + 1, Store::default);
        }
        self.clocks.place(line, service, moment, self.slots.len())
    }

    fn place_row(
        &mut self,
        line: u64,
        service: usize,
        moment: Moment,
        sample: &[f32],
        raws: &[f64],
    ) -> Result<(), IoError> {
        let placed = self.place(line, service, moment)?;
        if let Some(earlier) = placed.duplicate_of {
            return self.merge(line, placed, moment, sample, raws, earlier);
        }
        let (stride, raw_stride) = (self.stride, self.raw_stride);
        let store = &mut self.stores[service];
        if self.keep == Keep::Counts {
            store.known += sample.iter().filter(|value| !value.is_nan()).count() as u64;
            store.known += raws.iter().filter(|value| !value.is_nan()).count() as u64;
            store.falls.push(raws);
            return Ok(());
        }
        if placed.behind > 0 {
            let gap = placed.behind - 1;
            store.values.resize(store.values.len() + gap * stride, f32::NAN);
            store.values.extend(sample);
            store.values.resize(store.values.len() + stride - sample.len(), f32::NAN);
            if raw_stride > 0 {
                store.raws.resize(store.raws.len() + gap * raw_stride, f64::NAN);
                store.raws.extend(raws);
                store.raws.resize(store.raws.len() + raw_stride - raws.len(), f64::NAN);
            }
            return Ok(());
        }
        store.grow_before(placed.before, stride, raw_stride);
        let from = placed.row * stride;
        store.values.range_mut(from..from + sample.len()).zip(sample).for_each(|(to, from)| *to = *from);
        let from = placed.row * raw_stride;
        store.raws.range_mut(from..from + raws.len()).zip(raws).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    fn place_cell(
        &mut self,
        line: u64,
        service: usize,
        moment: Moment,
        slot: usize,
        value: f32,
        raw: f64,
    ) -> Result<(), IoError> {
        let placed = self.place(line, service, moment)?;
        let (stride, raw_stride) = (self.stride, self.raw_stride);
        let (keep, duplicates) = (self.keep, self.duplicates);
        let store = &mut self.stores[service];
        if store.series.len() <= slot {
            store.series.resize_with(slot + 1, Lines::default);
        }
        let earlier = store.series[slot].get(placed.key);
        if keep == Keep::Values {
            store.grow_before(placed.before, stride, raw_stride);
            let rows = placed.behind;
            store.values.resize(store.values.len() + rows * stride, f32::NAN);
            store.raws.resize(store.raws.len() + rows * raw_stride, f64::NAN);
        }
        if let Some(earlier) = earlier {
            if duplicates == Duplicates::Error {
                return Err(self.clocks.duplicate(line, service, moment.time, earlier.into()));
            }
            self.clocks.count_duplicate(service);
        } else {
            store.series[slot].set(placed.key, u32::try_from(line).unwrap_or(u32::MAX));
            store.known += u64::from(!value.is_nan() || !raw.is_nan());
        }
        if keep == Keep::Counts {
            return Ok(());
        }
        let place = &self.slots.slots[slot];
        let policy = if earlier.is_some() { duplicates } else { Duplicates::Last };
        store.merge_value(placed, (slot, stride), value, policy, place.is_outcome());
        if place.counter != Counter::No && !(earlier.is_some() && policy == Duplicates::First) {
            store.raws[placed.row * raw_stride + place.counter_at] = raw;
        }
        Ok(())
    }

    /// A further row of a time.
    fn merge(
        &mut self,
        line: u64,
        placed: Placed,
        moment: Moment,
        sample: &[f32],
        raws: &[f64],
        earlier: u64,
    ) -> Result<(), IoError> {
        let service = placed.service;
        if self.duplicates == Duplicates::Error {
            return Err(self.clocks.duplicate(line, service, moment.time, earlier));
        }
        self.clocks.count_duplicate(service);
        if self.keep == Keep::Counts || self.duplicates == Duplicates::First {
            return Ok(());
        }
        let store = &mut self.stores[service];
        for (slot, &value) in sample.iter().enumerate() {
            let is_outcome = self.slots.slots[slot].is_outcome();
            store.merge_value(placed, (slot, self.stride), value, self.duplicates, is_outcome);
        }
        let from = placed.row * self.raw_stride;
        store.raws.range_mut(from..from + raws.len()).zip(raws).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    /// Makes room for metrics that were not there before.
    fn widen(&mut self) {
        let is_empty = self.stores.iter().all(|store| store.values.is_empty() && store.raws.is_empty());
        let widened = |wanted: usize, present: usize| match is_empty || wanted <= present {
            true => wanted.max(present),
            // Metrics that come one after another make few moves.
            false => wanted.max(present + present / 4),
        };
        let (from, to) = (self.stride, widened(self.slots.len(), self.stride));
        let (raw_from, raw_to) = (self.raw_stride, widened(self.slots.counters.len(), self.raw_stride));
        for store in &mut self.stores {
            restride(&mut store.values, from, to, f32::NAN);
            // A service without rows has none; one that has them may have had no counter.
            let rows = store.values.len().checked_div(to).unwrap_or(0);
            if raw_from == 0 && raw_to > 0 {
                store.raws.resize(rows * raw_to, f64::NAN);
            } else {
                restride(&mut store.raws, raw_from, raw_to, f64::NAN);
            }
        }
        (self.stride, self.raw_stride) = (to, raw_to);
    }
}

impl Store {
    /// Adds empty rows before the first.
    fn grow_before(&mut self, rows: usize, stride: usize, raw_stride: usize) {
        (0..rows * stride).for_each(|_| self.values.push_front(f32::NAN));
        (0..rows * raw_stride).for_each(|_| self.raws.push_front(f64::NAN));
    }

    fn merge_value(
        &mut self,
        placed: Placed,
        (slot, stride): (usize, usize),
        value: f32,
        policy: Duplicates,
        is_outcome: bool,
    ) {
        let place = &mut self.values[placed.row * stride + slot];
        match policy {
            Duplicates::First | Duplicates::Error => {}
            Duplicates::Last => *place = value,
            Duplicates::Mean if value.is_nan() => {}
            Duplicates::Mean if place.is_nan() => *place = value,
            Duplicates::Mean if is_outcome => *place = place.max(value),
            Duplicates::Mean => {
                let rows = self.means.entry((placed.key, slot)).or_insert(1);
                *rows += 1;
                *place += (value - *place) / *rows as f32;
            }
        }
    }
}

/// Rows of `from` values as rows of `to`, the new ones at the end of each.
fn restride<T: Copy>(values: &mut VecDeque<T>, from: usize, to: usize, missing: T) {
    if from == to || from == 0 || values.is_empty() {
        return;
    }
    let rows = values.len() / from;
    values.resize(rows * to, missing);
    let values = values.make_contiguous();
    for row in (0..rows).rev() {
        values.copy_within(row * from..(row + 1) * from, row * to);
        values[row * to + from..(row + 1) * to].fill(missing);
    }
}
