//! Features of one row alone.

use crate::{
    Select,
    features::per_column::{self, ColumnState, nothing_to_save},
    features::saved::{fields, settings},
};
use forewarn_core::{Feature, FeatureState, Origin};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, Unit, ValidRange};

/// The logarithm of each metric, as columns named `log(metric)`: `sign(x) ln(1 + |x|)`, which is defined for every
/// number, 0 at 0, and near `ln x` for what is large.
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
        settings("logs", fields! { select: &self.select })
    }
}

#[derive(Clone, Debug)]
struct Log;

impl ColumnState for Log {
    fn push(&mut self, sample: f32) -> f32 {
        f64::from(sample).abs().ln_1p().copysign(f64::from(sample)) as f32
    }

    nothing_to_save!();
}

/// One metric over another, as a column named `ratio(metric, by)`. NaN where either is missing, the divisor is zero,
/// or the quotient is beyond an `f32`.
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
        settings("ratio", fields! { metric: &self.metric, by: &self.by })
    }
}

#[derive(Clone, Debug)]
struct Quotient([usize; 2]);

impl FeatureState for Quotient {
    fn push(&mut self, row: &[f32], out: &mut [f32]) {
        let quotient = row[self.0[0]] / row[self.0[1]];
        out[0] = if quotient.is_finite() { quotient } else { f32::NAN };
    }

    nothing_to_save!();
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
