use crate::{
    IoError,
    columns::{
        SERVICE, TIMESTAMP,
        writable::{check, check_frame, check_metrics},
    },
};
use ::parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, FloatType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::Type,
};
use forewarn_schema::{FrameSet, FrameView, Schema, SchemaError};
use std::{fs::File, io::Write, ops::Range, path::Path, sync::Arc};

/// Rows of one row group: enough to compress well, few enough to be read alone.
const GROUP_ROWS: usize = 1 << 17;

/// Writes frames to a Parquet file, zstd-compressed: `timestamp` (milliseconds, UTC), `service` (left out when there
/// is one, and it is called `service`), then the metrics as floats. A missing value is null.
///
/// Writing and [`read`](super::read) keep every bit. Units and ranges of metrics outside v1 are not kept.
///
/// # Errors
/// [`IoError::Open`], [`IoError::Write`], and [`IoError::Unwritable`] as [`csv::write`](crate::csv::write).
pub fn write(frames: &FrameSet, path: impl AsRef<Path>) -> Result<(), IoError> {
    let path = path.as_ref();
    let with_service = check(frames)?;
    let name = || path.display().to_string();
    let file = File::create(path).map_err(|source| IoError::Open { file: name(), source })?;
    write_checked(frames, file, with_service)
        .map_err(|source| IoError::Write { file: name(), source: source.into() })
}

/// Writes frames as Parquet to anything that takes bytes; see [`write`](write()).
///
/// # Errors
/// [`IoError::Write`], [`IoError::Unwritable`].
pub fn write_to(frames: &FrameSet, to: impl Write + Send) -> Result<(), IoError> {
    let with_service = check(frames)?;
    write_checked(frames, to, with_service)
        .map_err(|source| IoError::Write { file: "Parquet".to_owned(), source: source.into() })
}

/// A Parquet file that is written service by service, or day by day: what [`write`](write()) writes, for what does
/// not fit into memory.
///
/// Each frame becomes row groups of its own. [`finish`](Self::finish) writes the end of the file; without it nothing
/// can be read.
pub struct ParquetWriter {
    file: String,
    schema: Schema,
    writer: SerializedFileWriter<File>,
}

impl ParquetWriter {
    /// A new file for frames of `schema`.
    ///
    /// # Errors
    /// [`IoError::Open`], [`IoError::Write`], [`IoError::Unwritable`] for a metric that would be read back as
    /// something else.
    pub fn create(path: impl AsRef<Path>, schema: &Schema) -> Result<Self, IoError> {
        let path = path.as_ref();
        let name = || path.display().to_string();
        check_metrics(schema)?;
        let file = File::create(path).map_err(|source| IoError::Open { file: name(), source })?;
        let writer = start(file, schema, true)
            .map_err(|source| IoError::Write { file: name(), source: source.into() })?;
        Ok(Self { file: name(), schema: schema.clone(), writer })
    }

    /// Appends a frame. The frames of one service are written in order of time; whoever reads the file refuses them
    /// otherwise.
    ///
    /// # Errors
    /// [`IoError::Schema`] for other metrics than the file's, [`IoError::Unwritable`], [`IoError::Write`].
    pub fn write(&mut self, frame: FrameView<'_>) -> Result<(), IoError> {
        if *frame.schema() != self.schema {
            let service = frame.service().to_owned();
            let source = SchemaError::MixedFrames { service, what: "schema" };
            return Err(IoError::Schema { file: self.file.clone(), source });
        }
        check_frame(frame)?;
        let mut write = || {
            for start in (0..frame.rows()).step_by(GROUP_ROWS) {
                let mut group = self.writer.next_row_group()?;
                let rows = start..frame.rows().min(start + GROUP_ROWS);
                write_group(&self.schema, &[(frame, rows)], true, &mut group)?;
                group.close()?;
            }
            Ok(())
        };
        write()
            .map_err(|source: ParquetError| IoError::Write { file: self.file.clone(), source: source.into() })
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`IoError::Write`].
    pub fn finish(self) -> Result<(), IoError> {
        let Self { file, writer, .. } = self;
        writer.close().map(drop).map_err(|source| IoError::Write { file, source: source.into() })
    }
}

fn write_checked(frames: &FrameSet, to: impl Write + Send, with_service: bool) -> Result<(), ParquetError> {
    let mut writer = start(to, frames.schema(), with_service)?;
    let rows = frames.layout().rows();
    for start in (0..rows).step_by(GROUP_ROWS) {
        let mut group = writer.next_row_group()?;
        let parts = parts(frames, start..rows.min(start + GROUP_ROWS));
        write_group(frames.schema(), &parts, with_service, &mut group)?;
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn start<W: Write + Send>(
    to: W,
    schema: &Schema,
    with_service: bool,
) -> Result<SerializedFileWriter<W>, ParquetError> {
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    SerializedFileWriter::new(to, Arc::new(columns(schema, with_service)?), Arc::new(properties))
}

fn columns(schema: &Schema, with_service: bool) -> Result<Type, ParquetError> {
    let column = |name: &str, physical, repetition, logical| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let utc_millis = LogicalType::timestamp(true, TimeUnit::MILLIS);
    let mut columns = vec![column(TIMESTAMP, Physical::INT64, Repetition::REQUIRED, Some(utc_millis))?];
    if with_service {
        let text = Some(LogicalType::String);
        columns.push(column(SERVICE, Physical::BYTE_ARRAY, Repetition::REQUIRED, text)?);
    }
    for name in schema.names() {
        columns.push(column(name, Physical::FLOAT, Repetition::OPTIONAL, None)?);
    }
    Type::group_type_builder("frames").with_fields(columns).build()
}

/// The part of each service that lies in `range`, numbers in the whole set: a frame and rows of it.
fn parts(frames: &FrameSet, range: Range<usize>) -> Vec<(FrameView<'_>, Range<usize>)> {
    let services = frames.layout().services().iter().map(|service| service.rows()).zip(frames.frames());
    services
        .map(|(rows, frame)| {
            let (start, end) = (rows.start.max(range.start), rows.end.min(range.end));
            (frame, start.saturating_sub(rows.start)..end.saturating_sub(rows.start))
        })
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}

/// Writes some rows of some frames, column after column.
fn write_group<W: Write + Send>(
    schema: &Schema,
    parts: &[(FrameView<'_>, Range<usize>)],
    with_service: bool,
    group: &mut SerializedRowGroupWriter<'_, W>,
) -> Result<(), ParquetError> {
    let ended = || ParquetError::General("the schema has fewer columns than the frames".to_owned());

    let times: Vec<i64> = parts
        .iter()
        .flat_map(|(frame, rows)| rows.clone().map(move |row| frame.time(row).millis()))
        .collect();
    let mut column = group.next_column()?.ok_or_else(ended)?;
    column.typed::<Int64Type>().write_batch(&times, None, None)?;
    column.close()?;

    if with_service {
        let names: Vec<ByteArray> = parts
            .iter()
            .flat_map(|(frame, rows)| std::iter::repeat_n(ByteArray::from(frame.service()), rows.len()))
            .collect();
        let mut column = group.next_column()?.ok_or_else(ended)?;
        column.typed::<ByteArrayType>().write_batch(&names, None, None)?;
        column.close()?;
    }

    let width = schema.len();
    let rows = parts.iter().map(|(_, rows)| rows.len()).sum();
    let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    for metric in 0..width {
        values.clear();
        levels.clear();
        for (frame, rows) in parts {
            let block = &frame.values()[rows.start * width..rows.end * width];
            for &value in block.iter().skip(metric).step_by(width) {
                levels.push(i16::from(!value.is_nan()));
                if !value.is_nan() {
                    values.push(value);
                }
            }
        }
        let mut column = group.next_column()?.ok_or_else(ended)?;
        column.typed::<FloatType>().write_batch(&values, Some(&levels), None)?;
        column.close()?;
    }
    Ok(())
}
