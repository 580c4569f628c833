//! Reading Parquet files of a history: the rows of one service, or of all in order.

use super::{
    HistoryRow, HistoryTable,
    write::{SERVICE, TIMESTAMP},
};
use crate::{
    StoreError,
    disk::{Access, Disk, DiskFile, read_exact_at},
    error::{failed, shown},
};
use ::parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::{
        metadata::RowGroupMetaData,
        reader::{ChunkReader, FileReader, Length, RowGroupReader, SerializedFileReader},
    },
};
use bytes::Bytes;
use std::{
    io::{self, BufReader, Read},
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The rows of one service, in order of time.
pub(super) fn of_service(
    disk: &dyn Disk,
    path: &Path,
    table: &HistoryTable,
    service: &str,
) -> Result<Vec<HistoryRow>, StoreError> {
    let file = open(disk, path)?;
    decode(path, || {
        let reader = SerializedFileReader::new(file)?;
        let places = Places::find(&reader, table);
        let mut rows = Vec::new();
        for (number, group) in reader.metadata().row_groups().iter().enumerate() {
            if !may_hold(group, places.service, service) {
                continue;
            }
            let group = reader.get_row_group(number)?;
            let names = texts(&*group, places.service, 0..rows_of(&*group))?;
            let from = names.partition_point(|name| name.data() < service.as_bytes());
            let until = names.partition_point(|name| name.data() <= service.as_bytes());
            places.read(&*group, from..until, &names[from..until], &mut rows)?;
        }
        Ok(rows)
    })
}

/// The rows of a file, service by service.
pub(super) struct Services {
    path: PathBuf,
    reader: SerializedFileReader<DiskChunks>,
    places: Places,
    next_group: usize,
    /// Rows that were read and not given yet, the last first.
    waiting: Vec<HistoryRow>,
}

impl Services {
    pub(super) fn open(disk: &dyn Disk, path: &Path, table: &HistoryTable) -> Result<Self, StoreError> {
        let file = open(disk, path)?;
        let reader = decode(path, || SerializedFileReader::new(file))?;
        let places = Places::find(&reader, table);
        Ok(Self { path: path.to_owned(), reader, places, next_group: 0, waiting: Vec::new() })
    }

    /// The service whose rows come next.
    fn peek(&mut self) -> Result<Option<&str>, StoreError> {
        while self.waiting.is_empty() && self.next_group < self.reader.num_row_groups() {
            let Self { path, reader, places, next_group, waiting } = self;
            decode(path, || {
                let group = reader.get_row_group(*next_group)?;
                let all = 0..rows_of(&*group);
                let names = texts(&*group, places.service, all.clone())?;
                places.read(&*group, all, &names, waiting)
            })?;
            self.waiting.reverse();
            self.next_group += 1;
        }
        Ok(self.waiting.last().map(|row| row.service.as_str()))
    }

    /// Takes the next rows as long as they are of this service.
    fn take(&mut self, service: &str, into: &mut Vec<HistoryRow>) -> Result<(), StoreError> {
        while self.peek()? == Some(service) {
            into.extend(self.waiting.pop());
        }
        Ok(())
    }
}

/// The rows of several files, service by service in order, each in order of time.
pub(super) fn merge(
    sources: &mut [Services],
    mut give: impl FnMut(&[HistoryRow]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    loop {
        let mut least: Option<String> = None;
        for source in &mut *sources {
            if let Some(name) = source.peek()?
                && least.as_deref().is_none_or(|least| name < least)
            {
                least = Some(name.to_owned());
            }
        }
        let Some(service) = least else { return Ok(()) };
        rows.clear();
        for source in &mut *sources {
            source.take(&service, &mut rows)?;
        }
        rows.sort_by_key(|row: &HistoryRow| row.time_millis);
        give(&rows)?;
    }
}

/// Where the columns of a table are in a file.
struct Places {
    time: Option<usize>,
    service: Option<usize>,
    numbers: Vec<Option<usize>>,
    texts: Vec<Option<usize>>,
}

impl Places {
    fn find(reader: &SerializedFileReader<DiskChunks>, table: &HistoryTable) -> Self {
        let schema = reader.metadata().file_metadata().schema_descr();
        let place = |name: &str| schema.columns().iter().position(|column| column.name() == name);
        let all = |names: &[String]| names.iter().map(|name| place(name)).collect();
        Self {
            time: place(TIMESTAMP),
            service: place(SERVICE),
            numbers: all(&table.numbers),
            texts: all(&table.texts),
        }
    }

    /// Appends some rows of a group, whose services are known.
    fn read(
        &self,
        group: &dyn RowGroupReader,
        rows: Range<usize>,
        names: &[ByteArray],
        into: &mut Vec<HistoryRow>,
    ) -> Result<(), ParquetError> {
        if rows.is_empty() {
            return Ok(());
        }
        let Some(time) = self.time else { return Err(other_columns()) };
        let ColumnReader::Int64ColumnReader(column) = group.get_column_reader(time)? else {
            return Err(other_columns());
        };
        let (times, _) = values(column, rows.clone(), false)?;
        let first = into.len();
        for (time_millis, name) in times.into_iter().zip(names) {
            into.push(HistoryRow {
                time_millis,
                service: text(name),
                numbers: Vec::with_capacity(self.numbers.len()),
                texts: Vec::with_capacity(self.texts.len()),
            });
        }
        for place in &self.numbers {
            let numbers = match place {
                None => vec![f32::NAN; rows.len()],
                Some(place) => match group.get_column_reader(*place)? {
                    ColumnReader::FloatColumnReader(column) => {
                        let (found, levels) = values(column, rows.clone(), true)?;
                        let mut found = found.into_iter();
                        let value = |level: &i16| if *level > 0 { found.next() } else { None };
                        levels.iter().map(value).map(|value| value.unwrap_or(f32::NAN)).collect()
                    }
                    _ => return Err(other_columns()),
                },
            };
            into[first..].iter_mut().zip(numbers).for_each(|(row, number)| row.numbers.push(number));
        }
        for place in &self.texts {
            let found = match place {
                None => vec![ByteArray::from(""); rows.len()],
                Some(_) => texts(group, *place, rows.clone())?,
            };
            into[first..].iter_mut().zip(&found).for_each(|(row, found)| row.texts.push(text(found)));
        }
        Ok(())
    }
}

fn text(bytes: &ByteArray) -> String {
    String::from_utf8_lossy(bytes.data()).into_owned()
}

fn other_columns() -> ParquetError {
    ParquetError::General("its columns are not those of a history".to_owned())
}

fn rows_of(group: &dyn RowGroupReader) -> usize {
    usize::try_from(group.metadata().num_rows()).unwrap_or(0)
}

/// Whether a group can have rows of a service, by its statistics.
fn may_hold(group: &RowGroupMetaData, column: Option<usize>, service: &str) -> bool {
    let Some(column) = column else { return false };
    let Some(statistics) = group.columns().get(column).and_then(|column| column.statistics()) else {
        return true;
    };
    let service = service.as_bytes();
    let is_above = statistics.min_bytes_opt().is_none_or(|least| least <= service);
    // A name that is cut off in the statistics is below all that begin with it.
    let is_below = statistics.max_bytes_opt().is_none_or(|most| service <= most || service.starts_with(most));
    is_above && is_below
}

fn texts(
    group: &dyn RowGroupReader,
    column: Option<usize>,
    rows: Range<usize>,
) -> Result<Vec<ByteArray>, ParquetError> {
    let Some(column) = column else { return Err(other_columns()) };
    match group.get_column_reader(column)? {
        ColumnReader::ByteArrayColumnReader(column) => Ok(values(column, rows, false)?.0),
        _ => Err(other_columns()),
    }
}

/// Values of some rows, and for a column that may lack some, which rows have one.
fn values<T: DataType>(
    mut column: ColumnReaderImpl<T>,
    rows: Range<usize>,
    is_optional: bool,
) -> Result<(Vec<T::T>, Vec<i16>), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    column.skip_records(rows.start)?;
    let mut read = 0;
    while read < rows.len() {
        let levels = is_optional.then_some(&mut levels);
        let (records, ..) = column.read_records(rows.len() - read, levels, None, &mut values)?;
        if records == 0 {
            return Err(ParquetError::General("a column ends before the others".to_owned()));
        }
        read += records;
    }
    Ok((values, levels))
}

/// Decodes; panics, which damaged pages can cause, become errors.
fn decode<T>(path: &Path, decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, StoreError> {
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    let decoded = decoded.unwrap_or_else(|_| Err(ParquetError::General("it is damaged".to_owned())));
    decoded.map_err(|error| StoreError::History {
        file: shown(path),
        action: "reading",
        reason: error.to_string(),
    })
}

fn open(disk: &dyn Disk, path: &Path) -> Result<DiskChunks, StoreError> {
    let mut file = disk.open(path, Access::Read).map_err(failed(path, "opening"))?;
    let size = file.size().map_err(failed(path, "reading"))?;
    Ok(DiskChunks { file: Arc::new(Mutex::new(file)), size })
}

/// A file of any disk, as the decoder reads it.
struct DiskChunks {
    file: Arc<Mutex<Box<dyn DiskFile>>>,
    size: u64,
}

impl Length for DiskChunks {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for DiskChunks {
    type T = BufReader<DiskReader>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(DiskReader { file: Arc::clone(&self.file), offset: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.size) {
            return Err(ParquetError::EOF("a part of it would lie beyond its end".to_owned()));
        }
        let mut bytes = vec![0; length];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        read_exact_at(&mut **file, start, &mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads on from an offset.
pub(super) struct DiskReader {
    file: Arc<Mutex<Box<dyn DiskFile>>>,
    offset: u64,
}

impl Read for DiskReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file.read_at(self.offset, into)?;
        self.offset += read as u64;
        Ok(read)
    }
}
