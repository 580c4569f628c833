use crate::{LabelError, Number, Span, error::refuse_unless, sentence::token::named};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A number that a rule looks at, once a row. Unknown where a sample that it needs is missing.
///
/// In files a metric is its name as a string, anything else a table with one key:
/// `{ change = { of = "x", over = "5 min" } }`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Measure {
    /// A metric as it is.
    Metric(String),
    /// Rate of change: the metric now minus what it was a span ago, in its unit. Unknown when either sample is
    /// missing, or lies before the data.
    #[serde(rename = "change")]
    Change(Change),
    /// One metric divided by another. Unknown when either is missing or the divisor is 0: no requests, no error ratio.
    /// A guard settles that case: see [`Condition::when_at_least`](crate::Condition::when_at_least).
    #[serde(rename = "ratio")]
    Ratio(Ratio),
    /// Mean over the last span, this row included.
    #[serde(rename = "mean")]
    Mean(Mean),
    /// What one counter gained divided by what another gained over the last span: errors per request, from two totals
    /// that only rise. A counter that is smaller than before began again at 0. Unknown in a row in which either is
    /// missing, before both have been seen twice, and while the other has gained nothing. Made of the rows that are
    /// there, so losing samples of the *past* may move it either way.
    #[serde(rename = "increase_ratio")]
    IncreaseRatio(IncreaseRatio),
}

/// See [`Measure::IncreaseRatio`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncreaseRatio {
    /// Counter whose increase is divided, such as failed requests.
    pub of: String,
    /// Counter whose increase divides, such as all requests.
    pub to: String,
    /// How far back, this row included: the increase from the row before counts for a row.
    pub over: Span,
}

/// See [`Measure::Change`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Metric.
    pub of: String,
    /// How long ago the other sample was taken.
    pub over: Span,
}

/// See [`Measure::Ratio`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// Metric that is divided.
    pub of: String,
    /// Metric that divides.
    pub to: String,
}

/// See [`Measure::Mean`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mean {
    /// Metric.
    pub of: String,
    /// Metric whose samples weigh it, such as the requests that an error rate is a share of. A row counts when both
    /// samples are there; unknown when the weights add up to 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighted_by: Option<String>,
    /// How far it looks back.
    pub over: Span,
    /// Share of its rows, in 0..=1, that must have samples (rows before the data have none); unknown otherwise.
    #[serde(default = "half")]
    pub known: Number,
}

/// What a mean or a normal needs unless told otherwise: half of its rows.
pub(crate) fn half() -> Number {
    Number::from(0.5)
}

impl Measure {
    /// A metric as it is.
    #[must_use]
    pub fn metric(name: impl Into<String>) -> Self {
        Self::Metric(name.into())
    }

    /// How much a metric has changed over `over`.
    #[must_use]
    pub fn change(of: impl Into<String>, over: Span) -> Self {
        Self::Change(Change { of: of.into(), over })
    }

    /// One metric divided by another.
    #[must_use]
    pub fn ratio(of: impl Into<String>, to: impl Into<String>) -> Self {
        Self::Ratio(Ratio { of: of.into(), to: to.into() })
    }

    /// What counter `of` gained over what counter `to` gained, both over `over`.
    #[must_use]
    pub fn increase_ratio(of: impl Into<String>, to: impl Into<String>, over: Span) -> Self {
        Self::IncreaseRatio(IncreaseRatio { of: of.into(), to: to.into(), over })
    }

    /// Mean of a metric over `over`, of which half the rows must be known.
    #[must_use]
    pub fn mean(of: impl Into<String>, over: Span) -> Self {
        Self::Mean(Mean { of: of.into(), weighted_by: None, over, known: half() })
    }

    /// As [`mean`](Self::mean), each row weighing as much as its sample of `weight`.
    #[must_use]
    pub fn weighted_mean(of: impl Into<String>, weight: impl Into<String>, over: Span) -> Self {
        Self::Mean(Mean { of: of.into(), weighted_by: Some(weight.into()), over, known: half() })
    }

    /// The metrics that it is made of.
    pub(crate) fn metrics(&self) -> Vec<&str> {
        match self {
            Self::Metric(name) => vec![name],
            Self::Change(Change { of, .. }) => vec![of],
            Self::Ratio(Ratio { of, to }) | Self::IncreaseRatio(IncreaseRatio { of, to, .. }) => vec![of, to],
            Self::Mean(Mean { of, weighted_by, .. }) => {
                std::iter::once(of).chain(weighted_by).map(String::as_str).collect()
            }
        }
    }

    pub(crate) fn check(&self, at: &str) -> Result<(), LabelError> {
        match self {
            Self::Metric(name) => check_name(name, at),
            Self::Change(Change { of, over }) => {
                check_name(of, &format!("{at}.change.of"))?;
                check_span(*over, &format!("{at}.change.over"))
            }
            Self::Ratio(Ratio { of, to }) => {
                check_name(of, &format!("{at}.ratio.of"))?;
                check_name(to, &format!("{at}.ratio.to"))
            }
            Self::IncreaseRatio(IncreaseRatio { of, to, over }) => {
                check_name(of, &format!("{at}.increase_ratio.of"))?;
                check_name(to, &format!("{at}.increase_ratio.to"))?;
                check_span(*over, &format!("{at}.increase_ratio.over"))
            }
            Self::Mean(Mean { of, weighted_by, over, known }) => {
                check_name(of, &format!("{at}.mean.of"))?;
                if let Some(weight) = weighted_by {
                    check_name(weight, &format!("{at}.mean.weighted_by"))?;
                }
                check_span(*over, &format!("{at}.mean.over"))?;
                check_share(*known, &format!("{at}.mean.known"))
            }
        }
    }
}

pub(crate) fn check_name(name: &str, at: &str) -> Result<(), LabelError> {
    refuse_unless(!name.trim().is_empty(), at, &format!("{name:?}"), "the name of a metric")
}

pub(crate) fn check_span(span: Span, at: &str) -> Result<(), LabelError> {
    refuse_unless(!span.is_empty(), at, &span.to_string(), "a span longer than nothing")
}

pub(crate) fn check_share(share: Number, at: &str) -> Result<(), LabelError> {
    let within = (0.0..=1.0).contains(&share.get());
    refuse_unless(within, at, &share.to_string(), "a share in 0..=1")
}

impl From<&str> for Measure {
    fn from(name: &str) -> Self {
        Self::metric(name)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(name) => f.write_str(&named(name)),
            Self::Change(Change { of, over }) => write!(f, "change of {} over {over}", named(of)),
            Self::Ratio(Ratio { of, to }) => write!(f, "{} / {}", named(of), named(to)),
            Self::Mean(Mean { of, weighted_by: None, over, .. }) => {
                write!(f, "mean of {} over {over}", named(of))
            }
            Self::Mean(Mean { of, weighted_by: Some(weight), over, .. }) => {
                write!(f, "mean of {} over {over} weighted by {}", named(of), named(weight))
            }
            Self::IncreaseRatio(IncreaseRatio { of, to, over }) => {
                write!(f, "increase of {} / increase of {} over {over}", named(of), named(to))
            }
        }
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Metric(name) => serializer.serialize_str(name),
            _ => Self::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Measure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrTable;
        impl<'de> de::Visitor<'de> for NameOrTable {
            type Value = Measure;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "the name of a metric, or a table with one of change, ratio, mean, increase_ratio",
                )
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Measure, E> {
                Ok(Measure::metric(name))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, table: A) -> Result<Measure, A::Error> {
                Measure::deserialize(de::value::MapAccessDeserializer::new(table))
            }
        }
        deserializer.deserialize_any(NameOrTable)
    }
}
