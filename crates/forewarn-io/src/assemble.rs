use crate::{
    CellChange, Duplicates, IoError, ReadOptions, ReadSummary, Recording, StepSource,
    assemble::{
        clocks::{Clocks, Finished, Order, Placed, Series},
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
use coded::{Coded, Codes};
use finish::Rise;
use forewarn_schema::{FrameSet, Layout, Metric, Schema, Step};
use pool::{Pool, Sorted};
use std::{collections::BTreeMap, fmt, sync::Arc};
use together::Together;

pub(crate) mod clocks;
pub(crate) mod coded;
pub(crate) mod counters;
mod finish;
pub(crate) mod lines;
mod pool;
pub(crate) mod sources;
mod together;

#[cfg(feature = "parquet")]
pub(crate) use finish::{Places, complete};

/// What is kept of the rows.
#[derive(Clone, Default)]
pub(crate) enum Keep {
    #[default]
    Values,
    /// The values of the first metric, and of those of a name for which this holds.
    Some(Arc<dyn Fn(&str) -> bool + Send + Sync>),
    /// Only what the summary says.
    Counts,
    /// What the summary says, and codes of these metrics.
    Codes(Arc<Codes>),
}

impl Keep {
    /// Whether no value is kept as it is.
    fn has_no_values(&self) -> bool {
        matches!(self, Self::Counts | Self::Codes(_))
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Values => "Values",
            Self::Some(_) => "Some",
            Self::Counts => "Counts",
            Self::Codes(_) => "Codes",
        })
    }
}

/// Metrics whose values are kept, and where.
#[derive(Debug, Default)]
struct Kept {
    /// The slot of each column of the values.
    slots: Vec<usize>,
    /// The slot of each column of the counters.
    counters: Vec<usize>,
    /// For each slot its column of the values and, for a counter, of the counters; `None` where it is not kept.
    columns: Vec<Option<(usize, usize)>>,
    /// Whether every metric is.
    all: bool,
}

/// Puts the rows of files together, each service's on its clock, in whatever order and shape they come.
///
/// Costs the values themselves and eight bytes more for each cell of a counter: see [`Pool`]. Rows are held back until
/// the step is known.
#[derive(Debug)]
pub(crate) struct Assembler {
    pub(crate) slots: Slots,
    pub(crate) clocks: Clocks,
    keep: Keep,
    duplicates: Duplicates,
    pending: Option<Pending>,
    kept: Kept,
    /// Values that are kept, and codes.
    pool: Pool,
    coded: Coded,
    /// How the columns go that are not kept.
    rises: Vec<Rise>,
    /// Whether cells that are not kept have been counted row by row.
    looked: bool,
    stores: Vec<Store>,
    /// Services whose rows are placed together.
    together: Option<Together>,
    changes: BTreeMap<(usize, usize, CellChange), u64>,
    notes: Vec<String>,
}

/// What is known of the values of a service.
#[derive(Debug, Default)]
struct Store {
    /// For each metric of a long file, the lines of its cells.
    series: Vec<Lines>,
    /// Rows of one time whose mean a value is, by row and slot, where there are more than one.
    means: BTreeMap<(i64, usize), u32>,
    /// Cells that hold a number, among those that are not kept.
    known: u64,
    falls: Falls,
    /// The last value of each metric that is not kept.
    last: Vec<f32>,
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
            kept: Kept { all: true, ..Kept::default() },
            pool: Pool::default(),
            coded: Coded::default(),
            rises: Vec::new(),
            looked: false,
            stores: Vec::new(),
            together: None,
            changes: BTreeMap::new(),
            notes: Vec::new(),
        })
    }

    /// Begins a file.
    pub(crate) fn begin(&mut self, origin: &Origin) {
        self.part();
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
        if self.together.is_some() {
            self.part();
        }
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
        if self.together.is_some() {
            self.part();
        }
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
        self.part();
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

    fn place(
        &mut self,
        line: u64,
        service: usize,
        moment: Moment,
        series: Series,
    ) -> Result<Placed, IoError> {
        if self.slots.len() > self.kept.columns.len() {
            self.choose();
        }
        if service >= self.stores.len() {
            self.stores.resize_with(service + 1, Store::default);
        }
        self.clocks.place(line, service, moment, series, self.slots.len())
    }

    fn place_row(
        &mut self,
        line: u64,
        service: usize,
        moment: Moment,
        sample: &[f32],
        raws: &[f64],
    ) -> Result<(), IoError> {
        let placed = self.place(line, service, moment, Series::Rows)?;
        if let Some(earlier) = placed.duplicate_of {
            return self.merge(line, placed, moment, sample, raws, earlier);
        }
        if !self.kept.all {
            self.look(service, sample, raws);
        }
        if let Keep::Codes(_) = self.keep {
            self.coded.put(service, placed.key, |slot| sample.get(slot).copied().unwrap_or(f32::NAN));
        }
        if self.keep.has_no_values() {
            return Ok(());
        }
        let row = self.pool.row(service, placed.key);
        if self.kept.all {
            self.pool.values(row)[..sample.len()].copy_from_slice(sample);
            self.pool.raws(row)[..raws.len()].copy_from_slice(raws);
            return Ok(());
        }
        for (to, &slot) in self.pool.values(row).iter_mut().zip(&self.kept.slots) {
            *to = sample.get(slot).copied().unwrap_or(f32::NAN);
        }
        for (to, &slot) in self.pool.raws(row).iter_mut().zip(&self.kept.counters) {
            *to = raws.get(self.slots.slots[slot].counter_at).copied().unwrap_or(f64::NAN);
        }
        Ok(())
    }

    /// Decides which of the new metrics are kept.
    fn choose(&mut self) {
        for slot in self.kept.columns.len()..self.slots.len() {
            let place = &self.slots.slots[slot];
            let is_kept = match &self.keep {
                Keep::Values => true,
                Keep::Some(is_wanted) => slot == 0 || is_wanted(&place.metric.name),
                Keep::Counts => false,
                Keep::Codes(codes) => {
                    if let Some(code) = codes(&place.metric.name) {
                        self.coded.add(slot, code);
                    }
                    false
                }
            };
            self.kept.all &= is_kept;
            if !is_kept {
                self.kept.columns.push(None);
                continue;
            }
            self.kept.columns.push(Some((self.kept.slots.len(), self.kept.counters.len())));
            self.kept.slots.push(slot);
            if place.counter != Counter::No {
                self.kept.counters.push(slot);
            }
        }
        self.rises.resize(self.slots.len(), Rise::default());
        self.pool.widen(self.kept.slots.len(), self.kept.counters.len());
    }

    /// Counts the cells of a row that are not kept.
    fn look(&mut self, service: usize, sample: &[f32], raws: &[f64]) {
        for (slot, &value) in sample.iter().enumerate() {
            if self.kept.columns[slot].is_none() {
                self.look_at(service, slot, value);
            }
        }
        let store = &mut self.stores[service];
        let is_kept = |at: usize| self.kept.columns[self.slots.counters[at]].is_some();
        let others = raws.iter().enumerate().filter(|(at, raw)| !raw.is_nan() && !is_kept(*at));
        store.known += others.count() as u64;
        store.falls.push(raws);
    }

    /// Counts a cell that is not kept.
    fn look_at(&mut self, service: usize, slot: usize, value: f32) {
        self.looked = true;
        if value.is_nan() {
            return;
        }
        let store = &mut self.stores[service];
        if store.last.len() <= slot {
            store.last.resize(self.slots.len(), f32::NAN);
        }
        store.known += 1;
        self.rises[slot].step(store.last[slot], value);
        store.last[slot] = value;
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
        let placed = self.place(line, service, moment, Series::Metric(slot))?;
        let (column, duplicates) = (self.kept.columns[slot], self.duplicates);
        let store = &mut self.stores[service];
        if store.series.len() <= slot {
            store.series.resize_with(slot + 1, Lines::default);
        }
        let earlier = store.series[slot].get(placed.key);
        if let Some(earlier) = earlier {
            if duplicates == Duplicates::Error {
                return Err(self.clocks.duplicate(line, service, moment.time, earlier.into()));
            }
            self.clocks.count_duplicate(service);
        } else {
            store.series[slot].set(placed.key, u32::try_from(line).unwrap_or(u32::MAX));
            store.known += u64::from(column.is_none() && (!value.is_nan() || !raw.is_nan()));
        }
        if let Keep::Codes(_) = self.keep {
            self.coded.put_cell(service, placed.key, slot, value);
        }
        if self.keep.has_no_values() {
            return Ok(());
        }
        // Rows are there whichever of their cells are kept.
        let row = self.pool.row(service, placed.key);
        let Some((column, counter)) = column else { return Ok(()) };
        let place = &self.slots.slots[slot];
        let policy = if earlier.is_some() { duplicates } else { Duplicates::Last };
        let cell = &mut self.pool.values(row)[column];
        store.merge_value((placed.key, slot), cell, value, policy, place.is_outcome());
        if place.counter != Counter::No && !(earlier.is_some() && policy == Duplicates::First) {
            self.pool.raws(row)[counter] = raw;
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
        if self.keep.has_no_values() || self.duplicates == Duplicates::First {
            return Ok(());
        }
        let (store, row) = (&mut self.stores[service], self.pool.row(service, placed.key));
        for (cell, &slot) in self.pool.values(row).iter_mut().zip(&self.kept.slots) {
            let Some(&value) = sample.get(slot) else { continue };
            let is_outcome = self.slots.slots[slot].is_outcome();
            store.merge_value((placed.key, slot), cell, value, self.duplicates, is_outcome);
        }
        for (cell, &slot) in self.pool.raws(row).iter_mut().zip(&self.kept.counters) {
            if let Some(&raw) = raws.get(self.slots.slots[slot].counter_at) {
                *cell = raw;
            }
        }
        Ok(())
    }
}

impl Store {
    fn merge_value(
        &mut self,
        cell: (i64, usize),
        place: &mut f32,
        value: f32,
        policy: Duplicates,
        is_outcome: bool,
    ) {
        match policy {
            Duplicates::First | Duplicates::Error => {}
            Duplicates::Last => *place = value,
            Duplicates::Mean if value.is_nan() => {}
            Duplicates::Mean if place.is_nan() => *place = value,
            Duplicates::Mean if is_outcome => *place = place.max(value),
            Duplicates::Mean => {
                let rows = self.means.entry(cell).or_insert(1);
                *rows += 1;
                *place += (value - *place) / *rows as f32;
            }
        }
    }
}
