use super::{
    chunk::{Chunk, Nullable, fenced},
    layout::{Holds, Zone, names, suitable},
};
use crate::{
    Format, IoError, ReadOptions, Recording,
    assemble::Assembler,
    columns::{Columns, Role, SERVICE, TIMESTAMP},
    error::Origin,
    read::open,
    sniff::{Content, sniff, take_prefix},
    time_form::TimeReader,
};
use ::parquet::{
    data_type::ByteArray,
    errors::ParquetError,
    file::{
        metadata::RowGroupMetaData,
        reader::{FileReader, RowGroupReader, SerializedFileReader},
    },
};
use forewarn_schema::{Schema, Timestamp};
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

/// Rows that are decoded at once: a batch of some tens of columns stays in the processor's cache.
const BATCH_ROWS: usize = 8192;

/// How pandas calls an index without a name. As a metric it tells a model the time.
const PANDAS_INDEX: &str = "__index_level_";

/// Reads a recording from a Parquet file.
///
/// Columns are named and judged as in CSV (see [`csv::read_from`](crate::csv::read_from)). `timestamp` is a Parquet timestamp of any
/// unit, or a 64-bit integer or text as in CSV; times of no stated zone are taken as UTC, and a note says so.
/// `service` is text. Metrics are booleans, integers, floats or doubles; null and NaN are missing. zstd, Snappy, gzip and
/// LZ4 are understood.
///
/// Decodes 8,192 rows at a time; memory is that of the frames (and once more for a moment when there are several services),
/// and one page of each column. Where that is too much, [`ParquetStream`](super::ParquetStream) reads the file piece by piece.
///
/// # Errors
/// [`IoError`], with row (from 1) and column.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Recording, IoError> {
    let mut rows = FileRows::open(path.as_ref(), options, Wanted::Everything)?;
    let mut assembler = Assembler::new(&rows.file.origin, rows.schema().clone(), options.step);
    while rows.advance()? {
        rows.for_each(|row, service, time, sample| assembler.push(row, service, time, sample))?;
    }
    assembler.finish(rows.notes())
}

/// Which columns of a file are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Everything,
    /// Times and services: where rows belong, not what they hold.
    Places,
}

/// The rows of a file, a batch after another.
pub(super) struct FileRows {
    pub(super) file: FileColumns,
    reader: SerializedFileReader<File>,
    length_bytes: u64,
    wanted: Wanted,
    next_group: usize,
    /// The wanted columns of the present row group, and its rows that are not decoded yet.
    chunks: Vec<(usize, Chunk)>,
    left: usize,
    batch: Batch,
}

/// What the columns of a file are.
pub(super) struct FileColumns {
    pub(super) origin: Origin,
    pub(super) columns: Columns,
    holds: Vec<Holds>,
    nullable: Vec<Nullable>,
}

impl FileRows {
    pub(super) fn open(path: &Path, options: &ReadOptions, wanted: Wanted) -> Result<Self, IoError> {
        let origin = Origin::new(&path.display().to_string(), Format::Parquet);
        let mut file = open(path)?;
        let length_bytes = expect_ends(&mut file, &origin)?;
        let reader =
            fenced(|| SerializedFileReader::new(file)).map_err(|source| damaged(&origin, None, source))?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let columns = Columns::new(&origin, names(schema), options)?;
        let holds = suitable(&origin, schema, &columns)?;
        let nullable = schema.columns().iter().map(|column| match column.max_def_level() {
            0 => Nullable::No,
            _ => Nullable::Yes,
        });
        let nullable = nullable.collect();
        let file = FileColumns { origin, columns, holds, nullable };
        let (chunks, batch) = (Vec::new(), Batch::default());
        Ok(Self { file, reader, length_bytes, wanted, next_group: 0, chunks, left: 0, batch })
    }

    /// The metrics of a row.
    pub(super) fn schema(&self) -> &Schema {
        &self.file.columns.schema
    }

    /// Goes back to the first row, to decode these columns.
    pub(super) fn rewind(&mut self, wanted: Wanted) {
        self.wanted = wanted;
        (self.next_group, self.left, self.chunks, self.batch) = (0, 0, Vec::new(), Batch::default());
    }

    /// Decodes the next batch; false after the last one.
    pub(super) fn advance(&mut self) -> Result<bool, IoError> {
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
            self.chunks = self.file.open_chunks(&*group, self.wanted)?;
            self.next_group += 1;
        }
        let rows = self.left.min(BATCH_ROWS);
        self.left -= rows;
        self.batch.fill(&self.file, &mut self.chunks, rows, self.wanted)?;
        Ok(true)
    }

    /// Shows each row of the batch: its number in the file (from 1), service, time and values. Without values, where only places are wanted.
    pub(super) fn for_each(
        &self,
        mut visit: impl FnMut(u64, &str, Timestamp, &[f32]) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let Batch { times, services, values, first, .. } = &self.batch;
        let width = match self.wanted {
            Wanted::Everything => self.schema().len(),
            Wanted::Places => 0,
        };
        for (row, &time) in times.iter().enumerate() {
            let number = first + row as u64 + 1;
            let service = match services.get(row) {
                Some(name) => utf8(name, &self.file.origin, number, SERVICE)?.trim(),
                None => SERVICE,
            };
            visit(number, service, time, &values[row * width..(row + 1) * width])?;
        }
        Ok(())
    }

    /// What a user should know about the times and columns, once all rows have been read.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.batch.time_reader.note().into_iter().collect();
        if self.file.holds.iter().any(|holds| matches!(holds, Holds::Time { zone: Zone::Unstated, .. })) {
            notes.push("the timestamps have no zone and were read as UTC".to_owned());
        }
        for name in self.file.columns.names.iter().filter(|name| name.starts_with(PANDAS_INDEX)) {
            notes.push(format!("column {name:?} is a row index that pandas wrote, and was read as a metric"));
        }
        notes
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
        for (index, chunk) in group.columns().iter().enumerate().take(self.columns.names.len()) {
            let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
            let end = u64::try_from(start)
                .ok()
                .zip(u64::try_from(chunk.compressed_size()).ok())
                .and_then(|(start, size)| start.checked_add(size));
            if end.is_none_or(|end| end > length_bytes) {
                return Err(self.damaged_column(index, general("it lies outside the file")));
            }
            if chunk.num_values() != group.num_rows() {
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
        let is_wanted = |index: &usize| {
            wanted == Wanted::Everything || !matches!(self.columns.roles[*index], Role::Metric(_))
        };
        let open = |index: usize| {
            fenced(|| Chunk::new(group.get_column_reader(index)?, self.nullable[index]))
                .map(|chunk| (index, chunk))
                .map_err(|source| self.damaged_column(index, source))
        };
        (0..self.columns.names.len()).filter(is_wanted).map(open).collect()
    }

    fn damaged_column(&self, index: usize, source: ParquetError) -> IoError {
        damaged(&self.origin, self.columns.names.get(index).map(String::as_str), source)
    }
}

fn general(reason: &str) -> ParquetError {
    ParquetError::General(reason.to_owned())
}

fn damaged(origin: &Origin, column: Option<&str>, source: ParquetError) -> IoError {
    IoError::ParquetDamaged { file: origin.file(), column: column.map(str::to_owned), source: source.into() }
}

/// Some rows of the wanted columns, turned from columns into rows.
#[derive(Default)]
struct Batch {
    /// Rows of the file before this batch.
    first: u64,
    time_reader: TimeReader,
    times: Vec<Timestamp>,
    services: Vec<ByteArray>,
    /// `[row, metric]`; empty where only places are wanted.
    values: Vec<f32>,
}

impl Batch {
    /// Decodes the next `rows` rows.
    fn fill(
        &mut self,
        file: &FileColumns,
        chunks: &mut [(usize, Chunk)],
        rows: usize,
        wanted: Wanted,
    ) -> Result<(), IoError> {
        self.first += self.times.len() as u64;
        self.times.clear();
        self.services.clear();
        self.values.clear();
        let (columns, first) = (&file.columns, self.first);
        let width = columns.schema.len();
        if wanted == Wanted::Everything {
            self.values.resize(rows * width, f32::NAN);
        }
        for (index, chunk) in chunks {
            let index = *index;
            chunk.advance(rows).map_err(|source| file.damaged_column(index, source))?;
            match columns.roles[index] {
                Role::Time => self.fill_times(&file.origin, chunk, file.holds[index])?,
                Role::Service => self.fill_services(&file.origin, chunk)?,
                Role::Metric(slot) => {
                    let values = &mut self.values;
                    chunk.numbers(file.holds[index], |row, value, stored| {
                        if value.is_nan() {
                            return Ok(());
                        }
                        let place = || file.origin.at(first + row as u64 + 1);
                        columns.check(slot, value, place, || stored.to_string())?;
                        values[row * width + slot] = value;
                        Ok(())
                    })?;
                }
            }
        }
        Ok(())
    }

    fn fill_times(&mut self, origin: &Origin, chunk: &Chunk, holds: Holds) -> Result<(), IoError> {
        let before = self.first;
        let (reader, times) = (&mut self.time_reader, &mut self.times);
        let refuse = |row: usize, text: String, expected| IoError::InvalidTime {
            place: origin.at(before + row as u64 + 1),
            text,
            expected,
        };
        match chunk {
            Chunk::Int64(values) => values.try_for_each(|row, value| {
                let time = value.and_then(|&value| match holds {
                    Holds::Time { unit, .. } => unit.time(value),
                    _ => reader.integer(value),
                });
                let text = || value.map(i64::to_string).unwrap_or_default();
                times.push(time.ok_or_else(|| refuse(row, text(), reader.expected()))?);
                Ok(())
            }),
            Chunk::Bytes(values) => values.try_for_each(|row, value| {
                let number = before + row as u64 + 1;
                let text = value.map_or(Ok(""), |value| utf8(value, origin, number, TIMESTAMP))?;
                let time = reader.text(text);
                times.push(time.ok_or_else(|| refuse(row, text.to_owned(), reader.expected()))?);
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    fn fill_services(&mut self, origin: &Origin, chunk: &Chunk) -> Result<(), IoError> {
        let before = self.first;
        let Chunk::Bytes(values) = chunk else { return Ok(()) };
        values.try_for_each(|row, value| match value {
            Some(value) => {
                utf8(value, origin, before + row as u64 + 1, SERVICE)?;
                self.services.push(value.clone());
                Ok(())
            }
            None => Err(IoError::MissingService { place: origin.at(before + row as u64 + 1) }),
        })
    }
}

/// The text of a value of row `number` (from 1).
fn utf8<'a>(bytes: &'a ByteArray, origin: &Origin, number: u64, column: &str) -> Result<&'a str, IoError> {
    bytes.as_utf8().map_err(|_| IoError::InvalidUtf8 { place: origin.at(number), column: column.to_owned() })
}
