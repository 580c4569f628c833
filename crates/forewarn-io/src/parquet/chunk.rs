use super::layout::Holds;
use crate::IoError;
use ::parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{
        BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type,
        Int64Type, Int96, Int96Type,
    },
    errors::ParquetError,
};
use forewarn_schema::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};

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
    /// For each row of a nullable column, how many of the fields around its value, itself included, are there.
    levels: Vec<i16>,
    nullable: Nullable,
}

/// Whether a column may hold nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nullable {
    /// With this many fields that may be null: the column, and the structs that it is in.
    Fields(i16),
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
        let levels = (self.nullable != Nullable::No).then_some(&mut self.levels);
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
        let (mut values, nullable) = (self.values.iter(), self.nullable);
        for (row, &level) in self.levels.iter().enumerate() {
            visit(row, if nullable == Nullable::Fields(level) { values.next() } else { None })?;
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
    Int96(Values<Int96Type>),
    Bytes(Values<ByteArrayType>),
    Fixed(Values<FixedLenByteArrayType>),
}

/// A number as the file has it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Single(f32),
    Double(f64),
}

impl Chunk {
    pub(super) fn new(reader: ColumnReader, nullable: Nullable) -> Self {
        match reader {
            ColumnReader::BoolColumnReader(reader) => Self::Bool(Values::new(reader, nullable)),
            ColumnReader::Int32ColumnReader(reader) => Self::Int32(Values::new(reader, nullable)),
            ColumnReader::Int64ColumnReader(reader) => Self::Int64(Values::new(reader, nullable)),
            ColumnReader::FloatColumnReader(reader) => Self::Float(Values::new(reader, nullable)),
            ColumnReader::DoubleColumnReader(reader) => Self::Double(Values::new(reader, nullable)),
            ColumnReader::ByteArrayColumnReader(reader) => Self::Bytes(Values::new(reader, nullable)),
            ColumnReader::Int96ColumnReader(reader) => Self::Int96(Values::new(reader, nullable)),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => Self::Fixed(Values::new(reader, nullable)),
        }
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
            Self::Int96(values) => values.advance(rows),
            Self::Bytes(values) => values.advance(rows),
            Self::Fixed(values) => values.advance(rows),
        })
    }

    /// Shows the decoded numbers to `put`, with their rows; nulls are left out.
    pub(super) fn numbers(
        &self,
        holds: Holds,
        mut put: impl FnMut(usize, Number) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let scale = match holds {
            Holds::Decimal { scale } => 10f64.powi(scale),
            _ => 1.0,
        };
        let is_unsigned = holds == Holds::Unsigned;
        let mut double = |row, value: Option<f64>| match value {
            Some(value) => put(row, Number::Double(value)),
            None => Ok(()),
        };
        match self {
            Self::Bool(values) => {
                values.try_for_each(|row, value| double(row, value.map(|value| f64::from(u8::from(*value)))))
            }
            Self::Int32(values) if is_unsigned => {
                values.try_for_each(|row, value| double(row, value.map(|value| value.cast_unsigned().into())))
            }
            Self::Int32(values) => {
                values.try_for_each(|row, value| double(row, value.map(|value| f64::from(*value) / scale)))
            }
            Self::Int64(values) if is_unsigned => {
                values.try_for_each(|row, value| double(row, value.map(|value| value.cast_unsigned() as f64)))
            }
            Self::Int64(values) => {
                values.try_for_each(|row, value| double(row, value.map(|value| *value as f64 / scale)))
            }
            Self::Double(values) => values.try_for_each(|row, value| double(row, value.copied())),
            Self::Float(values) => values.try_for_each(|row, value| match value {
                Some(value) => put(row, Number::Single(*value)),
                None => Ok(()),
            }),
            Self::Fixed(values) if holds == Holds::Half => values.try_for_each(|row, value| {
                double(row, value.and_then(|value| value.data().try_into().ok()).map(half))
            }),
            Self::Fixed(values) => values
                .try_for_each(|row, value| double(row, value.map(|value| big_endian(value.data()) / scale))),
            Self::Bytes(values) => values
                .try_for_each(|row, value| double(row, value.map(|value| big_endian(value.data()) / scale))),
            Self::Int96(_) => Ok(()),
        }
    }
}

/// An integer in two's complement, the highest byte first.
fn big_endian(bytes: &[u8]) -> f64 {
    let is_negative = bytes.first().is_some_and(|first| *first >= 0x80);
    // Of a negative number the complement is the magnitude less one.
    let magnitude =
        bytes.iter().fold(0.0, |sum, &byte| sum * 256.0 + f64::from(if is_negative { !byte } else { byte }));
    if is_negative { -magnitude - 1.0 } else { magnitude }
}

/// A number in half precision.
fn half(bytes: [u8; 2]) -> f64 {
    let bits = u16::from_le_bytes(bytes);
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// Julian day of 1970-01-01.
const JULIAN_EPOCH: i64 = 2_440_588;

/// Nanoseconds of a Julian day.
pub(super) fn time_of(value: &Int96) -> Option<Timestamp> {
    let [low, high, day] = *value.data() else { return None };
    let nanos = i64::from(high) << 32 | i64::from(low);
    let days = i64::from(day) - JULIAN_EPOCH;
    Timestamp::from_millis(days.checked_mul(86_400_000)?.checked_add(nanos / 1_000_000)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_widths() {
        for (bits, value) in [
            (0x3c00u16, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_953_125),
            (0x0001, 2f64.powi(-24)),
            (0x7bff, 65504.0),
        ] {
            assert_eq!(half(bits.to_le_bytes()), value, "{bits:x}");
        }
        assert!(half(0x7e00u16.to_le_bytes()).is_nan() && half(0xfc00u16.to_le_bytes()) == f64::NEG_INFINITY);
        for value in [0i64, 1, -1, 255, -256, i64::from(i32::MIN), 1 << 40, -(1 << 40)] {
            assert_eq!(big_endian(&value.to_be_bytes()), value as f64);
        }
        assert_eq!((big_endian(&[]), big_endian(&[0xff]), big_endian(&[0x01, 0x00])), (0.0, -1.0, 256.0));
    }
}
