use super::reader::{FileRows, Wanted};
use crate::{IoError, ReadOptions, ReadSummary, clocks::Clocks};
use forewarn_core::{CoreError, FrameStream, Piece};
use forewarn_schema::{Layout, Schema, Step};
use std::{collections::VecDeque, ops::Range, path::Path, sync::Arc};

/// Rows that are in memory at a time, unless told otherwise: 2.6 MB of ten metrics.
const ROWS_AT_ONCE: usize = 1 << 16;

/// Longest gap that lies among the rows around it; a longer one becomes pieces of its own, so that it takes no memory.
const SHORT_GAP_ROWS: usize = 1 << 10;

/// A Parquet file of any size as a stream of frames: the rows that [`read`](super::read()) gives, in pieces.
///
/// [`open`](Self::open) goes over times and services once and checks them; each pass over the stream decodes the values anew. Memory: the
/// rows of [`rows_at_once`](Self::rows_at_once), one page of each column, and a name and two times for each service, however long the
/// file is. Services may come after one another or take turns in the file; the more they do, the shorter are the pieces.
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
    step: Step,
    layout: Arc<Layout>,
    summary: ReadSummary,
    rows_at_once: usize,
    clocks: Clocks,
    /// Each service of the clocks.
    slots: Vec<Slot>,
    /// What has been read and not given yet.
    parts: VecDeque<Part>,
    /// Rows without a sample.
    missing: Vec<f32>,
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
}

/// Some rows to be given.
struct Part {
    slot: usize,
    rows: Range<usize>,
    /// Where the values lie in those of the slot; `None` for a gap.
    values: Option<usize>,
}

impl ParquetStream {
    /// Opens a file, and finds and checks the times of all services. Reads two columns.
    ///
    /// # Errors
    /// As [`read`](super::read()), except for what is wrong with values: a pass finds that.
    pub fn open(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Self, IoError> {
        let mut rows = FileRows::open(path.as_ref(), options, Wanted::Places)?;
        let new_clocks = |rows: &FileRows| Clocks::new(&rows.file.origin, rows.schema().len(), options.step);
        let mut clocks = new_clocks(&rows);
        while rows.advance()? {
            rows.for_each(|row, service, time, _| clocks.place(row, service, time).map(drop))?;
        }
        let (layout, summary) = clocks.finish(rows.notes())?;
        rows.rewind(Wanted::Everything);
        Ok(Self {
            clocks: new_clocks(&rows),
            missing: vec![f32::NAN; SHORT_GAP_ROWS * rows.schema().len()],
            rows,
            step: options.step,
            layout: Arc::new(layout),
            summary,
            rows_at_once: ROWS_AT_ONCE,
            slots: Vec::new(),
            parts: VecDeque::new(),
        })
    }

    /// The same with about so many rows in memory at a time, whole batches of 8,192.
    #[must_use]
    pub fn rows_at_once(self, rows: usize) -> Self {
        Self { rows_at_once: rows, ..self }
    }

    /// What the file holds, and what is missing; cells are counted in the pass that is under way.
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
        let Self { rows, clocks, slots, parts, layout, summary, .. } = self;
        let width = rows.schema().len();
        let origin = rows.file.origin.clone();
        let changed = || IoError::Changed { file: origin.file() };
        let mut read = 0;
        while read < self.rows_at_once.max(1) && rows.advance()? {
            rows.for_each(|row, name, time, sample| {
                read += 1;
                let placed = clocks.place(row, name, time)?;
                if placed.service == slots.len() {
                    let services = layout.services();
                    let found = services.binary_search_by(|place| place.name().cmp(name));
                    let service = found.map_err(|_| changed())?;
                    let place = &services[service];
                    if place.start() != time {
                        return Err(changed());
                    }
                    slots.push(Slot { service, left: place.rows(), values: Vec::new(), part: None });
                }
                let slot = &mut slots[placed.service];
                let mut gap = placed.missing_rows;
                if gap + 1 > slot.left.len() {
                    return Err(changed());
                }
                if gap > SHORT_GAP_ROWS {
                    let rows = slot.left.start..slot.left.start + gap;
                    slot.left.start = rows.end;
                    slot.part = None;
                    parts.push_back(Part { slot: placed.service, rows, values: None });
                    gap = 0;
                }
                let part = *slot.part.get_or_insert_with(|| {
                    let rows = slot.left.start..slot.left.start;
                    parts.push_back(Part { slot: placed.service, rows, values: Some(slot.values.len()) });
                    parts.len() - 1
                });
                slot.values.resize(slot.values.len() + gap * width, f32::NAN);
                slot.values.extend_from_slice(sample);
                slot.left.start += gap + 1;
                parts[part].rows.end = slot.left.start;
                summary.missing_cells += sample.iter().filter(|value| value.is_nan()).count() as u64;
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

impl FrameStream for ParquetStream {
    fn schema(&self) -> &Schema {
        self.rows.schema()
    }

    fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn rewind(&mut self) -> Result<(), CoreError> {
        self.rows.rewind(Wanted::Everything);
        self.clocks = Clocks::new(&self.rows.file.origin, self.rows.schema().len(), self.step);
        self.summary.missing_cells = 0;
        self.slots.clear();
        self.parts.clear();
        Ok(())
    }

    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, CoreError> {
        let part = self.next_part().map_err(|error| CoreError::outside("reading the recording", error))?;
        let Some(Part { slot, rows, values }) = part else { return Ok(None) };
        let (width, slot) = (self.rows.schema().len(), &self.slots[slot]);
        let values = match values {
            Some(start) => &slot.values[start..start + rows.len() * width],
            None => &self.missing[..rows.len() * width],
        };
        Ok(Some(Piece { service: slot.service, rows, values }))
    }
}
