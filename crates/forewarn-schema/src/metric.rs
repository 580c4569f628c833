use crate::SchemaError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Unit in which a metric's values are stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// A share, 0 to 1. Never per cent.
    Ratio,
    /// Milliseconds.
    Milliseconds,
    /// Events in one step of the frame's clock.
    CountPerStep,
    /// Kilobytes (1,000 bytes) in one second.
    KilobytesPerSecond,
    /// A pure number: a z-score, an index.
    Dimensionless,
    /// Any other unit, by its symbol.
    Other(String),
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ratio => "ratio",
            Self::Milliseconds => "ms",
            Self::CountPerStep => "count per step",
            Self::KilobytesPerSecond => "kB/s",
            Self::Dimensionless => "dimensionless",
            Self::Other(symbol) => symbol,
        })
    }
}

/// How a metric behaves in time, which decides how it may be aggregated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A level at the time of the sample: cpu usage, a latency percentile. Aggregated by last or mean.
    Gauge,
    /// Events since the sample before: requests a minute. Aggregated by sum.
    Delta,
    /// Events since the process began; falls only at a reset. Aggregated as a rate.
    Counter,
    /// A share of events: error rate. Aggregated by a weighted mean.
    Ratio,
    /// A statement about failure, 0 or 1, from outside. What failed is never an input of a model.
    Outcome,
}

/// Values that a metric may take, both ends included.
///
/// NaN is never in a range: it stands for a missing sample and is judged before the range is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RangeEnds", into = "RangeEnds")]
pub struct ValidRange {
    min: f32,
    max: f32,
}

/// How a range is written: an open end is left out, since JSON has no infinity.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeEnds {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f32>,
}

impl ValidRange {
    /// Every finite number.
    pub const FINITE: Self = Self { min: f32::NEG_INFINITY, max: f32::INFINITY };
    /// 0 and every finite number above it.
    pub const NON_NEGATIVE: Self = Self { min: 0.0, max: f32::INFINITY };
    /// 0 to 1.
    pub const UNIT: Self = Self { min: 0.0, max: 1.0 };

    /// The range `min..=max`. An infinite end leaves that side open.
    ///
    /// # Errors
    /// [`SchemaError::EmptyRange`] unless `min <= max`.
    pub fn new(min: f32, max: f32) -> Result<Self, SchemaError> {
        if min <= max { Ok(Self { min, max }) } else { Err(SchemaError::EmptyRange { min, max }) }
    }

    /// Lower end.
    #[must_use]
    pub fn min(&self) -> f32 {
        self.min
    }

    /// Upper end.
    #[must_use]
    pub fn max(&self) -> f32 {
        self.max
    }

    /// Whether `value` is outside or infinite; NaN is not.
    #[inline]
    pub(crate) fn excludes(&self, value: f32) -> bool {
        (value < self.min) | (value > self.max) | value.is_infinite()
    }

    /// Whether `value` is finite and within both ends.
    #[inline]
    #[must_use]
    pub fn contains(&self, value: f32) -> bool {
        !value.is_nan() && !self.excludes(value)
    }
}

impl TryFrom<RangeEnds> for ValidRange {
    type Error = SchemaError;

    fn try_from(ends: RangeEnds) -> Result<Self, SchemaError> {
        Self::new(ends.min.unwrap_or(f32::NEG_INFINITY), ends.max.unwrap_or(f32::INFINITY))
    }
}

impl From<ValidRange> for RangeEnds {
    fn from(range: ValidRange) -> Self {
        let finite = |end: f32| end.is_finite().then_some(end);
        Self { min: finite(range.min), max: finite(range.max) }
    }
}

impl fmt::Display for ValidRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min.is_finite(), self.max.is_finite()) {
            (true, true) => write!(f, "{}..={}", self.min, self.max),
            (true, false) => write!(f, "{}..", self.min),
            (false, true) => write!(f, "..={}", self.max),
            (false, false) => f.write_str("the finite numbers"),
        }
    }
}

/// One metric: its name, unit, kind and the values that it may take.
///
/// The name is checked where metrics become a [`Schema`](crate::Schema).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Name, unique in its schema.
    pub name: String,
    /// Unit of the stored values.
    pub unit: Unit,
    /// Behaviour in time.
    pub kind: Kind,
    /// Values that are not an error.
    pub range: ValidRange,
}

impl Metric {
    /// A metric from its four parts.
    #[must_use]
    pub fn new(name: impl Into<String>, unit: Unit, kind: Kind, range: ValidRange) -> Self {
        Self { name: name.into(), unit, kind, range }
    }

    /// A gauge of which only the name is known: any finite number, no unit.
    #[must_use]
    pub fn gauge(name: impl Into<String>) -> Self {
        Self::new(name, Unit::Dimensionless, Kind::Gauge, ValidRange::FINITE)
    }

    /// Refuses a value that is neither missing (NaN) nor within the range.
    ///
    /// # Errors
    /// [`SchemaError::OutOfRange`].
    pub fn check(&self, value: f32) -> Result<(), SchemaError> {
        if !self.range.excludes(value) {
            return Ok(());
        }
        let (metric, unit) = (self.name.clone(), self.unit.clone());
        Err(SchemaError::OutOfRange { metric, value, range: self.range, unit })
    }

    /// A 0/1 column that says from outside whether the service was failing.
    #[must_use]
    pub fn outcome(name: impl Into<String>) -> Self {
        Self::new(name, Unit::Dimensionless, Kind::Outcome, ValidRange::UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_refuses_what_is_not_finite() {
        for range in [ValidRange::FINITE, ValidRange::NON_NEGATIVE, ValidRange::UNIT] {
            assert!(!range.contains(f32::NAN) && !range.contains(f32::INFINITY));
        }
        assert!(ValidRange::new(f32::NAN, 1.0).is_err());
        assert!(ValidRange::new(2.0, 1.0).is_err());
        assert!(ValidRange::UNIT.contains(0.0) && ValidRange::UNIT.contains(1.0));
    }

    #[test]
    fn open_ends_survive_json() {
        for range in [ValidRange::FINITE, ValidRange::NON_NEGATIVE, ValidRange::UNIT] {
            let json = serde_json::to_string(&range).unwrap();
            assert_eq!(serde_json::from_str::<ValidRange>(&json).unwrap(), range);
        }
        assert!(serde_json::from_str::<ValidRange>(r#"{"min":3,"max":1}"#).is_err());
    }
}
