use crate::{
    IoError,
    columns::{Columns, Role},
    error::Origin,
    time_form::EpochUnit,
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
    Text,
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
        if column.max_rep_level() > 0 || column.path().parts().len() > 1 || column.max_def_level() > 1 {
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
                None | Some(LogicalType::String),
                ConvertedType::NONE | ConvertedType::UTF8,
            ) => Self::Text,
            _ => Self::Unsupported,
        }
    }
}

/// The names of a file's columns: nested ones as a path with dots.
pub(super) fn names(schema: &SchemaDescriptor) -> Vec<String> {
    schema.columns().iter().map(|column| column.path().parts().join(".")).collect()
}

/// What each column holds, where that suits the column's role.
pub(super) fn suitable(
    origin: &Origin,
    schema: &SchemaDescriptor,
    columns: &Columns,
) -> Result<Vec<Holds>, IoError> {
    let judge = |(index, column): (usize, &std::sync::Arc<ColumnDescriptor>)| {
        let (holds, role) = (Holds::of(column), columns.roles[index]);
        let (fits, expected) = match role {
            Role::Time => (
                matches!(holds, Holds::Time { .. } | Holds::Text)
                    || (holds == Holds::Number && column.physical_type() == Physical::INT64),
                "a timestamp, a 64-bit integer or text",
            ),
            Role::Service => (holds == Holds::Text, "text"),
            Role::Metric(_) => (
                matches!(holds, Holds::Number | Holds::Unsigned),
                "a number (boolean, 32- or 64-bit integer, float or double)",
            ),
        };
        if fits {
            return Ok(holds);
        }
        Err(IoError::ColumnType {
            file: origin.file(),
            column: columns.names[index].clone(),
            got: describe(column),
            expected,
        })
    };
    schema.columns().iter().enumerate().map(judge).collect()
}

fn describe(column: &ColumnDescriptor) -> String {
    if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
        return "nested".to_owned();
    }
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::String), _) | (None, ConvertedType::UTF8) => "text".to_owned(),
        (Some(logical), _) => format!("{} ({logical:?})", column.physical_type()),
        (None, ConvertedType::NONE) => column.physical_type().to_string(),
        (None, converted) => format!("{} ({converted})", column.physical_type()),
    }
}
