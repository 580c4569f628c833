mod saved;

use crate::{
    WindowError,
    alignment::plan::{Alignment, AlignmentCounts, BorderSide, Duplicates, GaugeRule},
};
use forewarn_core::CoreError;
use forewarn_schema::{Kind, RawSample, Schema, SchemaError, Timestamp};
use std::collections::{BTreeMap, VecDeque, btree_map::Entry};

/// A row that an [`Aligner`] made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AlignedRow {
    /// When.
    pub time: Timestamp,
    /// A value for each metric of [`Alignment::schema`], NaN where missing.
    pub values: Vec<f32>,
}

/// Raw samples of one service to rows, one after another: [`Alignment::frame`] for a live stream. It holds the
/// samples of rows that are not made yet, and rows until they are taken.
///
/// It can be saved and restored: about 10 bytes, up to 28 a sample that waits, 16 a counter and 4 a value of a row
/// that was not taken.
///
/// ```
/// use forewarn_schema::{Metric, RawSample, Schema, Step, Timestamp};
/// use forewarn_window::{Aligner, Alignment};
///
/// let raw = Schema::new(vec![Metric::gauge("cpu_usage")])?;
/// // A row is made once a sample has come from more than a minute after it.
/// let mut live = Aligner::new(&Alignment::to(Step::MINUTE), 1, "checkout", &raw)?;
/// for second in (0..300).step_by(15) {
///     let time = Timestamp::from_millis(1000 * second).ok_or("on the calendar")?;
///     live.push(RawSample { metric: 0, time, value: second as f64 })?;
/// }
/// let row = live.pop().ok_or("a row that is complete")?;
/// assert_eq!((row.time, row.values), (Timestamp::EPOCH, vec![0.0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Aligner {
    alignment: Alignment,
    /// Nothing where rows are made when all samples are there.
    lateness_steps: Option<i64>,
    service: String,
    raw: Schema,
    ratio_weight: Option<usize>,
    pending: BTreeMap<(Timestamp, usize), f64>,
    /// The row to be made next, once there is a sample.
    next: Option<Timestamp>,
    newest: Option<Timestamp>,
    /// Last value of each counter and the row that it is of.
    counters: Vec<Option<(f64, Timestamp)>>,
    rows: VecDeque<AlignedRow>,
    counts: AlignmentCounts,
}

impl Aligner {
    /// An aligner that has seen nothing. A row is made once a sample has come from more than `lateness_steps` steps
    /// after it; samples of it that come later still are counted and dropped.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for an offset of rows out of range, [`SchemaError::UnknownMetric`] when the metric
    /// that ratios are weighted by is not in `raw`.
    pub fn new(
        alignment: &Alignment,
        lateness_steps: usize,
        service: &str,
        raw: &Schema,
    ) -> Result<Self, WindowError> {
        let lateness_steps = Some(i64::try_from(lateness_steps).unwrap_or(i64::MAX));
        Ok(Self { lateness_steps, ..Self::of_all(alignment, service, raw)? })
    }

    /// One that makes no row before [`finish`](Self::finish), of samples in any order.
    pub(crate) fn of_all(alignment: &Alignment, service: &str, raw: &Schema) -> Result<Self, WindowError> {
        alignment.check()?;
        let weight = alignment.ratio_weight.as_deref().map(|name| raw.index_of(name)).transpose()?;
        Ok(Self {
            alignment: alignment.clone(),
            lateness_steps: None,
            service: service.to_owned(),
            raw: raw.clone(),
            ratio_weight: weight,
            pending: BTreeMap::new(),
            next: None,
            newest: None,
            counters: vec![None; raw.len()],
            rows: VecDeque::new(),
            counts: AlignmentCounts::default(),
        })
    }

    /// Takes a sample in, and makes the rows that can be made now.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a metric beyond the schema, [`SchemaError::OutOfRange`] in its
    /// [row](SchemaError::InRow) for a value outside the metric's range (infinities always are),
    /// [`WindowError::DuplicateSample`], [`WindowError::GapTooLong`]. Such a sample is not taken in.
    pub fn push(&mut self, sample: RawSample) -> Result<(), WindowError> {
        let Some(metric) = self.raw.metrics().get(sample.metric) else {
            let (expected, got) = (self.raw.len(), sample.metric.saturating_add(1));
            return Err(CoreError::LengthMismatch { what: "metrics", expected, got }.into());
        };
        metric.check(sample.value as f32).map_err(|error| error.in_row(&self.service, sample.time))?;
        if sample.value.is_nan() {
            return Ok(());
        }
        let row = self.alignment.row_of(sample.time)?;
        if self.next.is_some_and(|next| row < next) {
            self.counts.late += 1;
            return Ok(());
        }
        if let Some(newest) = self.newest {
            let apart =
                (sample.time.millis() - newest.millis()).unsigned_abs() / self.alignment.step.millis() as u64;
            if self.lateness_steps.is_some() && apart > self.alignment.longest_gap_steps as u64 {
                return Err(self.gap(newest, sample.time));
            }
        }
        match self.pending.entry((sample.time, sample.metric)) {
            Entry::Vacant(place) => {
                place.insert(sample.value);
                self.counts.samples += 1;
                match self.alignment.border_side(sample.time) {
                    Some(BorderSide::Before) => self.counts.before_border += 1,
                    Some(BorderSide::After) => self.counts.after_border += 1,
                    None => {}
                }
            }
            Entry::Occupied(mut place) => {
                self.counts.duplicates += 1;
                match self.alignment.duplicates {
                    Duplicates::KeepFirst => {}
                    Duplicates::KeepLast => *place.get_mut() = sample.value,
                    Duplicates::Refuse => {
                        return Err(WindowError::DuplicateSample {
                            service: self.service.clone(),
                            metric: sample.metric,
                            time: sample.time,
                        });
                    }
                }
            }
        }
        let newest = self.newest.map_or(sample.time, |newest| newest.max(sample.time));
        self.newest = Some(newest);
        if let Some(steps) = self.lateness_steps {
            while let Some(row) = self.first_row()? {
                if row.checked_add(self.alignment.step, steps).is_none_or(|closed| newest <= closed) {
                    break;
                }
                self.make(row)?;
            }
        }
        Ok(())
    }

    /// There are no more samples to come: the rows that have not been taken and those of all samples that are left,
    /// and what became of all samples.
    ///
    /// # Errors
    /// [`WindowError::GapTooLong`].
    pub fn finish(mut self) -> Result<(Vec<AlignedRow>, AlignmentCounts), WindowError> {
        while !self.pending.is_empty() {
            let Some(row) = self.first_row()? else { break };
            self.make(row)?;
        }
        Ok((self.rows.into(), self.counts))
    }

    /// The next row that has been made.
    pub fn pop(&mut self) -> Option<AlignedRow> {
        self.rows.pop_front()
    }

    /// What became of the samples so far.
    #[must_use]
    pub fn counts(&self) -> AlignmentCounts {
        self.counts
    }

    /// The row to be made next: after the one before it, or that of the first sample. Refuses to step through too
    /// long a gap.
    fn first_row(&self) -> Result<Option<Timestamp>, WindowError> {
        let Some(&(first, _)) = self.pending.keys().next() else { return Ok(self.next) };
        let Some(next) = self.next else { return self.alignment.row_of(first).map(Some) };
        let gap = (first.millis() - next.millis()) / self.alignment.step.millis();
        if gap > i64::try_from(self.alignment.longest_gap_steps).unwrap_or(i64::MAX) {
            return Err(self.gap(next, first));
        }
        Ok(Some(next))
    }

    fn gap(&self, from: Timestamp, to: Timestamp) -> WindowError {
        WindowError::GapTooLong {
            service: self.service.clone(),
            from,
            to,
            longest_steps: self.alignment.longest_gap_steps,
        }
    }

    fn make(&mut self, row: Timestamp) -> Result<(), WindowError> {
        let later = self.pending.split_off(&(row, usize::MAX));
        let samples = std::mem::replace(&mut self.pending, later);
        let mut cells = vec![Cell::default(); self.raw.len()];
        for (&(time, metric), &value) in &samples {
            let kind = self.raw.metrics()[metric].kind;
            let weight = match (kind, self.ratio_weight) {
                (Kind::Ratio, Some(by)) => samples.get(&(time, by)).copied().unwrap_or(0.0),
                _ => 1.0,
            };
            let cell = &mut cells[metric];
            cell.sum += value * weight;
            cell.weight += weight;
            cell.max = cell.max.max(value);
            cell.last = value;
            if kind == Kind::Counter {
                self.count_on(metric, row, value, cell);
            }
        }
        let values: Vec<f32> = cells
            .iter()
            .zip(self.raw.metrics())
            .map(|(cell, metric)| self.value(cell, metric.kind))
            .collect();
        self.counts.missing += values.iter().filter(|value| value.is_nan()).count();
        self.rows.push_back(AlignedRow { time: row, values });
        let next = row.checked_add(self.alignment.step, 1);
        let overflow = || {
            CoreError::from(SchemaError::TimeOverflow {
                start: row,
                steps: 1,
                step_millis: self.alignment.step.millis(),
            })
        };
        self.next = Some(next.ok_or_else(overflow)?);
        Ok(())
    }

    /// Adds a counter's increase since its last sample, if that is of this row or the one before it.
    fn count_on(&mut self, metric: usize, row: Timestamp, value: f64, cell: &mut Cell) {
        if let Some((before, of)) = self.counters[metric].replace((value, row)) {
            if value < before {
                self.counts.resets += 1;
            }
            let near = of.checked_add(self.alignment.step, 1).is_some_and(|next| row <= next);
            // A counter that fell began again at zero, so all that it shows was counted since.
            let increase = value - if value < before { 0.0 } else { before };
            cell.increase = if near { Some(cell.increase.unwrap_or(0.0) + increase) } else { None };
            cell.broken |= !near;
        } else {
            cell.broken = true;
        }
    }

    fn value(&self, cell: &Cell, kind: Kind) -> f32 {
        if cell.last.is_nan() {
            return f32::NAN;
        }
        match kind {
            Kind::Delta => cell.sum as f32,
            Kind::Counter if cell.broken => f32::NAN,
            Kind::Counter => cell.increase.map_or(f32::NAN, |increase| increase as f32),
            Kind::Ratio if cell.weight > 0.0 => (cell.sum / cell.weight) as f32,
            Kind::Ratio => f32::NAN,
            Kind::Outcome => cell.max as f32,
            _ => match self.alignment.gauges {
                GaugeRule::Last => cell.last as f32,
                GaugeRule::Mean => (cell.sum / cell.weight) as f32,
            },
        }
    }
}

/// One metric in one step.
#[derive(Clone)]
struct Cell {
    sum: f64,
    weight: f64,
    max: f64,
    last: f64,
    increase: Option<f64>,
    /// A counter without a sample to count from.
    broken: bool,
}

impl Default for Cell {
    fn default() -> Self {
        Self { sum: 0.0, weight: 0.0, max: f64::NEG_INFINITY, last: f64::NAN, increase: None, broken: false }
    }
}
