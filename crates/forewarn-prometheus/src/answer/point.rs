//! `[1435781451.781, "1"]`: a time and a number as text.

use std::borrow::Cow;
use std::fmt;

use forewarn_schema::Timestamp;
use serde::{Deserialize, Deserializer, de};

use crate::Sample;
use crate::sample::time_of_seconds;

/// A time in seconds since 1970.
pub(super) struct Seconds(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        let time = time_of_seconds(seconds);
        time.map(Self).ok_or_else(|| de::Error::custom(format!("the time {seconds} is in no calendar")))
    }
}

/// A number as text, the way Go writes it: `1e+06`, `NaN`, `+Inf`.
pub(super) struct Number(pub(super) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number as text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A time and a number.
pub(super) struct Point(pub(super) Sample);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (Seconds(time), Number(value)) = Deserialize::deserialize(deserializer)?;
        Ok(Self(Sample { time, value }))
    }
}

/// Text that is borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Word<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);
