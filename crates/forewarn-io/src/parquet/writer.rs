use crate::{
    IoError,
    columns::{SERVICE, TIMESTAMP},
    writable::check,
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
use forewarn_schema::FrameSet;
use std::{fs::File, io::Write, ops::Range, path::Path, sync::Arc};

/// Rows of one row group: enough to compress well, few enough to be read alone.
const GROUP_ROWS: usize = 1 << 17;

/// Writes frames to a Parquet file, zstd-compressed: `timestamp` (milliseconds, UTC), `service` (left out when there is one,
/// and it is called `service`), then the metrics as floats. A missing value is null.
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

fn write_checked(frames: &FrameSet, to: impl Write + Send, with_service: bool) -> Result<(), ParquetError> {
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer =
        SerializedFileWriter::new(to, Arc::new(schema(frames, with_service)?), Arc::new(properties))?;
    let rows = frames.layout().rows();
    for start in (0..rows).step_by(GROUP_ROWS) {
        let mut group = writer.next_row_group()?;
        write_group(frames, start..rows.min(start + GROUP_ROWS), with_service, &mut group)?;
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

fn schema(frames: &FrameSet, with_service: bool) -> Result<Type, ParquetError> {
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
    for name in frames.schema().names() {
        columns.push(column(name, Physical::FLOAT, Repetition::OPTIONAL, None)?);
    }
    Type::group_type_builder("frames").with_fields(columns).build()
}

/// Writes the rows of `range`, numbers in the whole set, column after column.
fn write_group<W: Write + Send>(
    frames: &FrameSet,
    range: Range<usize>,
    with_service: bool,
    group: &mut SerializedRowGroupWriter<'_, W>,
) -> Result<(), ParquetError> {
    // The part of each service that lies in the range.
    let parts: Vec<_> = frames
        .layout()
        .services()
        .iter()
        .zip(frames.frames())
        .map(|(service, frame)| {
            let (rows, first) = (service.rows(), service.rows().start);
            (frame, rows.start.max(range.start)..rows.end.min(range.end), first)
        })
        .filter(|(_, rows, _)| !rows.is_empty())
        .collect();
    let ended = || ParquetError::General("the schema has fewer columns than the frames".to_owned());

    let times: Vec<i64> = parts
        .iter()
        .flat_map(|(frame, rows, first)| rows.clone().map(move |row| frame.time(row - first).millis()))
        .collect();
    let mut column = group.next_column()?.ok_or_else(ended)?;
    column.typed::<Int64Type>().write_batch(&times, None, None)?;
    column.close()?;

    if with_service {
        let names: Vec<ByteArray> = parts
            .iter()
            .flat_map(|(frame, rows, _)| std::iter::repeat_n(ByteArray::from(frame.service()), rows.len()))
            .collect();
        let mut column = group.next_column()?.ok_or_else(ended)?;
        column.typed::<ByteArrayType>().write_batch(&names, None, None)?;
        column.close()?;
    }

    let width = frames.schema().len();
    let block = &frames.values()[range.start * width..range.end * width];
    let (mut values, mut levels) = (Vec::with_capacity(range.len()), Vec::with_capacity(range.len()));
    for metric in 0..width {
        values.clear();
        levels.clear();
        for &value in block.iter().skip(metric).step_by(width) {
            levels.push(i16::from(!value.is_nan()));
            if !value.is_nan() {
                values.push(value);
            }
        }
        let mut column = group.next_column()?.ok_or_else(ended)?;
        column.typed::<FloatType>().write_batch(&values, Some(&levels), None)?;
        column.close()?;
    }
    Ok(())
}
