//! Features of one row alone.

use crate::{
    Select, WindowError,
    per_column::{self, ColumnState},
    saved::Saved,
    settings,
};
use forewarn_core::{Feature, FeatureState, Origin};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, Unit, ValidRange};
use serde::{Deserialize, Serialize};

/// The logarithm of each metric, as columns named `log(metric)`: `sign(x) ln(1 + |x|)`, which is defined for every number, 0 at 0, and
/// near `ln x` for what is large.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    select: Select,
}

impl Logs {
    /// Logarithms of these metrics.
    #[must_use]
    pub fn of(select: Select) -> Self {
        Self { select }
    }
}

impl Feature for Logs {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        per_column::outputs(&self.select, input, |metric| {
            let name = format!("log({})", metric.name);
            Metric::new(name, Unit::Dimensionless, Kind::Gauge, ValidRange::FINITE)
        })
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        per_column::start(&self.select, input, &Log)
    }

    fn saved(&self) -> Option<serde_json::Value> {
        Saved::Logs { select: self.select.clone() }.into_value()
    }
}

#[derive(Clone)]
struct Log;

impl ColumnState for Log {
    fn push(&mut self, sample: f32) -> f32 {
        f64::from(sample).abs().ln_1p().copysign(f64::from(sample)) as f32
    }
}

/// One metric over another, as a column named `ratio(metric, by)`. NaN where either is missing, the divisor is zero, or the quotient is
/// beyond an `f32`.
#[derive(Clone, Debug)]
pub struct RatioOf {
    metric: String,
    by: String,
}

impl RatioOf {
    /// `metric / by`.
    #[must_use]
    pub fn new(metric: impl Into<String>, by: impl Into<String>) -> Self {
        Self { metric: metric.into(), by: by.into() }
    }

    fn positions(&self, input: &Schema) -> Result<[usize; 2], SchemaError> {
        // By way of a selection, which refuses outcomes.
        let position = |name: &str| Ok(Select::only(&[name]).positions(input)?[0]);
        Ok([position(&self.metric)?, position(&self.by)?])
    }
}

impl Feature for RatioOf {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        self.positions(input)?;
        let name = format!("ratio({}, {})", self.metric, self.by);
        Ok(vec![Metric::new(name, Unit::Dimensionless, Kind::Gauge, ValidRange::FINITE)])
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        Ok(Box::new(Quotient(self.positions(input)?)))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        Saved::Ratio { metric: self.metric.clone(), by: self.by.clone() }.into_value()
    }
}

struct Quotient([usize; 2]);

impl FeatureState for Quotient {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        let quotient = row[self.0[0]] / row[self.0[1]];
        out[0] = if quotient.is_finite() { quotient } else { f32::NAN };
    }
}

/// Whether a metric is at a limit or beyond it, 1 or 0, as a column named `reached(metric >= limit)`. NaN where the metric is missing.
///
/// For models that bend smoothly, such as networks, beside a failure rule that does not: with its limit as a column they need not learn where it
/// lies, which takes failures by the thousand.
#[derive(Clone, Debug)]
pub struct Reached {
    metric: String,
    side: Side,
    limit: f32,
}

/// On which side of a limit trouble is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    AtLeast,
    AtMost,
}

impl Reached {
    /// 1 where `metric` is `limit` or more.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for a limit that is not finite.
    pub fn at_least(metric: impl Into<String>, limit: f32) -> Result<Self, WindowError> {
        Self::new(metric.into(), Side::AtLeast, limit)
    }

    /// 1 where `metric` is `limit` or less.
    ///
    /// # Errors
    /// As [`at_least`](Self::at_least).
    pub fn at_most(metric: impl Into<String>, limit: f32) -> Result<Self, WindowError> {
        Self::new(metric.into(), Side::AtMost, limit)
    }

    pub(crate) fn new(metric: String, side: Side, limit: f32) -> Result<Self, WindowError> {
        if !limit.is_finite() {
            return Err(settings::setting("limit", &limit, "a finite number"));
        }
        Ok(Self { metric, side, limit })
    }

    fn position(&self, input: &Schema) -> Result<usize, SchemaError> {
        Ok(Select::only(&[self.metric.as_str()]).positions(input)?[0])
    }
}

impl Feature for Reached {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        self.position(input)?;
        let sign = match self.side {
            Side::AtLeast => ">=",
            Side::AtMost => "<=",
        };
        let name = format!("reached({} {sign} {})", self.metric, self.limit);
        Ok(vec![Metric::new(name, Unit::Dimensionless, Kind::Gauge, ValidRange::UNIT)])
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        Ok(Box::new(Limit { position: self.position(input)?, side: self.side, limit: self.limit }))
    }

    fn saved(&self) -> Option<serde_json::Value> {
        Saved::Reached { metric: self.metric.clone(), side: self.side, limit: self.limit }.into_value()
    }
}

struct Limit {
    position: usize,
    side: Side,
    limit: f32,
}

impl FeatureState for Limit {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        let value = row[self.position];
        let is_reached = match self.side {
            Side::AtLeast => value >= self.limit,
            Side::AtMost => value <= self.limit,
        };
        out[0] = if value.is_nan() { f32::NAN } else { f32::from(u8::from(is_reached)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Step, Timestamp};

    fn one(feature: &dyn Feature, input: &Schema, row: &[f32]) -> f32 {
        let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
        let mut out = [0.0];
        feature.start(input, origin).unwrap().push(row, &mut out);
        out[0]
    }

    #[test]
    fn logarithms_are_symmetric() {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let log = |x: f32| one(&Logs::default(), &schema, &[x]);
        assert_eq!((log(0.0), log(-5.0)), (0.0, -log(5.0)));
        assert!((f64::from(log(std::f32::consts::E - 1.0)) - 1.0).abs() < 1e-6);
        assert!(log(f32::NAN).is_nan());
        assert!((log(1e-9) - 1e-9).abs() < 1e-15);
    }

    #[test]
    fn a_limit_is_reached_at_the_limit() {
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::outcome("f")]).unwrap();
        let reached = |feature: Reached, a: f32| one(&feature, &schema, &[a, 0.0]);
        let most = Reached::at_most("a", 2.0).unwrap();
        let least = Reached::at_least("a", 0.05).unwrap();
        for (value, at_least, at_most) in
            [(0.049_999_9, 0.0, 1.0), (0.05, 1.0, 1.0), (2.0, 1.0, 1.0), (2.1, 1.0, 0.0)]
        {
            assert_eq!(reached(least.clone(), value), at_least, "{value}");
            assert_eq!(reached(most.clone(), value), at_most, "{value}");
        }
        assert!(reached(least.clone(), f32::NAN).is_nan());
        assert_eq!(least.outputs(&schema).unwrap()[0].name, "reached(a >= 0.05)");
        assert!(Reached::at_least("a", f32::NAN).is_err() && Reached::at_most("a", f32::INFINITY).is_err());
        assert!(Reached::at_least("f", 1.0).unwrap().outputs(&schema).is_err());
    }

    #[test]
    fn a_quotient_is_a_number_or_missing() {
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::gauge("b"), Metric::outcome("f")]).unwrap();
        let ratio = |a: f32, b: f32| one(&RatioOf::new("a", "b"), &schema, &[a, b, 0.0]);
        assert_eq!(ratio(6.0, 4.0), 1.5);
        for (a, b) in [(1.0, 0.0), (0.0, 0.0), (f32::NAN, 1.0), (1.0, f32::NAN), (3e38, 1e-3)] {
            assert!(ratio(a, b).is_nan());
        }
        assert!(RatioOf::new("a", "f").outputs(&schema).is_err());
        assert!(RatioOf::new("a", "c").outputs(&schema).is_err());
    }
}
