//! Writing a Parquet file, whole or not at all.

use super::{HistoryRow, HistoryTable, files::temporary};
use crate::{
    StoreError,
    disk::{Disk, DiskFile, write_all_at},
    error::{failed, shown},
};
use ::parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, FloatType, Int64Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};
use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};

/// Column of times.
pub(super) const TIMESTAMP: &str = "timestamp";
/// Column of services.
pub(super) const SERVICE: &str = "service";
/// What is written at once.
const CHUNK: usize = 1 << 18;

/// Writes a file of rows that come in order of service, then time. It is there whole, or not at all.
pub(super) fn file(
    disk: &dyn Disk,
    path: &Path,
    table: &HistoryTable,
    group_rows: usize,
    rows: impl FnOnce(&mut Rows<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_file_name(temporary(&name));
    let file = disk.create(&beside).map_err(failed(&beside, "creating"))?;
    let cannot = |error: ParquetError| StoreError::History {
        file: shown(path),
        action: "writing",
        reason: error.to_string(),
    };
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let out = DiskWriter { file, offset: 0, buffer: Vec::with_capacity(CHUNK) };
    let writer =
        SerializedFileWriter::new(out, Arc::new(columns(table).map_err(cannot)?), Arc::new(properties));
    let mut out = Rows { writer: writer.map_err(cannot)?, group: Vec::new(), group_rows, path };
    rows(&mut out)?;
    out.write_group()?;
    let mut out = out.writer.into_inner().map_err(cannot)?;
    out.flush().map_err(failed(&beside, "writing"))?;
    out.file.sync().map_err(failed(&beside, "syncing"))?;
    drop(out);
    disk.rename(&beside, path).map_err(failed(path, "renaming"))?;
    let folder = path.parent().unwrap_or(path);
    disk.sync_folder(folder).map_err(failed(folder, "syncing"))
}

fn columns(table: &HistoryTable) -> Result<Type, ParquetError> {
    let column = |name: &str, physical, repetition, logical| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let utc_millis = LogicalType::timestamp(true, TimeUnit::MILLIS);
    let mut columns = vec![
        column(TIMESTAMP, Physical::INT64, Repetition::REQUIRED, Some(utc_millis))?,
        column(SERVICE, Physical::BYTE_ARRAY, Repetition::REQUIRED, Some(LogicalType::String))?,
    ];
    for name in &table.numbers {
        columns.push(column(name, Physical::FLOAT, Repetition::OPTIONAL, None)?);
    }
    for name in &table.texts {
        columns.push(column(name, Physical::BYTE_ARRAY, Repetition::REQUIRED, Some(LogicalType::String))?);
    }
    Type::group_type_builder("history").with_fields(columns).build()
}

/// Rows on their way into a file, a group at a time.
pub(super) struct Rows<'a> {
    writer: SerializedFileWriter<DiskWriter>,
    group: Vec<HistoryRow>,
    group_rows: usize,
    path: &'a Path,
}

impl Rows<'_> {
    pub(super) fn push(&mut self, row: &HistoryRow) -> Result<(), StoreError> {
        // A service's rows stay in one group where they can: one that is full waits for the next service.
        let is_full = self.group.len() >= self.group_rows;
        let is_next = self.group.last().is_some_and(|last| last.service != row.service);
        if is_full && is_next || self.group.len() >= 2 * self.group_rows {
            self.write_group()?;
        }
        self.group.push(row.clone());
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), StoreError> {
        let rows = std::mem::take(&mut self.group);
        if rows.is_empty() {
            return Ok(());
        }
        let written = write_group(&mut self.writer, &rows);
        written.map_err(|error| StoreError::History {
            file: shown(self.path),
            action: "writing",
            reason: error.to_string(),
        })
    }
}

fn write_group(
    writer: &mut SerializedFileWriter<DiskWriter>,
    rows: &[HistoryRow],
) -> Result<(), ParquetError> {
    let ended = || ParquetError::General("the schema has fewer columns than the rows".to_owned());
    let mut group = writer.next_row_group()?;
    let times: Vec<i64> = rows.iter().map(|row| row.time_millis).collect();
    let mut column = group.next_column()?.ok_or_else(ended)?;
    column.typed::<Int64Type>().write_batch(&times, None, None)?;
    column.close()?;
    let mut texts: Vec<ByteArray> = rows.iter().map(|row| ByteArray::from(row.service.as_str())).collect();
    let mut column = group.next_column()?.ok_or_else(ended)?;
    column.typed::<ByteArrayType>().write_batch(&texts, None, None)?;
    column.close()?;
    let (numbers, columns_of_text) = rows.first().map_or((0, 0), |row| (row.numbers.len(), row.texts.len()));
    let (mut values, mut levels) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for place in 0..numbers {
        values.clear();
        levels.clear();
        for value in rows.iter().map(|row| row.numbers[place]) {
            levels.push(i16::from(!value.is_nan()));
            if !value.is_nan() {
                values.push(value);
            }
        }
        let mut column = group.next_column()?.ok_or_else(ended)?;
        column.typed::<FloatType>().write_batch(&values, Some(&levels), None)?;
        column.close()?;
    }
    for place in 0..columns_of_text {
        texts.clear();
        texts.extend(rows.iter().map(|row| ByteArray::from(row.texts[place].as_str())));
        let mut column = group.next_column()?.ok_or_else(ended)?;
        column.typed::<ByteArrayType>().write_batch(&texts, None, None)?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

/// A file of any disk that is written from its beginning to its end.
struct DiskWriter {
    file: Box<dyn DiskFile>,
    offset: u64,
    buffer: Vec<u8>,
}

impl Write for DiskWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        write_all_at(&mut *self.file, self.offset, &self.buffer)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
