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
use forewarn_schema::Timestamp;
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
/// and one page of each column.
///
/// # Errors
/// [`IoError`], with row (from 1) and column.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Recording, IoError> {
    let path = path.as_ref();
    let origin = Origin::new(&path.display().to_string(), Format::Parquet);
    let mut file = open(path)?;
    let length_bytes = expect_ends(&mut file, &origin)?;
    let damaged = |source: ParquetError| damaged(&origin, None, source);
    let reader = fenced(|| SerializedFileReader::new(file)).map_err(damaged)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let columns = Columns::new(&origin, names(schema), options)?;
    let holds = suitable(&origin, schema, &columns)?;
    let nullable = schema.columns().iter().map(|column| match column.max_def_level() {
        0 => Nullable::No,
        _ => Nullable::Yes,
    });
    let nullable: Vec<_> = nullable.collect();

    let mut batch = Batch::new(&origin, &columns, &holds);
    let mut assembler = Assembler::new(&origin, columns.schema.clone(), options.step);
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(damaged)?;
        let mut left = expect_places(group.metadata(), length_bytes, &origin, &columns)?;
        let mut chunks = open_chunks(&*group, &origin, &columns, &nullable)?;
        while left > 0 {
            let rows = left.min(BATCH_ROWS);
            batch.fill(&mut chunks, rows)?;
            batch.push_to(&mut assembler)?;
            left -= rows;
        }
        for (chunk, name) in chunks.iter_mut().zip(&columns.names) {
            chunk.expect_end().map_err(|source| self::damaged(&origin, Some(name), source))?;
        }
    }
    let mut notes: Vec<String> = batch.time_reader.note().into_iter().collect();
    if holds.iter().any(|holds| matches!(holds, Holds::Time { zone: Zone::Unstated, .. })) {
        notes.push("the timestamps have no zone and were read as UTC".to_owned());
    }
    for name in columns.names.iter().filter(|name| name.starts_with(PANDAS_INDEX)) {
        notes.push(format!("column {name:?} is a row index that pandas wrote, and was read as a metric"));
    }
    assembler.finish(notes)
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

/// Refuses a row group whose columns lie outside the file or have not one value a row; returns its rows.
///
/// The decoder trusts these numbers of the footer, and would panic.
fn expect_places(
    group: &RowGroupMetaData,
    length_bytes: u64,
    origin: &Origin,
    columns: &Columns,
) -> Result<usize, IoError> {
    let rows = usize::try_from(group.num_rows())
        .map_err(|_| damaged(origin, None, general("a row group has a negative number of rows")))?;
    for (chunk, name) in group.columns().iter().zip(&columns.names) {
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let end = u64::try_from(start)
            .ok()
            .zip(u64::try_from(chunk.compressed_size()).ok())
            .and_then(|(start, size)| start.checked_add(size));
        if end.is_none_or(|end| end > length_bytes) {
            return Err(damaged(origin, Some(name), general("it lies outside the file")));
        }
        if chunk.num_values() != group.num_rows() {
            return Err(damaged(origin, Some(name), general("it has not one value for each row")));
        }
    }
    Ok(rows)
}

fn general(reason: &str) -> ParquetError {
    ParquetError::General(reason.to_owned())
}

fn damaged(origin: &Origin, column: Option<&str>, source: ParquetError) -> IoError {
    IoError::ParquetDamaged { file: origin.file(), column: column.map(str::to_owned), source: source.into() }
}

fn open_chunks(
    group: &dyn RowGroupReader,
    origin: &Origin,
    columns: &Columns,
    nullable: &[Nullable],
) -> Result<Vec<Chunk>, IoError> {
    let open = |(index, name): (usize, &String)| {
        fenced(|| Chunk::new(group.get_column_reader(index)?, nullable[index]))
            .map_err(|source| damaged(origin, Some(name), source))
    };
    columns.names.iter().enumerate().map(open).collect()
}

/// Some rows of all columns, turned from columns into rows.
struct Batch<'a> {
    origin: &'a Origin,
    columns: &'a Columns,
    holds: &'a [Holds],
    /// Rows of the file before this batch.
    rows_before: u64,
    time_reader: TimeReader,
    times: Vec<Timestamp>,
    services: Vec<ByteArray>,
    /// `[row, metric]`.
    values: Vec<f32>,
}

impl<'a> Batch<'a> {
    fn new(origin: &'a Origin, columns: &'a Columns, holds: &'a [Holds]) -> Self {
        Self {
            origin,
            columns,
            holds,
            rows_before: 0,
            time_reader: TimeReader::default(),
            times: Vec::new(),
            services: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Decodes the next `rows` rows.
    fn fill(&mut self, chunks: &mut [Chunk], rows: usize) -> Result<(), IoError> {
        self.times.clear();
        self.services.clear();
        self.values.clear();
        let width = self.columns.schema.len();
        self.values.resize(rows * width, f32::NAN);
        for (index, chunk) in chunks.iter_mut().enumerate() {
            let name = &self.columns.names[index];
            chunk.advance(rows).map_err(|source| damaged(self.origin, Some(name), source))?;
            match self.columns.roles[index] {
                Role::Time => self.fill_times(chunk, self.holds[index])?,
                Role::Service => self.fill_services(chunk)?,
                Role::Metric(slot) => {
                    let (origin, columns, before) = (self.origin, self.columns, self.rows_before);
                    let values = &mut self.values;
                    chunk.numbers(self.holds[index], |row, value, stored| {
                        if value.is_nan() {
                            return Ok(());
                        }
                        let place = || origin.at(before + row as u64 + 1);
                        columns.check(slot, value, place, || stored.to_string())?;
                        values[row * width + slot] = value;
                        Ok(())
                    })?;
                }
            }
        }
        Ok(())
    }

    fn fill_times(&mut self, chunk: &Chunk, holds: Holds) -> Result<(), IoError> {
        let (origin, before) = (self.origin, self.rows_before);
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
                let text = value.map_or(Ok(""), |value| utf8(value, origin, before, row, TIMESTAMP))?;
                let time = reader.text(text);
                times.push(time.ok_or_else(|| refuse(row, text.to_owned(), reader.expected()))?);
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    fn fill_services(&mut self, chunk: &Chunk) -> Result<(), IoError> {
        let (origin, before) = (self.origin, self.rows_before);
        let Chunk::Bytes(values) = chunk else { return Ok(()) };
        values.try_for_each(|row, value| match value {
            Some(value) => {
                utf8(value, origin, before, row, SERVICE)?;
                self.services.push(value.clone());
                Ok(())
            }
            None => Err(IoError::MissingService { place: origin.at(before + row as u64 + 1) }),
        })
    }

    /// Hands the rows on.
    fn push_to(&mut self, assembler: &mut Assembler<'_>) -> Result<(), IoError> {
        let samples = self.values.chunks_exact(self.columns.schema.len());
        for (row, (&time, sample)) in self.times.iter().zip(samples).enumerate() {
            let service = match self.services.get(row) {
                Some(name) => utf8(name, self.origin, self.rows_before, row, SERVICE)?.trim(),
                None => SERVICE,
            };
            assembler.push(self.rows_before + row as u64 + 1, service, time, sample)?;
        }
        self.rows_before += self.times.len() as u64;
        Ok(())
    }
}

fn utf8<'a>(
    bytes: &'a ByteArray,
    origin: &Origin,
    rows_before: u64,
    row: usize,
    column: &str,
) -> Result<&'a str, IoError> {
    bytes.as_utf8().map_err(|_| IoError::InvalidUtf8 {
        place: origin.at(rows_before + row as u64 + 1),
        column: column.to_owned(),
    })
}
