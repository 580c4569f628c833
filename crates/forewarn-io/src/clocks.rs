use crate::{IoError, ReadSummary, ServiceSummary, error::Origin};
use forewarn_schema::{Layout, Step, Timestamp};
use std::collections::BTreeMap;

/// Longest gap that is filled: ten years. A longer one is a wrong time.
const LONGEST_GAP_MILLIS: i64 = 3_652 * 86_400_000;

/// Values that gaps of one file may add (256 MiB), besides [`GAP_VALUES_PER_VALUE`].
const GAP_VALUES: u64 = 1 << 26;

/// Further values that gaps may add for each value that the file has, so that a small file cannot ask for much memory.
const GAP_VALUES_PER_VALUE: u64 = 10;

/// The clocks of a file's services: where each row belongs, and what is missing before it. Rows come one after another, services in turns or
/// not.
#[derive(Debug)]
pub(crate) struct Clocks {
    origin: Origin,
    /// Values of a row, for the allowance of gaps.
    width: usize,
    step: Step,
    services: Vec<Service>,
    by_name: BTreeMap<String, usize>,
    /// Service of the row before, which is most often that of the next one too.
    current: usize,
    rows: u64,
    gap_rows: u64,
    /// Fewest steps between two rows of one service.
    closest: Option<i64>,
}

#[derive(Debug)]
struct Service {
    name: String,
    start: Timestamp,
    last: Timestamp,
    last_row: u64,
    rows: u64,
    gap_rows: u64,
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    /// Its service, numbered by first appearance.
    pub(crate) service: usize,
    /// Rows between the service's last row and this one that the file lacks.
    pub(crate) missing_rows: usize,
}

impl Clocks {
    pub(crate) fn new(origin: &Origin, width: usize, step: Step) -> Self {
        Self {
            origin: origin.clone(),
            width,
            step,
            services: Vec::new(),
            by_name: BTreeMap::new(),
            current: 0,
            rows: 0,
            gap_rows: 0,
            closest: None,
        }
    }

    /// The place of the row that is number `row` in the file.
    pub(crate) fn place(&mut self, row: u64, service: &str, time: Timestamp) -> Result<Placed, IoError> {
        if self.services.get(self.current).is_none_or(|current| current.name != service) {
            self.current = self.find_or_add(row, service, time)?;
        }
        let missing_rows = self.missing_before(row, time)?;
        if self.rows + self.gap_rows + missing_rows >= u64::from(u32::MAX) {
            return Err(IoError::TooManyRows { place: self.origin.at(row), limit: u32::MAX });
        }
        let service = &mut self.services[self.current];
        service.last = time;
        service.last_row = row;
        service.rows += 1;
        service.gap_rows += missing_rows;
        self.rows += 1;
        self.gap_rows += missing_rows;
        // Fewer than 2^32.
        Ok(Placed { service: self.current, missing_rows: missing_rows as usize })
    }

    /// Name of a service and time of its first row.
    pub(crate) fn service(&self, service: usize) -> (&str, Timestamp) {
        let service = &self.services[service];
        (&service.name, service.start)
    }

    fn find_or_add(&mut self, row: u64, name: &str, time: Timestamp) -> Result<usize, IoError> {
        if name.is_empty() {
            return Err(IoError::MissingService { place: self.origin.at(row) });
        }
        if let Some(&index) = self.by_name.get(name) {
            return Ok(index);
        }
        self.by_name.insert(name.to_owned(), self.services.len());
        self.services.push(Service {
            name: name.to_owned(),
            start: time,
            last: time,
            last_row: row,
            rows: 0,
            gap_rows: 0,
        });
        Ok(self.services.len() - 1)
    }

    /// Rows that the clock of the current service asks for between its last row and `time`.
    fn missing_before(&mut self, row: u64, time: Timestamp) -> Result<u64, IoError> {
        let service = &self.services[self.current];
        if service.rows == 0 {
            return Ok(0);
        }
        let (previous, previous_row) = (service.last, service.last_row);
        let (place, name) = (|| self.origin.at(row), || service.name.clone());
        let elapsed = time.millis() - previous.millis();
        if elapsed == 0 {
            return Err(IoError::DuplicateTime { place: place(), service: name(), time, previous_row });
        }
        if elapsed < 0 {
            return Err(IoError::OutOfOrder {
                place: place(),
                service: name(),
                time,
                previous,
                previous_row,
            });
        }
        if elapsed % self.step.millis() != 0 {
            return Err(IoError::OffClock {
                place: place(),
                service: name(),
                time,
                previous,
                previous_row,
                step: self.step,
            });
        }
        let steps = elapsed / self.step.millis();
        let missing_rows = steps - 1;
        let width = self.width as u64;
        let allowed_rows = GAP_VALUES / width + GAP_VALUES_PER_VALUE * self.rows;
        let filled = self.gap_rows.saturating_add(missing_rows.unsigned_abs());
        if missing_rows > 0 && (elapsed > LONGEST_GAP_MILLIS || filled > allowed_rows) {
            return Err(IoError::Gap {
                place: place(),
                service: name(),
                time,
                previous,
                previous_row,
                missing_rows,
            });
        }
        self.closest = Some(self.closest.map_or(steps, |closest| closest.min(steps)));
        Ok(missing_rows.unsigned_abs())
    }

    /// Services and times of all rows, and what is missing; `notes` and what was noticed here. Cells are not counted.
    pub(crate) fn finish(self, mut notes: Vec<String>) -> Result<(Layout, ReadSummary), IoError> {
        if self.services.is_empty() {
            return Err(IoError::NoRows { file: self.origin.file() });
        }
        if let Some(closest @ 2..) = self.closest {
            let (expected, found_millis) = (self.step, closest * self.step.millis());
            // A single interval is as likely a gap as a clock of its own.
            if self.services.iter().any(|service| service.rows > 2) {
                return Err(IoError::OtherStep { file: self.origin.file(), found_millis, expected });
            }
            notes.push(
                "no two rows of a service are one step apart: the rows between were taken as missing"
                    .to_owned(),
            );
        }
        let rows = |service: &Service| (service.rows + service.gap_rows) as usize;
        let places = self.services.iter().map(|service| (service.name.clone(), service.start, rows(service)));
        let refuse = |source| IoError::Schema { file: self.origin.file(), source };
        let layout = Layout::new(self.step, places).map_err(refuse)?;
        let summary = |service: &Service| {
            let steps = i64::try_from(rows(service)).unwrap_or(i64::MAX);
            ServiceSummary {
                name: service.name.clone(),
                start: service.start,
                // The layout has checked that there is such a time.
                end: service.start.checked_add(self.step, steps).unwrap_or(service.last),
                rows: service.rows,
                gap_rows: service.gap_rows,
            }
        };
        let services = self.by_name.values().map(|&service| summary(&self.services[service])).collect();
        let (rows, gap_rows, format) = (self.rows, self.gap_rows, self.origin.format);
        Ok((layout, ReadSummary { format, rows, missing_cells: 0, gap_rows, services, notes }))
    }
}
