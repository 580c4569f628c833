//! All rows as frames, with their summary.

use super::*;
use crate::{
    assemble::counters::{Increase, may_count},
    error::clip,
};

/// From here on single precision does not tell whole numbers apart.
const EXACT: f32 = 16_777_216.0;

/// Rises of a column that is more than a few numbers in order.
const RISES: u64 = 3;

impl Assembler {
    /// All frames, with what was noticed.
    pub(crate) fn finish(mut self) -> Result<Recording, IoError> {
        self.settle()?;
        self.check_names()?;
        let order = self.slots.order();
        let file = self.clocks.sources.name();
        let Sorted { mut values, raws, stride, raw_stride } = self.sort();
        let is_counter = self.judge_counters();
        let clocks = self.clocks;
        let places: Vec<(u64, u64)> = (0..self.stores.len()).map(|service| clocks.rows_of(service)).collect();
        let Finished { services, mut summary } = clocks.finish(self.notes, self.duplicates)?;
        let refuse = |source| IoError::Schema { file: file.clone(), source };
        let mut named: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, service) in services.iter().enumerate() {
            named.insert(&service.name, index);
        }
        let mut missing = vec![0; services.len()];
        let mut begin = 0;
        for &index in named.values() {
            let (of_service, all) = places.get(index).copied().unwrap_or_default();
            let rows = begin..begin + all as usize;
            begin = rows.end;
            let values = &mut values[rows.start * stride..rows.end * stride];
            let raws = &raws[rows.start * raw_stride..rows.end * raw_stride];
            self.kept.fill_counters(values, stride, raws, raw_stride, &is_counter, |slot| {
                *self.changes.entry((index, slot, CellChange::Reset)).or_default() += 1;
            });
            let elsewhere = self.stores.get(index).map_or(0, |store| store.known);
            let known = self.kept.count_known(values, stride, raws) + elsewhere;
            missing[index] = (of_service * order.len() as u64).saturating_sub(known);
        }
        drop(raws);
        let kept: Vec<usize> =
            order.iter().copied().filter(|&slot| self.kept.columns[slot].is_some()).collect();
        let columns: Vec<usize> =
            kept.iter().filter_map(|&slot| self.kept.columns[slot].map(|(column, _)| column)).collect();
        pick(&mut values, stride, &columns);
        values.shrink_to_fit();
        let laid_out = named.values().map(|&index| {
            let rows = places.get(index).map_or(0, |(_, all)| *all as usize);
            (services[index].name.clone(), services[index].start, rows)
        });
        let layout = Layout::new(summary.step, laid_out).map_err(refuse)?;
        let schema = Schema::new(metrics(&self.slots, &kept, &is_counter)).map_err(refuse)?;
        let frames = FrameSet::new(schema, layout, values).map_err(refuse)?;
        for frame in frames.frames() {
            for (column, &slot) in kept.iter().enumerate() {
                self.rises[slot].push(frame.values(), column, kept.len());
            }
        }
        summary.metrics = metrics(&self.slots, &order, &is_counter);
        for (metric, &slot) in
            summary.metrics.iter().zip(&order).filter(|(_, slot)| self.rises[**slot].is_lossy())
        {
            summary.notes.push(format!(
                "column {:?} never falls and reaches {}, where single precision loses its increases: name it in `counters` if it counts",
                metric.name, self.rises[slot].largest
            ));
        }
        complete(&mut summary, services, &missing, &self.changes, &self.slots);
        Ok(Recording { frames, summary })
    }

    /// Refuses names of columns in the settings that no file has; notes those that changed nothing.
    pub(super) fn check_names(&mut self) -> Result<(), IoError> {
        self.slots.asked.expect_seen(|| self.clocks.sources.name())?;
        let unused = self.slots.unused();
        let notes: Vec<String> = unused
            .map(|(setting, name)| format!("no metric is called {:?}, which `{setting}` names", clip(name)))
            .collect();
        notes.into_iter().for_each(|note| self.note(note));
        Ok(())
    }

    /// Services with their first row and the one after their last, in order of their names.
    pub(super) fn places_by_name(&self) -> Vec<(usize, i64, i64)> {
        let mut places: Vec<(usize, i64, i64)> = (0..self.stores.len())
            .map(|service| {
                let (first, end) = self.clocks.span_of(service);
                (service, first, end)
            })
            .collect();
        places.sort_by(|(a, ..), (b, ..)| self.clocks.name(*a).cmp(self.clocks.name(*b)));
        places
    }

    /// The rows of all services in order of their names. Counters are looked at on the way, for
    /// [`judge_counters`](Self::judge_counters).
    fn sort(&mut self) -> Sorted {
        let places = self.places_by_name();
        let sorted = std::mem::take(&mut self.pool).sort(&places);
        // Rows that were looked at as they came have been counted.
        if sorted.raw_stride > 0 && !self.looked {
            let mut rows = sorted.raws.chunks_exact(sorted.raw_stride);
            let mut all = vec![f64::NAN; self.slots.counters.len()];
            for (service, first, end) in places {
                let falls = &mut self.stores[service].falls;
                for row in rows.by_ref().take((end - first).max(0) as usize) {
                    for (&slot, &raw) in self.kept.counters.iter().zip(row) {
                        all[self.slots.slots[slot].counter_at] = raw;
                    }
                    falls.push(&all);
                }
            }
        }
        sorted
    }

    /// The summary alone.
    pub(crate) fn finish_summary(self) -> Result<ReadSummary, IoError> {
        let Places { mut summary, services, slots, missing, changes, .. } = self.finish_places()?;
        complete(&mut summary, services, &missing, &changes, &slots);
        Ok(summary)
    }

    /// Where all rows belong, without their values.
    pub(crate) fn finish_places(mut self) -> Result<Places, IoError> {
        self.settle()?;
        self.check_names()?;
        let order = self.slots.order();
        let is_counter = self.judge_counters();
        let width = order.len() as u64;
        let missing: Vec<u64> = self
            .stores
            .iter()
            .enumerate()
            .map(|(service, store)| (self.clocks.rows_of(service).0 * width).saturating_sub(store.known))
            .collect();
        let Finished { services, mut summary } = self.clocks.finish(self.notes, self.duplicates)?;
        summary.metrics = metrics(&self.slots, &order, &is_counter);
        Ok(Places {
            summary,
            services,
            missing,
            slots: self.slots,
            #[cfg(feature = "parquet")]
            order,
            #[cfg(feature = "parquet")]
            is_counter,
            changes: self.changes,
        })
    }

    /// Which slots become increases; says so.
    fn judge_counters(&mut self) -> Vec<bool> {
        let mut is_counter = vec![false; self.slots.len()];
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        let mut falls: Vec<(u64, u64)> = vec![(0, 0); self.slots.counters.len()];
        for store in &self.stores {
            for (at, (fallen, steps)) in falls.iter_mut().enumerate() {
                let (more_falls, more_steps) = store.falls.of(at);
                *fallen += more_falls;
                *steps += more_steps;
            }
        }
        for (at, &slot) in self.slots.counters.iter().enumerate() {
            let place = &self.slots.slots[slot];
            is_counter[slot] = place.counter == Counter::Yes || may_count(falls[at]);
            let list = if is_counter[slot] { &mut taken } else { &mut left };
            list.push(format!("{:?}", place.metric.name));
        }
        if !taken.is_empty() {
            self.notes.push(format!(
                "read as counters, each value the increase since the row before: {}",
                taken.join(", ")
            ));
        }
        if !left.is_empty() {
            self.notes.push(format!(
                "named like counters, but they often fall and were read as levels: {}",
                left.join(", ")
            ));
        }
        is_counter
    }
}

/// Where all rows belong.
pub(crate) struct Places {
    /// The summary without its services and cells.
    pub(crate) summary: ReadSummary,
    /// By first appearance.
    pub(crate) services: Vec<ServiceSummary>,
    missing: Vec<u64>,
    pub(crate) slots: Slots,
    /// The slot of each column of the frames.
    #[cfg(feature = "parquet")]
    pub(crate) order: Vec<usize>,
    #[cfg(feature = "parquet")]
    pub(crate) is_counter: Vec<bool>,
    changes: BTreeMap<(usize, usize, CellChange), u64>,
}

fn metrics(slots: &Slots, order: &[usize], is_counter: &[bool]) -> Vec<Metric> {
    let metric = |&slot: &usize| match is_counter[slot] {
        true => slots.slots[slot].as_increase(),
        false => slots.slots[slot].metric.clone(),
    };
    order.iter().map(metric).collect()
}

impl Kept {
    /// Puts counters, or the levels that they turned out to be, among the values.
    fn fill_counters(
        &self,
        values: &mut [f32],
        stride: usize,
        raws: &[f64],
        raw_stride: usize,
        is_counter: &[bool],
        mut reset: impl FnMut(usize),
    ) {
        for (at, &slot) in self.counters.iter().enumerate() {
            let Some((column, _)) = self.columns[slot] else { continue };
            let mut increase = Increase::default();
            for (row, raw) in values.chunks_exact_mut(stride).zip(raws.chunks_exact(raw_stride)) {
                row[column] = if is_counter[slot] {
                    let (value, fell) = increase.next(raw[at]);
                    if fell {
                        reset(slot);
                    }
                    value
                } else {
                    // A level beyond single precision is not a number that a frame can hold.
                    Some(raw[at] as f32).filter(|level| level.is_finite()).unwrap_or(f32::NAN)
                };
            }
        }
    }

    /// Cells that hold a number in the files.
    fn count_known(&self, values: &[f32], stride: usize, raws: &[f64]) -> u64 {
        let all = values.iter().filter(|value| !value.is_nan()).count() as u64;
        let known_raws = raws.iter().filter(|raw| !raw.is_nan()).count() as u64;
        let counted = |&slot: &usize| {
            let column = self.columns[slot].map_or(0, |(column, _)| column);
            values.iter().skip(column).step_by(stride).filter(|value| !value.is_nan()).count() as u64
        };
        all - self.counters.iter().map(counted).sum::<u64>() + known_raws
    }
}

/// Rows of `stride` values as rows of those in `order`.
fn pick(values: &mut Vec<f32>, stride: usize, order: &[usize]) {
    if stride == 0 || stride == order.len() && order.iter().enumerate().all(|(to, &from)| to == from) {
        return;
    }
    let rows = values.len().checked_div(stride).unwrap_or(0);
    let mut row_values = vec![0.0; stride];
    for row in 0..rows {
        row_values.copy_from_slice(&values[row * stride..(row + 1) * stride]);
        for (to, &from) in order.iter().enumerate() {
            values[row * order.len() + to] = row_values[from];
        }
    }
    values.truncate(rows * order.len());
}

/// Whether a column never falls, and how far it goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rise {
    falls: bool,
    rises: u64,
    largest: f32,
}

impl Rise {
    /// Adds a value that comes after another, which may be missing.
    pub(super) fn step(&mut self, last: f32, value: f32) {
        self.falls |= value < last;
        self.rises += u64::from(value > last);
        self.largest = self.largest.max(value);
    }

    fn push(&mut self, values: &[f32], column: usize, width: usize) {
        let mut last = f32::NAN;
        for &value in values.iter().skip(column).step_by(width).filter(|value| !value.is_nan()) {
            if self.falls {
                return;
            }
            self.step(last, value);
            last = value;
        }
    }

    fn is_lossy(self) -> bool {
        self.rises >= RISES && !self.falls && self.largest >= EXACT
    }
}

/// Adds services, in order of their names, and changed cells to a summary.
pub(crate) fn complete(
    summary: &mut ReadSummary,
    services: Vec<ServiceSummary>,
    missing: &[u64],
    changes: &BTreeMap<(usize, usize, CellChange), u64>,
    slots: &Slots,
) {
    let mut services = services;
    for (service, &missing) in services.iter_mut().zip(missing) {
        service.missing_cells = missing;
    }
    for (&(service, slot, change), &cells) in changes {
        let metric = slots.slots[slot].metric.name.clone();
        let service = &mut services[service];
        match change {
            CellChange::Infinite => service.infinite_cells += cells,
            CellChange::Clamped => service.clamped_cells += cells,
            _ => {}
        }
        summary.cells.push(CellCount { service: service.name.clone(), metric, change, cells });
    }
    for (change, words) in [
        (CellChange::Infinite, "infinite cells were taken as missing"),
        (CellChange::Clamped, "cells were outside their range by rounding and were put on its end"),
        (CellChange::Converted, "cells have a unit or a per cent sign, and were converted"),
        (CellChange::Reset, "times a counter fell, which was taken as a new beginning"),
    ] {
        let of_kind = || summary.cells.iter().filter(|count| count.change == change);
        let cells: u64 = of_kind().map(|count| count.cells).sum();
        if cells > 0 {
            let mut metrics: Vec<&str> = of_kind().map(|count| count.metric.as_str()).collect();
            metrics.sort_unstable();
            metrics.dedup();
            let shown: Vec<String> = metrics.iter().take(10).map(|name| format!("{name:?}")).collect();
            let more =
                if metrics.len() > 10 { format!(" and {} more", metrics.len() - 10) } else { String::new() };
            let note = format!("{cells} {words}: {}{more}", shown.join(", "));
            summary.notes.push(note);
        }
    }
    summary.cells.sort_by(|a, b| (&a.service, &a.metric, a.change).cmp(&(&b.service, &b.metric, b.change)));
    services.sort_by(|a, b| a.name.cmp(&b.name));
    summary.missing_cells = services.iter().map(|service| service.missing_cells).sum();
    summary.services = services;
}
