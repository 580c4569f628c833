//! `{"resultType": ..., "result": ...}`: which of four forms the result has is only known at its end, where the type
//! may stand, so that each element says what it is.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::native::NativePoint;
use super::point::{Number, Point, Word};
use crate::sample::time_of_seconds;
use crate::{Labels, Sample, Series};

#[derive(Deserialize)]
pub(super) struct Data {
    #[serde(rename = "resultType")]
    pub(super) kind: ResultType,
    #[serde(rename = "result")]
    pub(super) parts: Parts,
}

pub(super) enum ResultType {
    Vector,
    Matrix,
    Scalar,
    String,
    Other(String),
}

impl<'de> Deserialize<'de> for ResultType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(match name.as_str() {
            "vector" => Self::Vector,
            "matrix" => Self::Matrix,
            "scalar" => Self::Scalar,
            "string" => Self::String,
            _ => Self::Other(crate::text::quoted(&name)),
        })
    }
}

impl fmt::Display for ResultType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vector => "vector",
            Self::Matrix => "matrix",
            Self::Scalar => "scalar",
            Self::String => "string",
            Self::Other(name) => name,
        })
    }
}

pub(super) enum Parts {
    Series(Vec<Series>),
    Scalar(Sample),
    Text(String),
}

impl Default for Parts {
    fn default() -> Self {
        Self::Series(Vec::new())
    }
}

#[derive(Deserialize)]
struct OneSeries {
    metric: Labels,
    #[serde(default)]
    value: Option<Point>,
    #[serde(default)]
    values: Vec<Point>,
    #[serde(default)]
    histogram: Option<NativePoint>,
    #[serde(default)]
    histograms: Vec<NativePoint>,
}

impl From<OneSeries> for Series {
    fn from(one: OneSeries) -> Self {
        let samples = one.value.into_iter().chain(one.values).map(|Point(sample)| sample).collect();
        let histograms = one.histogram.into_iter().chain(one.histograms).map(|NativePoint(native)| native);
        Self { labels: one.metric, samples, histograms: histograms.collect() }
    }
}

/// An element of a result: a series, or the time of a scalar.
enum Element {
    Series(Series),
    Seconds(f64),
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = Element;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a series or a time in seconds")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Element, A::Error> {
                let one = OneSeries::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Element::Series(one.into()))
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Element, E> {
                Ok(Element::Seconds(seconds))
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Element, E> {
                Ok(Element::Seconds(seconds as f64))
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Element, E> {
                Ok(Element::Seconds(seconds as f64))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Parts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> de::Visitor<'de> for Elements {
            type Value = Parts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("series, or a time and a value")
            }

            fn visit_unit<E>(self) -> Result<Parts, E> {
                Ok(Parts::default())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Parts, A::Error> {
                let mut series = Vec::new();
                while let Some(element) = seq.next_element()? {
                    match element {
                        Element::Series(one) => series.push(one),
                        Element::Seconds(seconds) if series.is_empty() => return scalar(seconds, seq),
                        Element::Seconds(_) => return Err(de::Error::custom("a number among series")),
                    }
                }
                Ok(Parts::Series(series))
            }
        }
        deserializer.deserialize_any(Elements)
    }
}

/// The second half of `[time, "value"]`.
fn scalar<'de, A: de::SeqAccess<'de>>(seconds: f64, mut seq: A) -> Result<Parts, A::Error> {
    let Some(time) = time_of_seconds(seconds) else {
        return Err(de::Error::custom(format!("the time {seconds} is in no calendar")));
    };
    let Some(Word(word)) = seq.next_element()? else { return Err(de::Error::invalid_length(1, &"2 items")) };
    if seq.next_element::<de::IgnoredAny>()?.is_some() {
        return Err(de::Error::custom("a scalar with more than a time and a value"));
    }
    let number = de::value::BorrowedStrDeserializer::<de::value::Error>::new(&word);
    Ok(match Number::deserialize(number) {
        Ok(Number(value)) => Parts::Scalar(Sample { time, value }),
        Err(_) => Parts::Text(word.into_owned()),
    })
}
