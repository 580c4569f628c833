use super::{file_columns::Wanted, reader::FileRows};
use crate::{
    CellChange, Format, IoError, ReadOptions, ReadSummary, ServiceSummary, Shape, StepSource,
    assemble::{
        Assembler, Keep, Places,
        clocks::{Clocks, Order},
        complete,
        counters::Increase,
        sources::Sources,
    },
    columns::{
        SERVICE,
        cells::RowValues,
        slots::{Counter, Slots},
    },
    csv::Input,
    error::Origin,
};
use forewarn_core::{CoreError, FrameStream, Piece};
use forewarn_schema::{Layout, Schema};
use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    path::Path,
    sync::Arc,
};

/// Rows that are in memory at a time, unless told otherwise: 2.6 MB of ten metrics.
const ROWS_AT_ONCE: usize = 1 << 16;

/// Longest gap that lies among the rows around it; a longer one becomes pieces of its own, so that it takes no memory.
const SHORT_GAP_ROWS: usize = 1 << 10;

/// A Parquet file of any size as a stream of frames: the rows that [`read`](super::read()) gives, in pieces.
///
/// [`open`](Self::open) goes over times and services once and checks them; each pass over the stream decodes the
/// values again. Memory: the rows of [`with_rows_at_once`](Self::with_rows_at_once), one page of each column, and a name and
/// two times for each service, however long the file is. Services may come after one another or take turns in the
/// file; the more they do, the shorter are the pieces.
///
/// ```no_run
/// use forewarn_core::FrameStream;
/// use forewarn_io::{ReadOptions, parquet::ParquetStream};
///
/// let mut fleet = ParquetStream::open("fleet.parquet", &ReadOptions::default())?;
/// println!("{} rows of {} services", fleet.layout().rows(), fleet.layout().services().len());
/// while let Some(piece) = fleet.next_piece()? {
///     println!("service {}: rows {:?}", piece.service, piece.rows);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ParquetStream {
    rows: FileRows,
    schema: Schema,
    layout: Arc<Layout>,
    /// What the first look found: the summary without cells, and its services by first appearance.
    found: (ReadSummary, Vec<ServiceSummary>),
    summary: ReadSummary,
    columns: Columns,
    rows_at_once: usize,
    clocks: Clocks,
    /// Each service of the clocks.
    slots: Vec<Slot>,
    changes: BTreeMap<(usize, usize, CellChange), u64>,
    /// What has been read and not given yet.
    parts: VecDeque<Part>,
    /// Rows without a sample.
    missing: Vec<f32>,
}

/// How the values of a file's row become those of a frame's.
struct Columns {
    slots: Slots,
    /// The slot of each column.
    order: Vec<usize>,
    is_counter: Vec<bool>,
}

/// A service in the middle of a pass.
struct Slot {
    /// Its position in the layout.
    service: usize,
    /// The row, a number in the layout, that comes next; and the one after its last.
    left: Range<usize>,
    /// Values that have been read and are not given yet, or being given.
    values: Vec<f32>,
    /// The part that further rows belong to, a position in `parts`.
    part: Option<usize>,
    /// Each counter, and cells without a number.
    increases: Vec<Increase>,
    missing_cells: u64,
}

/// Some rows to be given.
struct Part {
    slot: usize,
    rows: Range<usize>,
    /// Where the values lie in those of the slot; `None` for a gap.
    values: Option<usize>,
}

impl ParquetStream {
    /// Opens a file, and finds and checks the times of all services. Reads their columns, and those that are called
    /// like counters.
    ///
    /// # Errors
    /// As [`read`](super::read()), except for what is wrong with values: a pass finds that. The rows of a service
    /// must be in order of time, each once, and the file one of records.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, IoError> {
        let path = path.as_ref();
        let origin = Origin::new(&path.display().to_string(), Format::Parquet);
        let input = Input { origin: &origin, options, service: SERVICE, folders: &[] };
        let mut assembler = Assembler::with_order(options, Keep::Counts, Order::Ascending)?;
        assembler.begin(&origin);
        let mut rows = FileRows::open(path, &input, Wanted::Places, &mut assembler.slots)?;
        if rows.file.columns.shape != Shape::Records {
            return Err(IoError::Shape {
                file: origin.file(),
                expected: "a file of records, a column a metric, to be streamed".to_owned(),
                columns: rows.file.columns.names.clone(),
            });
        }
        std::mem::take(&mut rows.file.columns.notes).into_iter().for_each(|note| assembler.note(note));
        while rows.advance(&assembler.slots)? {
            rows.for_each(|row, service, moment, values| assembler.push(row, service, moment, values))?;
        }
        rows.notes().into_iter().for_each(|note| assembler.note(note));
        let Places { summary, services, slots, order, is_counter, .. } = assembler.finish_places()?;
        let refuse = |source| IoError::Schema { file: origin.file(), source };
        let schema = Schema::new(summary.metrics.clone()).map_err(refuse)?;
        let places = services.iter().map(|service| {
            let rows = service.rows + service.gap_rows;
            (service.name.clone(), service.start, usize::try_from(rows).unwrap_or(usize::MAX))
        });
        let layout = Layout::new(summary.step, places).map_err(refuse)?;
        rows.rewind(Wanted::Everything);
        let mut stream = Self {
            clocks: clocks(&origin, &summary),
            missing: vec![f32::NAN; SHORT_GAP_ROWS * schema.len()],
            rows,
            schema,
            layout: Arc::new(layout),
            summary: summary.clone(),
            found: (summary, services),
            columns: Columns { slots, order, is_counter },
            rows_at_once: ROWS_AT_ONCE,
            slots: Vec::new(),
            changes: BTreeMap::new(),
            parts: VecDeque::new(),
        };
        stream.summarise();
        Ok(stream)
    }

    /// Counts what has been seen of cells in this pass.
    fn summarise(&mut self) {
        let missing: Vec<u64> = self.slots.iter().map(|slot| slot.missing_cells).collect();
        self.summary = self.found.0.clone();
        complete(&mut self.summary, self.found.1.clone(), &missing, &self.changes, &self.columns.slots);
    }

    /// The same with about this number of rows in memory at a time, whole batches of 8,192.
    #[must_use]
    pub fn with_rows_at_once(self, rows: usize) -> Self {
        Self { rows_at_once: rows, ..self }
    }

    /// What the file holds, and what is missing; cells are those of the last pass that went to the end.
    #[must_use]
    pub fn summary(&self) -> &ReadSummary {
        &self.summary
    }

    /// Reads more rows; false when there are none.
    fn fill(&mut self) -> Result<bool, IoError> {
        for slot in &mut self.slots {
            // What took turns may not go on doing so: no service keeps the memory of a whole chunk.
            (slot.values, slot.part) = (Vec::new(), None);
        }
        let Self { rows, clocks, slots, parts, layout, columns, changes, .. } = self;
        let width = columns.order.len();
        let step = layout.step().millis();
        let origin = rows.file.origin.clone();
        let changed = || IoError::Changed { file: origin.file() };
        let mut read = 0;
        while read < self.rows_at_once.max(1) && rows.advance(&columns.slots)? {
            rows.for_each(|row, name, moment, values| {
                read += 1;
                let service = clocks.service(row, name)?;
                let placed = clocks.place(row, service, moment, width)?;
                if service == slots.len() {
                    let services = layout.services();
                    let found = services.binary_search_by(|place| place.name().cmp(name));
                    let service = found.map_err(|_| changed())?;
                    let place = &services[service];
                    // The start of jittered rows is on a whole step.
                    if (place.start().millis() - moment.time.millis()).abs() >= step {
                        return Err(changed());
                    }
                    slots.push(Slot {
                        service,
                        left: place.rows(),
                        values: Vec::new(),
                        part: None,
                        increases: vec![Increase::default(); columns.slots.counters.len()],
                        missing_cells: 0,
                    });
                }
                let slot = &mut slots[service];
                let mut gap = placed.behind - 1;
                if gap + 1 > slot.left.len() {
                    return Err(changed());
                }
                if gap > 0 {
                    slot.increases.fill(Increase::default());
                }
                if gap > SHORT_GAP_ROWS {
                    let rows = slot.left.start..slot.left.start + gap;
                    slot.left.start = rows.end;
                    slot.part = None;
                    parts.push_back(Part { slot: service, rows, values: None });
                    gap = 0;
                }
                let part = *slot.part.get_or_insert_with(|| {
                    let rows = slot.left.start..slot.left.start;
                    parts.push_back(Part { slot: service, rows, values: Some(slot.values.len()) });
                    parts.len() - 1
                });
                slot.values.resize(slot.values.len() + gap * width, f32::NAN);
                columns.add(service, slot, values, changes);
                slot.left.start += gap + 1;
                parts[part].rows.end = slot.left.start;
                Ok(())
            })?;
        }
        Ok(read > 0)
    }

    /// The part to be given next, at most as long as there are missing rows if it is a gap.
    fn next_part(&mut self) -> Result<Option<Part>, IoError> {
        if self.parts.is_empty() && !self.fill()? {
            return Ok(None);
        }
        let Some(first) = self.parts.front_mut() else { return Ok(None) };
        if first.values.is_none() && first.rows.len() > SHORT_GAP_ROWS {
            let rows = first.rows.start..first.rows.start + SHORT_GAP_ROWS;
            first.rows.start = rows.end;
            return Ok(Some(Part { rows, ..*first }));
        }
        Ok(self.parts.pop_front())
    }
}

impl Columns {
    /// Adds a row to a service's values.
    fn add(
        &self,
        service: usize,
        slot: &mut Slot,
        row: &RowValues,
        changes: &mut BTreeMap<(usize, usize, CellChange), u64>,
    ) {
        for &(of, change) in &row.changes {
            *changes.entry((service, of, change)).or_default() += 1;
        }
        for &of in &self.order {
            let place = &self.slots.slots[of];
            if place.counter == Counter::No {
                slot.missing_cells += u64::from(row.sample[of].is_nan());
                slot.values.push(row.sample[of]);
                continue;
            }
            let raw = row.raws[place.counter_at];
            slot.missing_cells += u64::from(raw.is_nan());
            slot.values.push(if self.is_counter[of] {
                let (increase, fell) = slot.increases[place.counter_at].next(raw);
                if fell {
                    *changes.entry((service, of, CellChange::Reset)).or_default() += 1;
                }
                increase
            } else {
                Some(raw as f32).filter(|level| level.is_finite()).unwrap_or(f32::NAN)
            });
        }
    }
}

/// Clocks that have seen nothing, with the step that was found.
fn clocks(origin: &Origin, summary: &ReadSummary) -> Clocks {
    Clocks::new(Sources::of(origin), summary.step, StepSource::Given, Order::Ascending)
}

impl FrameStream for ParquetStream {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn rewind(&mut self) -> Result<(), CoreError> {
        self.rows.rewind(Wanted::Everything);
        self.clocks = clocks(&self.rows.file.origin, &self.summary);
        self.changes.clear();
        self.slots.clear();
        self.parts.clear();
        Ok(())
    }

    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, CoreError> {
        let part = self.next_part().map_err(|error| CoreError::outside("reading the recording", error))?;
        let Some(Part { slot, rows, values }) = part else {
            self.summarise();
            return Ok(None);
        };
        let (width, slot) = (self.schema.len(), &self.slots[slot]);
        let values = match values {
            Some(start) => &slot.values[start..start + rows.len() * width],
            None => &self.missing[..rows.len() * width],
        };
        Ok(Some(Piece { service: slot.service, rows, values }))
    }
}
