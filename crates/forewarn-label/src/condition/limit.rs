use crate::{LabelError, Normal, Number, error::refuse_unless};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// What a measure is compared with: a number in its unit, or its own [`Normal`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// A constant.
    Number(Number),
    /// The measure's recent past.
    Normal(Normal),
}

impl Limit {
    pub(crate) fn check(&self, at: &str) -> Result<(), LabelError> {
        match self {
            Self::Number(number) => {
                refuse_unless(number.get().is_finite(), at, &number.to_string(), "a finite number")
            }
            Self::Normal(normal) => normal.check(at),
        }
    }
}

impl From<f32> for Limit {
    fn from(number: f32) -> Self {
        Self::Number(number.into())
    }
}

impl From<Normal> for Limit {
    fn from(normal: Normal) -> Self {
        Self::Normal(normal)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Normal(normal) => normal.fmt(f),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.serialize(serializer),
            Self::Normal(normal) => normal.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrTable;
        impl<'de> de::Visitor<'de> for NumberOrTable {
            type Value = Limit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a table with the normal of the measure")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Limit, E> {
                Ok(Limit::from(number as f32))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Limit, E> {
                Ok(Limit::from(number as f32))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Limit, E> {
                Ok(Limit::from(number as f32))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, table: A) -> Result<Limit, A::Error> {
                Normal::deserialize(de::value::MapAccessDeserializer::new(table)).map(Limit::Normal)
            }
        }
        deserializer.deserialize_any(NumberOrTable)
    }
}
