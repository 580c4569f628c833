use super::layout::Holds;
use crate::IoError;
use ::parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{BoolType, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type},
    errors::ParquetError,
};
use std::{
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs a part of the decoder; its panics, which damaged pages can cause, become errors.
///
/// What `decode` works on must not be used again after an error.
pub(super) fn fenced<T>(decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        let reason = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let reason = reason.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(ParquetError::General(reason.unwrap_or_else(|| "the decoder gave up".to_owned())))
    })
}

/// The values of one column in one row group, a batch of rows at a time.
pub(super) struct Values<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// Values that are not null.
    values: Vec<T::T>,
    /// For each row of a nullable column, 1 where it has a value.
    levels: Vec<i16>,
    nullable: Nullable,
}

/// Whether a column may hold nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nullable {
    Yes,
    No,
}

impl<T: DataType> Values<T> {
    fn new(reader: ColumnReaderImpl<T>, nullable: Nullable) -> Self {
        Self { reader, values: Vec::new(), levels: Vec::new(), nullable }
    }

    /// Decodes up to `rows` more rows and returns how many there were.
    fn advance(&mut self, rows: usize) -> Result<usize, ParquetError> {
        self.values.clear();
        self.levels.clear();
        let levels = (self.nullable == Nullable::Yes).then_some(&mut self.levels);
        let (records, _, _) = self.reader.read_records(rows, levels, None, &mut self.values)?;
        Ok(records)
    }

    /// Shows each decoded row to `visit`, with its number in the batch; nulls as `None`.
    pub(super) fn try_for_each(
        &self,
        mut visit: impl FnMut(usize, Option<&T::T>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        if self.nullable == Nullable::No || self.values.len() == self.levels.len() {
            return self.values.iter().enumerate().try_for_each(|(row, value)| visit(row, Some(value)));
        }
        let mut values = self.values.iter();
        for (row, &level) in self.levels.iter().enumerate() {
            visit(row, if level == 0 { None } else { values.next() })?;
        }
        Ok(())
    }
}

/// One column of one row group.
pub(super) enum Chunk {
    Bool(Values<BoolType>),
    Int32(Values<Int32Type>),
    Int64(Values<Int64Type>),
    Float(Values<FloatType>),
    Double(Values<DoubleType>),
    Bytes(Values<ByteArrayType>),
}

impl Chunk {
    pub(super) fn new(reader: ColumnReader, nullable: Nullable) -> Result<Self, ParquetError> {
        Ok(match reader {
            ColumnReader::BoolColumnReader(reader) => Self::Bool(Values::new(reader, nullable)),
            ColumnReader::Int32ColumnReader(reader) => Self::Int32(Values::new(reader, nullable)),
            ColumnReader::Int64ColumnReader(reader) => Self::Int64(Values::new(reader, nullable)),
            ColumnReader::FloatColumnReader(reader) => Self::Float(Values::new(reader, nullable)),
            ColumnReader::DoubleColumnReader(reader) => Self::Double(Values::new(reader, nullable)),
            ColumnReader::ByteArrayColumnReader(reader) => Self::Bytes(Values::new(reader, nullable)),
            ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => {
                return Err(ParquetError::NYI("INT96 and FIXED_LEN_BYTE_ARRAY".to_owned()));
            }
        })
    }

    /// Decodes exactly `rows` more rows.
    pub(super) fn advance(&mut self, rows: usize) -> Result<(), ParquetError> {
        let got = self.decode(rows)?;
        if got == rows {
            return Ok(());
        }
        Err(ParquetError::General(format!("the column ends {} rows before its row group does", rows - got)))
    }

    /// Makes sure that no row is left over.
    pub(super) fn expect_end(&mut self) -> Result<(), ParquetError> {
        match self.decode(1)? {
            0 => Ok(()),
            _ => Err(ParquetError::General("the column has more rows than its row group".to_owned())),
        }
    }

    fn decode(&mut self, rows: usize) -> Result<usize, ParquetError> {
        fenced(|| match self {
            Self::Bool(values) => values.advance(rows),
            Self::Int32(values) => values.advance(rows),
            Self::Int64(values) => values.advance(rows),
            Self::Float(values) => values.advance(rows),
            Self::Double(values) => values.advance(rows),
            Self::Bytes(values) => values.advance(rows),
        })
    }

    /// Shows the decoded rows to `put` as `f32`, NaN for null, each with the value as the file has it.
    pub(super) fn numbers(
        &self,
        holds: Holds,
        mut put: impl FnMut(usize, f32, &dyn Display) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        const NULL: (f32, &str) = (f32::NAN, "null");
        match (self, holds) {
            (Self::Bool(values), _) => values.try_for_each(|row, value| match value {
                Some(value) => put(row, f32::from(u8::from(*value)), value),
                None => put(row, NULL.0, &NULL.1),
            }),
            (Self::Int32(values), Holds::Unsigned) => values.try_for_each(|row, value| match value {
                Some(value) => put(row, value.cast_unsigned() as f32, &value.cast_unsigned()),
                None => put(row, NULL.0, &NULL.1),
            }),
            (Self::Int32(values), _) => values.try_for_each(|row, value| match value {
                Some(value) => put(row, *value as f32, value),
                None => put(row, NULL.0, &NULL.1),
            }),
            (Self::Int64(values), Holds::Unsigned) => values.try_for_each(|row, value| match value {
                Some(value) => put(row, value.cast_unsigned() as f32, &value.cast_unsigned()),
                None => put(row, NULL.0, &NULL.1),
            }),
            (Self::Int64(values), _) => values.try_for_each(|row, value| match value {
                Some(value) => put(row, *value as f32, value),
                None => put(row, NULL.0, &NULL.1),
            }),
            (Self::Float(values), _) => values.try_for_each(|row, value| match value {
                Some(value) => put(row, *value, value),
                None => put(row, NULL.0, &NULL.1),
            }),
            (Self::Double(values), _) => values.try_for_each(|row, value| match value {
                Some(value) => put(row, *value as f32, value),
                None => put(row, NULL.0, &NULL.1),
            }),
            (Self::Bytes(_), _) => Ok(()),
        }
    }
}
