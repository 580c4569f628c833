//! Columns of Arrow tables as the reader wants them, and tables of what comes out.

use crate::error::Failure;
use arrow_array::{
    Array, ArrayRef, RecordBatch, StringArray, TimestampMillisecondArray,
    cast::AsArray,
    types::{
        Date32Type, Date64Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
        Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use forewarn::io::{Cell, Column, ColumnKind};
use pyo3_arrow::PyTable;
use std::sync::Arc;

/// A column in the chunks that a table has it in.
pub(crate) struct ArrowColumn {
    name: String,
    kind: ColumnKind,
    /// Each with its first row.
    chunks: Vec<(usize, Chunk)>,
}

struct Chunk {
    array: ArrayRef,
    /// Of a dictionary, which value each row has.
    keys: Option<(ArrayRef, Vec<usize>)>,
}

/// The columns of a table and the number of its rows.
pub(crate) fn columns(table: &PyTable) -> (Vec<ArrowColumn>, usize) {
    let (batches, schema) = (table.batches(), table.batches().first().map(RecordBatch::schema));
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let Some(schema) = schema else { return (Vec::new(), 0) };
    let column = |(index, field): (usize, &Arc<Field>)| {
        let mut first = 0;
        let chunks = batches.iter().map(|batch| {
            let chunk = (first, Chunk::new(batch.column(index)));
            first += batch.num_rows();
            chunk
        });
        ArrowColumn { name: field.name().clone(), kind: kind(field.data_type()), chunks: chunks.collect() }
    };
    (schema.fields().iter().enumerate().map(column).collect(), rows)
}

fn kind(holds: &DataType) -> ColumnKind {
    match holds {
        DataType::Boolean => ColumnKind::Flag,
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64 => ColumnKind::Whole,
        // A column of nothing but nulls has no type of its own.
        DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..)
        | DataType::Null => ColumnKind::Fraction,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnKind::Text,
        DataType::Timestamp(_, Some(_)) => ColumnKind::Time,
        DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => ColumnKind::LocalTime,
        DataType::Dictionary(_, values) if kind(values) == ColumnKind::Text => ColumnKind::Text,
        _ => ColumnKind::Other,
    }
}

impl Chunk {
    fn new(array: &ArrayRef) -> Self {
        let dictionary = array.as_any_dictionary_opt();
        let keys = dictionary.map(|found| (Arc::clone(found.values()), found.normalized_keys()));
        Self { array: Arc::clone(array), keys }
    }
}

impl Column for ArrowColumn {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ColumnKind {
        self.kind
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        let after = self.chunks.partition_point(|(first, _)| *first <= row);
        let Some((first, chunk)) = self.chunks.get(after.wrapping_sub(1)) else { return Cell::Missing };
        let at = row - first;
        if at >= chunk.array.len() || chunk.array.is_null(at) {
            return Cell::Missing;
        }
        match &chunk.keys {
            Some((values, keys)) => keys.get(at).map_or(Cell::Missing, |&key| cell(values, key)),
            None => cell(&chunk.array, at),
        }
    }
}

/// What an array holds at a place that is not null.
fn cell(array: &ArrayRef, at: usize) -> Cell<'_> {
    macro_rules! whole {
        ($kind:ty) => {
            Cell::Whole(array.as_primitive::<$kind>().value(at).into())
        };
    }
    match array.data_type() {
        DataType::Float64 => Cell::Double(array.as_primitive::<Float64Type>().value(at)),
        DataType::Float32 => Cell::Single(array.as_primitive::<Float32Type>().value(at)),
        DataType::Float16 => Cell::Single(array.as_primitive::<Float16Type>().value(at).to_f32()),
        DataType::Boolean => Cell::Whole(array.as_boolean().value(at).into()),
        DataType::Int8 => whole!(Int8Type),
        DataType::Int16 => whole!(Int16Type),
        DataType::Int32 => whole!(Int32Type),
        DataType::Int64 => whole!(Int64Type),
        DataType::UInt8 => whole!(UInt8Type),
        DataType::UInt16 => whole!(UInt16Type),
        DataType::UInt32 => whole!(UInt32Type),
        // Larger than a signed number can be, it is a metric and no name or time.
        DataType::UInt64 => {
            let value = array.as_primitive::<UInt64Type>().value(at);
            i64::try_from(value).map_or(Cell::Double(value as f64), Cell::Whole)
        }
        DataType::Decimal128(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(at);
            Cell::Double(value as f64 / 10f64.powi(i32::from(*scale)))
        }
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(at)),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(at)),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(at)),
        DataType::Date32 => {
            Cell::Millis(i64::from(array.as_primitive::<Date32Type>().value(at)) * 86_400_000)
        }
        DataType::Date64 => Cell::Millis(array.as_primitive::<Date64Type>().value(at)),
        DataType::Timestamp(TimeUnit::Second, _) => {
            let seconds = array.as_primitive::<TimestampSecondType>().value(at);
            seconds.checked_mul(1000).map_or(Cell::Missing, Cell::Millis)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Cell::Millis(array.as_primitive::<TimestampMillisecondType>().value(at))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Cell::Millis(array.as_primitive::<TimestampMicrosecondType>().value(at).div_euclid(1000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Cell::Millis(array.as_primitive::<TimestampNanosecondType>().value(at).div_euclid(1_000_000))
        }
        _ => Cell::Missing,
    }
}

/// A table of columns, each by its name.
pub(crate) fn table(columns: Vec<(&str, ArrayRef)>) -> Result<PyTable, Failure> {
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    PyTable::try_new(vec![batch], schema).map_err(|error| Failure::new(error.to_string()))
}

/// Text as Arrow has it, of any iterator: its own constructor asks for the length before.
pub(crate) fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

/// Times as Arrow has them: milliseconds, in UTC.
pub(crate) fn times(millis: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from_iter_values(millis).with_timezone("UTC"))
}
