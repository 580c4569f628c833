//! All rows as frames, with their summary.

use super::*;
use crate::assemble::counters::{Increase, may_count};

/// From here on single precision does not tell whole numbers apart.
const EXACT: f32 = 16_777_216.0;

/// Rises of a column that is more than a few numbers in order.
const RISES: u64 = 3;

impl Assembler {
    /// All frames, with what was noticed.
    pub(crate) fn finish(mut self) -> Result<Recording, IoError> {
        self.settle()?;
        let order = self.slots.order();
        let file = self.clocks.sources.name();
        let is_counter = self.judge_counters();
        let (stride, raw_stride) = (self.stride, self.raw_stride);
        let clocks = self.clocks;
        let places: Vec<(u64, u64)> = (0..self.stores.len()).map(|service| clocks.rows_of(service)).collect();
        let Finished { services, mut summary } = clocks.finish(self.notes, self.duplicates)?;
        let metrics = metrics(&self.slots, &order, &is_counter);
        let refuse = |source| IoError::Schema { file: file.clone(), source };
        let schema = Schema::new(metrics).map_err(refuse)?;
        let mut rises = vec![Rise::default(); order.len()];
        let mut frames = Vec::with_capacity(services.len());
        let mut named: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, service) in services.iter().enumerate() {
            named.insert(&service.name, index);
        }
        let mut stores: Vec<Option<Store>> = self.stores.into_iter().map(Some).collect();
        let mut missing = vec![0; services.len()];
        for &index in named.values() {
            let service = &services[index];
            let Some(store) = stores.get_mut(index).and_then(Option::take) else { continue };
            let mut values = Vec::from(store.values);
            let raws = Vec::from(store.raws);
            fill_counters(&mut values, stride, &raws, raw_stride, &self.slots, &is_counter, |slot| {
                *self.changes.entry((index, slot, CellChange::Reset)).or_default() += 1;
            });
            let known = count_known(&values, stride, &raws, raw_stride, &self.slots);
            drop(raws);
            missing[index] = (places[index].0 * order.len() as u64).saturating_sub(known);
            pick(&mut values, stride, &order);
            values.shrink_to_fit();
            rises.iter_mut().enumerate().for_each(|(column, rise)| rise.push(&values, column, order.len()));
            frames.push(
                Frame::new(service.name.as_str(), schema.clone(), service.start, summary.step, values)
                    .map_err(refuse)?,
            );
        }
        for (metric, rise) in schema.metrics().iter().zip(rises).filter(|(_, rise)| rise.is_lossy()) {
            summary.notes.push(format!(
                "column {:?} never falls and reaches {}, where single precision loses its increases: name it in `counters` if it counts",
                metric.name, rise.largest
            ));
        }
        let frames = FrameSet::from_frames(frames).map_err(refuse)?;
        summary.metrics = schema.metrics().to_vec();
        complete(&mut summary, services, &missing, &self.changes, &self.slots);
        Ok(Recording { frames, summary })
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
        for store in &mut self.stores {
            if self.keep == Keep::Values && self.raw_stride > 0 {
                let mut counted = Falls::default();
                store.raws.make_contiguous().chunks_exact(self.raw_stride).for_each(|row| counted.push(row));
                store.falls = counted;
            }
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

/// Puts counters, or the levels that they turned out to be, among the values.
fn fill_counters(
    values: &mut [f32],
    stride: usize,
    raws: &[f64],
    raw_stride: usize,
    slots: &Slots,
    is_counter: &[bool],
    mut reset: impl FnMut(usize),
) {
    if raw_stride == 0 {
        return;
    }
    for (at, &slot) in slots.counters.iter().enumerate() {
        let mut increase = Increase::default();
        for (row, raw) in values.chunks_exact_mut(stride).zip(raws.chunks_exact(raw_stride)) {
            row[slot] = if is_counter[slot] {
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
fn count_known(values: &[f32], stride: usize, raws: &[f64], raw_stride: usize, slots: &Slots) -> u64 {
    let known_raws = raws.iter().filter(|raw| !raw.is_nan()).count() as u64;
    let all = values.iter().filter(|value| !value.is_nan()).count() as u64;
    let counted: u64 = match raw_stride {
        0 => 0,
        _ => slots
            .counters
            .iter()
            .map(|&slot| {
                values.iter().skip(slot).step_by(stride).filter(|value| !value.is_nan()).count() as u64
            })
            .sum(),
    };
    all - counted + known_raws
}

/// Rows of `stride` values as rows of those in `order`.
fn pick(values: &mut Vec<f32>, stride: usize, order: &[usize]) {
    if stride == order.len() && order.iter().enumerate().all(|(to, &from)| to == from) {
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
struct Rise {
    falls: bool,
    rises: u64,
    largest: f32,
}

impl Rise {
    fn push(&mut self, values: &[f32], column: usize, width: usize) {
        if self.falls {
            return;
        }
        let mut last = f32::NAN;
        for &value in values.iter().skip(column).step_by(width).filter(|value| !value.is_nan()) {
            self.falls |= value < last;
            self.rises += u64::from(value > last);
            self.largest = self.largest.max(value);
            last = value;
            if self.falls {
                return;
            }
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
