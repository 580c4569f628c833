use crate::{
    Duplicates, IoError, StepSource,
    assemble::{lines::Lines, sources::Sources},
    columns::time_form::Moment,
    recording::{ReadSummary, ServiceSummary},
};
use forewarn_schema::{Step, Timestamp};
use std::collections::BTreeMap;

/// Longest gap of many rows that is filled: a year. A longer one is a wrong time.
const LONGEST_GAP_MILLIS: i64 = 366 * 86_400_000;

/// Rows that a gap of any length may have.
const GAP_ROWS: i64 = 10_000;

/// Values that gaps of one file may add (16 MiB), besides [`GAP_VALUES_PER_VALUE`].
const GAP_VALUES: u64 = 1 << 22;

/// Further values that gaps may add for each value that the file has, so that a small file cannot ask for much memory.
const GAP_VALUES_PER_VALUE: u64 = 10;

/// Rows more than a quarter of a step off are put on the clock while there is at most one of them in this number of
/// rows.
const OFF_ONE_IN: u64 = 20;

/// Whether rows may come in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Any,
    /// Each row of a service is later than the one before.
    Ascending,
}

/// The clocks of all services: where each row belongs, and what is missing before it. Rows come one after another,
/// services in turns or not.
#[derive(Debug)]
pub(crate) struct Clocks {
    pub(crate) sources: Sources,
    order: Order,
    step: Step,
    step_source: StepSource,
    services: Vec<Service>,
    by_name: BTreeMap<String, usize>,
    /// Service of the row before, which is most often that of the next one too.
    current: usize,
    rows: u64,
    /// Rows of all services with those that are missing.
    filled: u64,
    /// Fewest steps between two rows of one service.
    closest: Option<i64>,
    jitter: Jitter,
    /// Rows that came before an earlier one of their service.
    unsorted: u64,
    /// Rows of a repeated hour that were told apart by their order.
    repeated: u64,
}

#[derive(Debug, Default)]
struct Service {
    name: String,
    /// The service that the row after its last one was of.
    next: usize,
    /// Time of row 0, the first that came.
    anchor: i64,
    /// The first row and the one after the last, counted from row 0.
    first: i64,
    end: i64,
    lines: Lines,
    /// Rows of the file at different times, and further ones of a time.
    distinct: u64,
    duplicates: u64,
    last: Option<LastRow>,
    /// The last cell of each metric of a long file, whose metrics may come one after another.
    last_cells: Vec<Option<LastRow>>,
    is_off: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LastRow {
    millis: i64,
    row: i64,
    line: u64,
    /// Whether it came before the one that the file had before it.
    backwards: bool,
}

/// Which row comes before another in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Series {
    /// The last of its service.
    Rows,
    /// The last cell of this metric.
    Metric(usize),
}

/// How far rows are off the clock.
#[derive(Debug, Default)]
struct Jitter {
    rows: u64,
    largest_millis: i64,
    /// Rows more than a quarter of a step off, and the first of them: its line and service, the times of it and of
    /// the row before, and that one's line.
    far: u64,
    example: Option<(u64, usize, i64, i64, u64)>,
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    /// Its service, numbered by first appearance.
    pub(crate) service: usize,
    /// Rows that the service gains behind its last row, this one included.
    #[cfg(feature = "parquet")]
    pub(crate) behind: usize,
    /// The line of an earlier row at the same time.
    pub(crate) duplicate_of: Option<u64>,
    /// Its number among the service's rows, counted from the first that came.
    pub(crate) key: i64,
}

impl Clocks {
    pub(crate) fn new(sources: Sources, step: Step, step_source: StepSource, order: Order) -> Self {
        Self {
            sources,
            order,
            step,
            step_source,
            services: Vec::new(),
            by_name: BTreeMap::new(),
            current: 0,
            rows: 0,
            filled: 0,
            closest: None,
            jitter: Jitter::default(),
            unsorted: 0,
            repeated: 0,
        }
    }

    pub(crate) fn set_step(&mut self, step: Step, source: StepSource) {
        (self.step, self.step_source) = (step, source);
    }

    /// The number of a service, by first appearance.
    pub(crate) fn service(&mut self, line: u64, name: &str) -> Result<usize, IoError> {
        let before = self.current;
        if let Some(current) = self.services.get(before) {
            if current.name == name {
                return Ok(before);
            }
            // Services that take turns do so in the same order, which is found without a look-up.
            let next = current.next;
            if self.services.get(next).is_some_and(|next| next.name == name) {
                self.current = next;
                return Ok(next);
            }
        }
        if name.is_empty() {
            return Err(IoError::MissingService { place: self.sources.at(line) });
        }
        if let Some(&index) = self.by_name.get(name) {
            self.services[before].next = index;
            self.current = index;
            return Ok(index);
        }
        self.current = self.services.len();
        if let Some(before) = self.services.get_mut(before) {
            before.next = self.current;
        }
        self.by_name.insert(name.to_owned(), self.current);
        self.services.push(Service { name: name.to_owned(), ..Service::default() });
        Ok(self.current)
    }

    pub(crate) fn name(&self, service: usize) -> &str {
        &self.services[service].name
    }

    /// The place of a row of a service, or of a cell of one of its metrics, from line `line`; `width` values are in a
    /// row.
    pub(crate) fn place(
        &mut self,
        line: u64,
        service: usize,
        moment: Moment,
        series: Series,
        width: usize,
    ) -> Result<Placed, IoError> {
        self.place_many(line, service, 1, moment, series, width)
    }

    /// Whether the same rows have come of all these services so far.
    pub(crate) fn are_alike(&self, services: &[usize]) -> bool {
        let mut states = services.iter().map(|&service| {
            let Service { anchor, first, end, lines, distinct, last, is_off, last_cells, .. } =
                &self.services[service];
            (anchor, first, end, lines, distinct, last, is_off, last_cells)
        });
        let Some(lead) = states.next() else { return false };
        states.all(|state| state == lead)
    }

    /// The place of a row of each of these services, which [are alike](Self::are_alike). Only the first of them knows
    /// of it until [`catch_up`](Self::catch_up).
    pub(crate) fn place_together(
        &mut self,
        line: u64,
        services: &[usize],
        moment: Moment,
        width: usize,
    ) -> Result<Placed, IoError> {
        let lead = services.first().copied().unwrap_or_default();
        self.place_many(line, lead, services.len() as u64, moment, Series::Rows, width)
    }

    /// Lets the others of these services know of the rows that were placed together.
    pub(crate) fn catch_up(&mut self, services: &[usize]) {
        let Some((&lead, others)) = services.split_first() else { return };
        let Service { anchor, first, end, distinct, last, is_off, .. } = self.services[lead];
        let lines = self.services[lead].lines.clone();
        for &other in others {
            let other = &mut self.services[other];
            (other.anchor, other.first, other.end) = (anchor, first, end);
            (other.distinct, other.last, other.is_off) = (distinct, last, is_off);
            other.lines.clone_from(&lines);
        }
    }

    /// [`place`](Self::place) for so many services that are alike.
    fn place_many(
        &mut self,
        line: u64,
        service: usize,
        count: u64,
        moment: Moment,
        series: Series,
        width: usize,
    ) -> Result<Placed, IoError> {
        let (step, index) = (self.step.millis(), service);
        let service = &mut self.services[index];
        let previous = match series {
            Series::Rows => service.last,
            Series::Metric(slot) => service.last_cells.get(slot).copied().flatten(),
        };
        let mut millis = moment.time.millis();
        if let Some(repeated) = moment.repeated {
            let second = repeated.millis();
            if second == told_apart(millis, second, previous, step) {
                millis = second;
                self.repeated += count;
            }
        }
        if service.last.is_none() {
            service.anchor = millis;
        }
        // Half a step later is as near as half a step earlier.
        let since = millis - service.anchor;
        let row = (since + step / 2).div_euclid(step);
        let off = since - row * step;
        if off != 0 {
            self.jitter.rows += count;
            self.jitter.largest_millis = self.jitter.largest_millis.max(off.abs());
            service.is_off = true;
        }
        let mut backwards = false;
        if let Some(last) = previous {
            let elapsed = (millis - last.millis).abs();
            let odd = elapsed % step;
            if odd.min(step - odd) * 4 > step && elapsed > 0 {
                self.jitter.far += count;
                self.jitter.example.get_or_insert((line, index, millis, last.millis, last.line));
            }
            let steps = (row - last.row).abs();
            if steps > 0 {
                self.closest = Some(self.closest.map_or(steps, |closest| closest.min(steps)));
            }
            backwards = row < last.row;
            self.unsorted += u64::from(backwards) * count;
            if self.order == Order::Ascending && row <= last.row {
                let (time, previous) = (at(millis), at(last.millis));
                let (place, name) = (self.sources.at(line), service.name.clone());
                let previous_place = self.sources.at(last.line);
                return Err(if backwards {
                    IoError::OutOfOrder { place, service: name, time, previous, previous_place }
                } else {
                    IoError::DuplicateTime { place, service: name, time, previous_place }
                });
            }
        }
        let is_first = service.distinct == 0;
        let before = if is_first { 0 } else { (service.first - row).max(0) };
        let behind = if is_first { 1 } else { (row + 1 - service.end).max(0) };
        let gap = (before.max(behind) - 1).max(0);
        let gained = (before.max(0).unsigned_abs() + behind.unsigned_abs()).saturating_mul(count);
        if gap > 0 {
            let rows = self.rows + count;
            let allowed = GAP_VALUES / (width as u64).max(1) + GAP_VALUES_PER_VALUE * rows;
            let missing = self.filled.saturating_add(gained).saturating_sub(rows);
            let too_long = gap.saturating_mul(step) > LONGEST_GAP_MILLIS && gap > GAP_ROWS;
            if too_long || missing > allowed {
                let here = LastRow { millis, row, line, backwards };
                let last = previous.or(service.last).unwrap_or(here);
                return Err(IoError::Gap {
                    place: self.sources.at(line),
                    service: service.name.clone(),
                    time: at(millis),
                    previous: at(last.millis),
                    previous_place: self.sources.at(last.line),
                    missing_rows: gap,
                });
            }
        }
        if self.filled.saturating_add(gained) > u64::from(u32::MAX) {
            return Err(IoError::TooManyRows { place: self.sources.at(line), limit: u32::MAX });
        }
        let duplicate_of = if gained > 0 { None } else { service.lines.get(row).map(u64::from) };
        service.first = service.first.min(row);
        service.end = if is_first { row + 1 } else { service.end.max(row + 1) };
        service.last = Some(LastRow { millis, row, line, backwards });
        if let Series::Metric(slot) = series {
            if slot >= service.last_cells.len() {
                service.last_cells.resize(slot + 1, None);
            }
            service.last_cells[slot] = service.last;
        }
        if duplicate_of.is_none() {
            service.distinct += 1;
            service.lines.set(row, u32::try_from(line).unwrap_or(u32::MAX));
        }
        self.rows += count;
        self.filled += gained;
        Ok(Placed {
            service: index,
            #[cfg(feature = "parquet")]
            behind: behind.unsigned_abs() as usize,
            duplicate_of,
            key: row,
        })
    }

    /// The error for a row whose service and time another line has had already.
    pub(crate) fn duplicate(&self, line: u64, service: usize, time: Timestamp, earlier: u64) -> IoError {
        IoError::DuplicateTime {
            place: self.sources.at(line),
            service: self.name(service).to_owned(),
            time,
            previous_place: self.sources.at(earlier),
        }
    }

    /// A row of this service was a further one of its time, and that is no error.
    pub(crate) fn count_duplicate(&mut self, service: usize) {
        self.services[service].duplicates += 1;
    }

    /// The first row of a service and the one after its last, counted from the first that came.
    pub(crate) fn span_of(&self, service: usize) -> (i64, i64) {
        (self.services[service].first, self.services[service].end)
    }

    /// The rows of a service that the files have, and all of them.
    pub(crate) fn rows_of(&self, service: usize) -> (u64, u64) {
        let service = &self.services[service];
        (service.distinct, (service.end - service.first).unsigned_abs())
    }

    /// Services and times of all rows, and what is missing; `notes` and what was noticed here. Cells are not counted.
    pub(crate) fn finish(self, notes: Vec<String>, duplicates: Duplicates) -> Result<Finished, IoError> {
        let file = || self.sources.name();
        if self.services.iter().all(|service| service.distinct == 0) {
            return Err(IoError::NoRows { file: file() });
        }
        self.expect_own_step()?;
        let mut notes = notes;
        self.add_notes(&mut notes, duplicates);
        let mut services = Vec::with_capacity(self.services.len());
        for service in self.services {
            let rows = service.end - service.first;
            let start = self.step.millis().saturating_mul(service.first).saturating_add(service.anchor);
            // Jittered rows are put on whole steps, so that the rows of services lie beside each other.
            let half = self.step.millis() / 2;
            let start = match service.is_off {
                true => (start + half).div_euclid(self.step.millis()) * self.step.millis(),
                false => start,
            };
            let start = Timestamp::from_millis(start).unwrap_or_else(|| at(service.anchor));
            services.push(ServiceSummary {
                name: service.name,
                start,
                end: start.checked_add(self.step, rows).unwrap_or(start),
                rows: service.distinct + service.duplicates,
                gap_rows: rows.unsigned_abs() - service.distinct,
                duplicate_rows: service.duplicates,
                missing_cells: 0,
                infinite_cells: 0,
                clamped_cells: 0,
            });
        }
        let summary = ReadSummary {
            format: self.sources.format(),
            files: self.sources.len() as u64,
            rows: services.iter().map(|service| service.rows).sum(),
            missing_cells: 0,
            gap_rows: services.iter().map(|service| service.gap_rows).sum(),
            step: self.step,
            step_source: self.step_source,
            metrics: Vec::new(),
            services: Vec::new(),
            cells: Vec::new(),
            notes,
        };
        Ok(Finished { services, summary })
    }

    /// Refuses rows that have a slower clock than the one asked for, and rows that are on none.
    fn expect_own_step(&self) -> Result<(), IoError> {
        if let (Some(closest @ 2..), StepSource::Given) = (self.closest, self.step_source) {
            // A single interval is as likely a gap as a clock of its own.
            if self.services.iter().any(|service| service.distinct > 2) {
                return Err(IoError::OtherStep {
                    file: self.sources.name(),
                    found_millis: closest * self.step.millis(),
                    expected: self.step,
                });
            }
        }
        let Some((line, service, millis, previous, previous_line)) = self.jitter.example else {
            return Ok(());
        };
        if self.jitter.far * OFF_ONE_IN <= self.rows {
            return Ok(());
        }
        Err(IoError::OffClock {
            place: self.sources.at(line),
            service: self.name(service).to_owned(),
            time: at(millis),
            previous: at(previous),
            previous_place: self.sources.at(previous_line),
            step: self.step,
        })
    }

    fn add_notes(&self, notes: &mut Vec<String>, duplicates: Duplicates) {
        match self.step_source {
            StepSource::Found if self.step != Step::MINUTE => {
                notes.push(format!("a step of {} was found from the times", self.step));
            }
            StepSource::Assumed => {
                notes.push(format!("no service has two rows: a step of {} was assumed", self.step));
            }
            _ => {}
        }
        if matches!(self.closest, Some(2..)) && self.step_source == StepSource::Given {
            notes.push(
                "no two rows of a service are one step apart: the rows between were taken as missing"
                    .to_owned(),
            );
        }
        if self.jitter.rows > 0 {
            let largest = self.jitter.largest_millis as f64 / 1e3;
            let rows = self.jitter.rows;
            notes.push(format!(
                "{rows} rows are off the clock by up to {largest} s and were put on the nearest step of {}",
                self.step
            ));
        }
        if self.unsorted > 0 {
            notes.push(format!("{} rows were not in order of time and were sorted", self.unsorted));
        }
        if self.repeated > 0 {
            let rows = self.repeated;
            notes
                .push(format!("{rows} rows of a repeated hour were told from the first ones by their order"));
        }
        let rows: u64 = self.services.iter().map(|service| service.duplicates).sum();
        if rows > 0 {
            let taken = match duplicates {
                Duplicates::Error => "none was taken twice",
                Duplicates::First => "the first was taken",
                Duplicates::Last => "the last was taken",
                Duplicates::Mean => "their mean was taken",
            };
            notes.push(format!("{rows} rows have the service and time of another: {taken}"));
        }
        let slow: Vec<&str> = self
            .services
            .iter()
            .filter(|service| {
                service.distinct > 2 && (service.end - service.first).unsigned_abs() >= 2 * service.distinct
            })
            .map(|service| service.name.as_str())
            .collect();
        if !slow.is_empty() && self.closest == Some(1) {
            let shown = slow.iter().take(5).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            let more = if slow.len() > 5 { format!(" and {} more", slow.len() - 5) } else { String::new() };
            notes.push(format!(
                "half of the rows and more are missing from {shown}{more}: is their step a longer one?"
            ));
        }
    }
}

/// All rows in their places.
pub(crate) struct Finished {
    /// By first appearance.
    pub(crate) services: Vec<ServiceSummary>,
    /// The summary without its services.
    pub(crate) summary: ReadSummary,
}

/// Which of two times a row of a repeated hour is of: the next one in the direction that the file has, from the newest
/// or from the oldest on.
fn told_apart(first: i64, second: i64, previous: Option<LastRow>, step: i64) -> i64 {
    let Some(LastRow { millis: last, backwards, .. }) = previous else { return first };
    // Where rows are less than the hour apart, one of the same time is a further row of it.
    if (last == first || last == second) && step < second - first {
        return last;
    }
    let follows = |time: &i64| if backwards { *time < last } else { *time > last };
    let away = |time: &i64| (time - last).abs();
    let times = [first, second];
    times
        .into_iter()
        .filter(follows)
        .min_by_key(away)
        .or_else(|| times.into_iter().min_by_key(away))
        .unwrap_or(first)
}

/// A time that came out of a timestamp, or lies between two of them.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH)
}
