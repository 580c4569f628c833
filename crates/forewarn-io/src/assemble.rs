use crate::{IoError, ReadSummary, Recording, ServiceSummary, error::Origin};
use forewarn_schema::{Frame, FrameSet, Schema, Step, Timestamp};
use std::collections::BTreeMap;

/// Longest gap that is filled: ten years. A longer one is a wrong time.
const LONGEST_GAP_MILLIS: i64 = 3_652 * 86_400_000;

/// Values that gaps of one file may add (256 MiB), besides [`GAP_VALUES_PER_VALUE`].
const GAP_VALUES: u64 = 1 << 26;

/// Further values that gaps may add for each value that the file has, so that a small file cannot ask for much memory.
const GAP_VALUES_PER_VALUE: u64 = 10;

/// Puts the rows of a file on the clocks of their services.
///
/// Costs the values themselves, and the same again for a moment when there are several services.
#[derive(Debug)]
pub(crate) struct Assembler<'a> {
    origin: &'a Origin,
    schema: Schema,
    step: Step,
    services: Vec<Service>,
    by_name: BTreeMap<String, usize>,
    /// Service of the row before, which is most often that of the next one too.
    current: usize,
    rows: u64,
    gap_rows: u64,
    missing_cells: u64,
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
    values: Vec<f32>,
}

impl<'a> Assembler<'a> {
    pub(crate) fn new(origin: &'a Origin, schema: Schema, step: Step) -> Self {
        Self {
            origin,
            schema,
            step,
            services: Vec::new(),
            by_name: BTreeMap::new(),
            current: 0,
            rows: 0,
            gap_rows: 0,
            missing_cells: 0,
            closest: None,
        }
    }

    /// Adds the row that is number `row` in the file; its values have been checked.
    pub(crate) fn push(
        &mut self,
        row: u64,
        service: &str,
        time: Timestamp,
        sample: &[f32],
    ) -> Result<(), IoError> {
        if self.services.get(self.current).is_none_or(|current| current.name != service) {
            self.current = self.find_or_add(row, service, time)?;
        }
        let missing_rows = self.missing_before(row, time)?;
        if self.rows + self.gap_rows + missing_rows >= u64::from(u32::MAX) {
            return Err(IoError::TooManyRows { place: self.origin.at(row), limit: u32::MAX });
        }
        let service = &mut self.services[self.current];
        if missing_rows > 0 {
            // Bounded by the allowance for gaps.
            let filled = service.values.len() + missing_rows as usize * self.schema.len();
            service.values.resize(filled, f32::NAN);
        }
        service.values.extend_from_slice(sample);
        service.last = time;
        service.last_row = row;
        service.rows += 1;
        service.gap_rows += missing_rows;
        self.rows += 1;
        self.gap_rows += missing_rows;
        self.missing_cells += sample.iter().filter(|value| value.is_nan()).count() as u64;
        Ok(())
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
            values: Vec::new(),
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
        let width = self.schema.len() as u64;
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

    /// All frames, with `notes` and what was noticed here.
    pub(crate) fn finish(mut self, mut notes: Vec<String>) -> Result<Recording, IoError> {
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
        self.services.sort_by(|a, b| a.name.cmp(&b.name));
        let refuse = |source| IoError::Schema { file: self.origin.file(), source };
        let mut frames = Vec::with_capacity(self.services.len());
        let mut services = Vec::with_capacity(self.services.len());
        for mut service in self.services {
            // A growing vector holds up to twice what it needs.
            service.values.shrink_to_fit();
            let frame = Frame::new(
                service.name.clone(),
                self.schema.clone(),
                service.start,
                self.step,
                service.values,
            )
            .map_err(refuse)?;
            services.push(ServiceSummary {
                name: service.name,
                start: service.start,
                end: frame.view().end(),
                rows: service.rows,
                gap_rows: service.gap_rows,
            });
            frames.push(frame);
        }
        let frames = FrameSet::from_frames(frames).map_err(refuse)?;
        let summary = ReadSummary {
            format: self.origin.format,
            rows: self.rows,
            missing_cells: self.missing_cells,
            gap_rows: self.gap_rows,
            services,
            notes,
        };
        Ok(Recording { frames, summary })
    }
}
