use super::{
    batch::{Batch, Name},
    chunk::{Chunk, Nullable, fenced},
    file_columns::{FileColumns, Wanted},
    layout::{Holds, Zone, contents, expect_suitable, names, sketch},
    pages::{expect_footer, expect_pages},
};
use crate::{
    Format, IoError, ReadOptions, Recording, Shape,
    assemble::{Assembler, Keep},
    columns::{
        Columns, Header, Role, SERVICE,
        cells::{CellReader, RowValues},
        legend,
        slots::{Counter, Slots},
        taken_metric,
        time_form::{Moment, TimeReader, time_reader},
    },
    csv::{Input, Parts},
    error::Origin,
    read::open::open,
};
use ::parquet::{
    basic::Compression,
    errors::ParquetError,
    file::{
        metadata::RowGroupMetaData,
        reader::{FileReader, RowGroupReader, SerializedFileReader},
    },
};
use forewarn_core::table::{Content, sniff, take_prefix};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    mem,
    path::Path,
};

/// Rows that are decoded at once: a batch of some tens of columns stays in the processor's cache.
const BATCH_ROWS: usize = 8192;

/// Reads a recording from a Parquet file.
///
/// Columns are named and judged as in CSV (see [`csv::read_from`](crate::csv::read_from)). A time is a Parquet
/// timestamp of any unit, INT96, a date, a number or text as in CSV; times of no stated zone are taken as UTC or as
/// the settings say, and a note says so. A service is text or an integer. Metrics are booleans, integers, decimals,
/// halves, floats or doubles; null and NaN are missing; columns of text and nested ones are left out. zstd, Snappy,
/// gzip and LZ4 are understood.
///
/// Decodes 8,192 rows at a time; memory is that of the frames (and once more for a moment when there are several
/// services), and one page of each column, at most 128 MiB. Where that is too much,
/// [`ParquetStream`](super::ParquetStream) reads the file piece by piece.
///
/// # Errors
/// [`IoError`], with row (from 1) and column.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Recording, IoError> {
    let mut assembler = Assembler::new(options, Keep::Values)?;
    read_into(path.as_ref(), options, SERVICE, &[], &mut assembler)?;
    assembler.finish()
}

/// Adds the rows of a file.
pub(crate) fn read_into(
    path: &Path,
    options: &ReadOptions,
    service: &str,
    folders: &[(String, String)],
    assembler: &mut Assembler,
) -> Result<(), IoError> {
    let origin = Origin::new(&path.display().to_string(), Format::Parquet);
    let input = Input { origin: &origin, options, service, folders };
    assembler.begin(&origin);
    let mut rows = FileRows::open(path, &input, Wanted::Everything, &mut assembler.slots)?;
    mem::take(&mut rows.file.columns.notes).into_iter().for_each(|note| assembler.note(note));
    let mut values = RowValues::default();
    while rows.advance(&assembler.slots)? {
        match rows.file.columns.shape {
            Shape::Records => {
                rows.for_each(|row, service, moment, values| assembler.push(row, service, moment, values))?;
            }
            _ => rows.for_each_other(options, assembler, &mut values)?,
        }
    }
    rows.notes().into_iter().for_each(|note| assembler.note(note));
    Ok(())
}

/// The rows of a file, a batch after another.
pub(super) struct FileRows {
    pub(super) file: FileColumns,
    reader: SerializedFileReader<File>,
    /// The same file, for a look at pages before they are decoded.
    pages: File,
    length_bytes: u64,
    wanted: Wanted,
    next_group: usize,
    /// The wanted columns of the present row group, and its rows that are not decoded yet.
    chunks: Vec<(usize, Chunk)>,
    left: usize,
    batch: Batch,
    times: TimeReader,
    cells: CellReader,
    parts: Parts,
    row: RowValues,
}

impl FileRows {
    pub(super) fn open(
        path: &Path,
        input: &Input<'_>,
        wanted: Wanted,
        slots: &mut Slots,
    ) -> Result<Self, IoError> {
        let origin = input.origin.clone();
        let mut file = open(path)?;
        let length_bytes = expect_ends(&mut file, &origin)?;
        expect_footer(&mut file, length_bytes, &origin)?;
        let pages = open(path)?;
        let reader =
            fenced(|| SerializedFileReader::new(file)).map_err(|source| damaged(&origin, None, source))?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let holds = contents(schema);
        let mut names = names(schema);
        let fields = names.len();
        let sketches = schema.columns().iter().zip(&holds).zip(&names);
        let mut sketches: Vec<_> =
            sketches.map(|((column, &holds), name)| sketch(holds, name, column)).collect();
        input.add_folders(&mut names, &mut sketches);
        let header = Header { origin: &origin, names, sketches: &sketches, annotated: false };
        let columns = Columns::new(header, input.options, slots)?;
        expect_suitable(&origin, schema, &holds, &columns)?;
        if columns.time_parts > 1 {
            return Err(IoError::Setting {
                option: "time_columns",
                value: input.options.time_columns.join(", "),
                expected: "one column for a Parquet file".to_owned(),
            });
        }
        let nullable = schema.columns().iter().map(|column| match column.max_def_level() {
            0 => Nullable::No,
            fields => Nullable::Fields(fields),
        });
        let nullable = nullable.collect();
        let is_other = |index: &usize| matches!(columns.roles[*index], Role::Value | Role::WideService);
        let is_counter = |index: &usize| match columns.roles[*index] {
            Role::Metric(slot) => slots.slots[slot].counter != Counter::No,
            _ => false,
        };
        let others = (0..fields).filter(is_other).collect();
        let counters = (0..fields).filter(is_counter).collect();
        let parts = Parts::new(&columns, input, fields);
        let file = FileColumns { origin, columns, holds, others, counters, nullable };
        Ok(Self {
            file,
            reader,
            pages,
            length_bytes,
            wanted,
            next_group: 0,
            chunks: Vec::new(),
            left: 0,
            batch: Batch::default(),
            times: time_reader(input.options)?,
            cells: CellReader::new(input.options),
            parts,
            row: RowValues::default(),
        })
    }

    /// Goes back to the first row, to decode these columns.
    pub(super) fn rewind(&mut self, wanted: Wanted) {
        self.wanted = wanted;
        (self.next_group, self.left, self.chunks, self.batch) = (0, 0, Vec::new(), Batch::default());
    }

    /// Decodes the next batch; false after the last one.
    pub(super) fn advance(&mut self, slots: &Slots) -> Result<bool, IoError> {
        while self.left == 0 {
            for (index, chunk) in &mut self.chunks {
                chunk.expect_end().map_err(|source| self.file.damaged_column(*index, source))?;
            }
            self.chunks.clear();
            if self.next_group == self.reader.num_row_groups() {
                return Ok(false);
            }
            let damaged = |source| damaged(&self.file.origin, None, source);
            let group = self.reader.get_row_group(self.next_group).map_err(damaged)?;
            self.left = self.file.expect_places(group.metadata(), self.length_bytes)?;
            self.file.expect_pages(group.metadata(), &mut self.pages, self.wanted)?;
            self.chunks = self.file.open_chunks(&*group, self.wanted)?;
            self.next_group += 1;
        }
        let rows = self.left.min(BATCH_ROWS);
        self.left -= rows;
        let Self { batch, file, times, chunks, wanted, cells, .. } = self;
        batch.fill(file, times, chunks, (rows, *wanted), (slots, cells))?;
        let got = batch.times.len();
        if got == rows {
            return Ok(true);
        }
        Err(IoError::InvalidTime {
            place: file.origin.at(batch.first + got as u64 + 1),
            column: crate::csv::time_name(&file.columns),
            text: String::new(),
            expected: times.expected(""),
        })
    }

    /// Shows each row of the batch: its number in the file (from 1), service, time and values. Without values, where
    /// only places are wanted.
    pub(super) fn for_each(
        &mut self,
        mut visit: impl FnMut(u64, &str, Moment, &RowValues) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let Self { batch, parts, row: values, .. } = self;
        let rows = batch.times.len();
        let (width, counters) = (batch.values.len() / rows.max(1), batch.raws.len() / rows.max(1));
        let mut changes = batch.changes.iter().peekable();
        for (row, &moment) in batch.times.iter().enumerate() {
            let number = batch.first + row as u64 + 1;
            set_service(parts, &batch.services, row);
            values.sample.clear();
            values.sample.extend_from_slice(&batch.values[row * width..(row + 1) * width]);
            values.raws.clear();
            values.raws.extend_from_slice(&batch.raws[row * counters..(row + 1) * counters]);
            values.changes.clear();
            while let Some((_, slot, change)) = changes.next_if(|(of, ..)| *of == row) {
                values.changes.push((*slot, *change));
            }
            visit(number, parts.service(), moment, values)?;
        }
        Ok(())
    }

    /// Adds each row of the batch of a long or wide file.
    fn for_each_other(
        &mut self,
        options: &ReadOptions,
        assembler: &mut Assembler,
        values: &mut RowValues,
    ) -> Result<(), IoError> {
        let Self { batch, parts, file, cells, .. } = self;
        let width = file.others.len();
        for (row, &moment) in batch.times.iter().enumerate() {
            let number = batch.first + row as u64 + 1;
            set_service(parts, &batch.services, row);
            for (&index, &value) in file.others.iter().zip(&batch.others[row * width..(row + 1) * width]) {
                let column = &file.columns.names[index];
                let mut series = None;
                let slot = match batch.metrics.get(row) {
                    Some(name) => {
                        let name = file.utf8(index, name, number)?;
                        if file.columns.service_parts == 0 {
                            series = legend::series(name);
                        }
                        let name = series.as_ref().map_or(name, |series| &series.metric);
                        match taken_metric(name, options) {
                            Some(name) => assembler.metric(number, name)?,
                            None => continue,
                        }
                    }
                    None => file.columns.wide_slots[index],
                };
                values.clear(&assembler.slots);
                cells.number(&assembler.slots, slot, value, values).map_err(|fault| {
                    fault.at(file.origin.at(number), column, &value.to_string(), &assembler.slots.slots[slot])
                })?;
                match file.columns.shape {
                    Shape::Wide if !file.columns.is_series => {
                        assembler.push(number, column, moment, values)?;
                    }
                    Shape::Wide => assembler.push_cell(number, column, moment, slot, values)?,
                    _ => {
                        let service =
                            series.as_ref().map_or_else(|| parts.service(), |series| &series.service);
                        assembler.push_cell(number, service, moment, slot, values)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What a user should know about the times, once all rows have been read.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.times.note().into_iter().collect();
        for (holds, role) in self.file.holds.iter().zip(&self.file.columns.roles) {
            if !matches!(role, Role::Time(_)) {
                continue;
            }
            match holds {
                Holds::Date | Holds::Time { zone: Zone::Unstated, .. } => notes.push(self.times.zone_note()),
                Holds::Int96 => notes.push("the timestamps are INT96 and were read as UTC".to_owned()),
                _ => {}
            }
        }
        notes
    }
}

/// Puts the parts of a row's service together.
fn set_service(parts: &mut Parts, services: &[Vec<Name>], row: usize) {
    for (part, names) in services.iter().enumerate() {
        match names.get(row) {
            Some(Name::Text(name)) => parts.set_service(part, name.as_utf8().unwrap_or_default()),
            Some(Name::Number(number)) => parts.set_service(part, &number.to_string()),
            None => {}
        }
    }
}

/// Refuses what does not begin and end as Parquet does, with a better reason than the decoder has; returns the length.
fn expect_ends(file: &mut File, origin: &Origin) -> Result<u64, IoError> {
    let failed = |source| IoError::Read { file: origin.file(), source };
    let prefix = take_prefix(file).map_err(failed)?;
    match sniff(&prefix) {
        Content::Parquet => {}
        Content::Empty => return Err(IoError::Empty { file: origin.file() }),
        content => {
            return Err(IoError::NotParquet { file: origin.file(), looks_like: content.looks_like() });
        }
    }
    let mut end = [0; 4];
    file.seek(SeekFrom::End(-4)).map_err(failed)?;
    file.read_exact(&mut end).map_err(failed)?;
    let length = file.stream_position().map_err(failed)?;
    // Magic number, footer's length, magic number: less is no file.
    if &end != b"PAR1" || length < 12 {
        return Err(IoError::ParquetCut { file: origin.file() });
    }
    Ok(length)
}

impl FileColumns {
    /// Refuses a row group whose columns lie outside the file or have not one value a row; returns its rows.
    ///
    /// The decoder trusts these numbers of the footer, and would panic.
    fn expect_places(&self, group: &RowGroupMetaData, length_bytes: u64) -> Result<usize, IoError> {
        let rows = usize::try_from(group.num_rows())
            .map_err(|_| damaged(&self.origin, None, general("a row group has a negative number of rows")))?;
        for (index, chunk) in group.columns().iter().enumerate().take(self.holds.len()) {
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let end = u64::try_from(start)
                .ok()
                .zip(u64::try_from(chunk.compressed_size()).ok())
                .and_then(|(start, size)| start.checked_add(size));
            if end.is_none_or(|end| end > length_bytes) {
                return Err(self.damaged_column(index, general("it lies outside the file")));
            }
            if self.columns.roles[index] != Role::Ignored && chunk.num_values() != group.num_rows() {
                return Err(self.damaged_column(index, general("it has not one value for each row")));
            }
        }
        Ok(rows)
    }

    /// The wanted columns of a row group, each with its position.
    fn open_chunks(
        &self,
        group: &dyn RowGroupReader,
        wanted: Wanted,
    ) -> Result<Vec<(usize, Chunk)>, IoError> {
        let open = |index: usize| {
            fenced(|| Ok(Chunk::new(group.get_column_reader(index)?, self.nullable[index])))
                .map(|chunk| (index, chunk))
                .map_err(|source| self.damaged_column(index, source))
        };
        self.wanted(wanted).map(open).collect()
    }

    /// Columns that are decoded.
    fn wanted(&self, wanted: Wanted) -> impl Iterator<Item = usize> {
        (0..self.holds.len()).filter(move |index| match self.columns.roles[*index] {
            Role::Ignored => false,
            Role::Time(_) | Role::Service(_) => true,
            _ => wanted == Wanted::Everything || self.counters.contains(index),
        })
    }

    /// Refuses codecs that are not built in, and pages that ask for too much memory.
    fn expect_pages(&self, group: &RowGroupMetaData, file: &mut File, wanted: Wanted) -> Result<(), IoError> {
        for index in self.wanted(wanted) {
            let chunk = group.column(index);
            let column = &self.columns.names[index];
            if matches!(chunk.compression(), Compression::BROTLI(_) | Compression::LZO) {
                let codec = match chunk.compression() {
                    Compression::LZO => "LZO",
                    _ => "brotli",
                };
                return Err(IoError::Codec {
                    file: self.origin.file(),
                    column: column.clone(),
                    codec: codec.to_owned(),
                });
            }
            // Both have been checked to lie within the file.
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset()).unsigned_abs();
            let end = start + chunk.compressed_size().unsigned_abs();
            expect_pages(file, start, end, group.num_rows(), (&self.origin, column))?;
        }
        Ok(())
    }

    pub(super) fn damaged_column(&self, index: usize, source: ParquetError) -> IoError {
        damaged(&self.origin, self.columns.names.get(index).map(String::as_str), source)
    }
}

fn general(reason: &str) -> ParquetError {
    ParquetError::General(reason.to_owned())
}

fn damaged(origin: &Origin, column: Option<&str>, source: ParquetError) -> IoError {
    IoError::ParquetDamaged { file: origin.file(), column: column.map(str::to_owned), source: source.into() }
}
