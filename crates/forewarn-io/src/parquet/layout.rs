use super::chunk::Nullable;
use crate::{
    IoError,
    columns::{Columns, Role, Sketch, time_form::EpochUnit},
    error::Origin,
};
use ::parquet::{
    basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical},
    schema::types::{ColumnDescriptor, SchemaDescriptor},
};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Number,
    /// Integers without a sign, stored in the bits of signed ones.
    Unsigned,
    /// An integer scaled by this power of ten.
    Decimal {
        scale: i32,
    },
    /// Half precision.
    Half,
    Text,
    /// Days since 1970.
    Date,
    /// Nanoseconds of a Julian day, as older writers have times.
    Int96,
    Time {
        unit: EpochUnit,
        /// Whether the file says that these times are in UTC.
        zone: Zone,
    },
    Unsupported,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Utc,
    Unstated,
}

impl Holds {
    fn of(column: &ColumnDescriptor) -> Self {
        // A field of structs has one value a row; one of lists and maps has not.
        if column.max_rep_level() > 0 {
            return Self::Unsupported;
        }
        match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
            (Physical::INT64, Some(LogicalType::Timestamp(time)), _) => Self::Time {
                unit: match time.unit {
                    TimeUnit::MILLIS => EpochUnit::Milliseconds,
                    TimeUnit::MICROS => EpochUnit::Microseconds,
                    TimeUnit::NANOS => EpochUnit::Nanoseconds,
                },
                zone: if time.is_adjusted_to_u_t_c { Zone::Utc } else { Zone::Unstated },
            },
            (Physical::INT64, None, ConvertedType::TIMESTAMP_MILLIS) => {
                Self::Time { unit: EpochUnit::Milliseconds, zone: Zone::Utc }
            }
            (Physical::INT64, None, ConvertedType::TIMESTAMP_MICROS) => {
                Self::Time { unit: EpochUnit::Microseconds, zone: Zone::Utc }
            }
            (Physical::INT32 | Physical::INT64, Some(LogicalType::Integer(integer)), _) => {
                if integer.is_signed { Self::Number } else { Self::Unsigned }
            }
            (
                Physical::INT32 | Physical::INT64,
                None,
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64,
            ) => Self::Unsigned,
            (Physical::INT32, Some(LogicalType::Date), _) | (Physical::INT32, None, ConvertedType::DATE) => {
                Self::Date
            }
            (Physical::INT96, ..) => Self::Int96,
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16), _) => Self::Half,
            (
                Physical::INT32 | Physical::INT64 | Physical::FIXED_LEN_BYTE_ARRAY | Physical::BYTE_ARRAY,
                Some(LogicalType::Decimal(_)),
                _,
            )
            | (
                Physical::INT32 | Physical::INT64 | Physical::FIXED_LEN_BYTE_ARRAY | Physical::BYTE_ARRAY,
                None,
                ConvertedType::DECIMAL,
            ) => Self::Decimal { scale: column.type_scale() },
            // A column of nothing but nulls has the logical type "unknown".
            (
                Physical::INT32 | Physical::INT64,
                None | Some(LogicalType::Unknown),
                ConvertedType::NONE
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64,
            ) => Self::Number,
            (Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE, ..) => Self::Number,
            (
                Physical::BYTE_ARRAY,
                None | Some(LogicalType::String | LogicalType::Enum | LogicalType::Json),
                ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON,
            ) => Self::Text,
            _ => Self::Unsupported,
        }
    }
}

/// The names of a file's columns: nested ones as a path with dots.
pub(super) fn names(schema: &SchemaDescriptor) -> Vec<String> {
    schema.columns().iter().map(|column| column.path().parts().join(".")).collect()
}

/// What each column holds.
pub(super) fn contents(schema: &SchemaDescriptor) -> Vec<Holds> {
    schema.columns().iter().map(|column| Holds::of(column)).collect()
}

/// Whether each column may hold nulls.
pub(super) fn nullable(schema: &SchemaDescriptor) -> Vec<Nullable> {
    let nullable = schema.columns().iter().map(|column| match column.max_def_level() {
        0 => Nullable::No,
        fields => Nullable::Fields(fields),
    });
    nullable.collect()
}

/// What is known of a column before its values are.
pub(super) fn sketch(holds: Holds, name: &str, column: &ColumnDescriptor) -> Sketch {
    match holds {
        Holds::Number => Sketch::of_number(!matches!(
            column.physical_type(),
            Physical::FLOAT | Physical::DOUBLE | Physical::BOOLEAN
        )),
        Holds::Unsigned => Sketch::of_number(true),
        Holds::Decimal { .. } | Holds::Half => Sketch::of_number(false),
        Holds::Text => Sketch::of_text(name),
        Holds::Date | Holds::Int96 | Holds::Time { .. } => Sketch::of_time(),
        Holds::Unsupported => Sketch::of_other(),
    }
}

/// Refuses columns that cannot be what they are to be.
pub(super) fn expect_suitable(
    origin: &Origin,
    schema: &SchemaDescriptor,
    holds: &[Holds],
    columns: &Columns,
) -> Result<(), IoError> {
    for (index, (column, &holds)) in schema.columns().iter().zip(holds).enumerate() {
        let is_integer = matches!(column.physical_type(), Physical::INT32 | Physical::INT64);
        let (fits, expected) = match columns.roles[index] {
            Role::Ignored => continue,
            Role::Time(_) => (
                matches!(
                    holds,
                    Holds::Time { .. }
                        | Holds::Int96
                        | Holds::Date
                        | Holds::Text
                        | Holds::Number
                        | Holds::Unsigned
                        | Holds::Decimal { .. }
                ) && column.physical_type() != Physical::BOOLEAN,
                "a timestamp, a date, a number or text",
            ),
            Role::Service(_) => (
                holds == Holds::Text || (is_integer && matches!(holds, Holds::Number | Holds::Unsigned)),
                "text or an integer",
            ),
            Role::MetricName => (holds == Holds::Text, "text"),
            Role::Metric(_) => (
                matches!(
                    holds,
                    Holds::Number | Holds::Unsigned | Holds::Decimal { .. } | Holds::Half | Holds::Text
                ),
                "a number (boolean, integer, decimal, half, float or double)",
            ),
            Role::Value | Role::WideService => (
                matches!(holds, Holds::Number | Holds::Unsigned | Holds::Decimal { .. } | Holds::Half),
                "a number (boolean, integer, decimal, half, float or double)",
            ),
        };
        if !fits {
            return Err(IoError::ColumnType {
                file: origin.file(),
                column: columns.names[index].clone(),
                got: describe(column),
                expected,
            });
        }
    }
    Ok(())
}

fn describe(column: &ColumnDescriptor) -> String {
    if column.max_rep_level() > 0 {
        return "a list".to_owned();
    }
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::String), _) | (None, ConvertedType::UTF8) => "text".to_owned(),
        (Some(logical), _) => format!("{} ({logical:?})", column.physical_type()),
        (None, ConvertedType::NONE) => column.physical_type().to_string(),
        (None, converted) => format!("{} ({converted})", column.physical_type()),
    }
}
