use crate::{
    Select, WindowError,
    features::per_column::{self, ColumnState},
    features::saved::{fields, settings},
    recent::moving::Moving,
    settings::{positive_setting, steps_setting},
};
use forewarn_core::{CoreError, Feature, FeatureState, Origin};
use forewarn_numerics::Moments;
use forewarn_schema::{Kind, Metric, Schema, SchemaError, Unit, ValidRange};

/// How far each metric is from its own recent normal: standard scores against the mean and deviation of the steps
/// *before* this one, as columns named `zscore_60(metric)`.
///
/// The present sample is not part of its own normal, so a jump cannot hide itself. Scores are cut off at
/// [`with_limit`](Self::with_limit) deviations (10 unless said otherwise), which is also what a change of a metric that was
/// constant gives. NaN where the sample is missing or fewer than half of the steps before it are present. A saved
/// state takes 24 bytes a step and metric.
#[derive(Clone, Debug)]
pub struct RecentNormal {
    steps: usize,
    limit: f64,
    select: Select,
}

impl RecentNormal {
    /// Standard scores of every metric against the `steps` steps before.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] unless `steps` is 1 to 10,000,000.
    pub fn new(steps: usize) -> Result<Self, WindowError> {
        Ok(Self {
            steps: steps_setting("steps of a recent normal", steps)?,
            limit: 10.0,
            select: Select::All,
        })
    }

    /// The same of these metrics.
    #[must_use]
    pub fn with_metrics(self, select: Select) -> Self {
        Self { select, ..self }
    }

    /// The same, cut off at `deviations` on both sides.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] unless it is positive.
    pub fn with_limit(self, deviations: f64) -> Result<Self, WindowError> {
        Ok(Self { limit: positive_setting("limit of standard scores", deviations)?, ..self })
    }
}

impl Feature for RecentNormal {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        per_column::outputs(&self.select, input, |metric| {
            let name = format!("zscore_{}({})", self.steps, metric.name);
            Metric::new(name, Unit::Dimensionless, Kind::Gauge, ValidRange::FINITE)
        })
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let at_least = self.steps.div_ceil(2) as f64;
        per_column::start(
            &self.select,
            input,
            &Normal { moving: Moving::new(self.steps), at_least, limit: self.limit },
        )
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings("recent_normal", fields! { steps: self.steps, limit: self.limit, select: &self.select })
    }
}

#[derive(Clone, Debug)]
struct Normal {
    moving: Moving<Moments>,
    at_least: f64,
    limit: f64,
}

impl ColumnState for Normal {
    fn push(&mut self, sample: f32) -> f32 {
        let normal = self.moving.total();
        self.moving.push(Moments::of(f64::from(sample)));
        let distance = f64::from(sample) - normal.mean;
        if sample.is_nan() || normal.count < self.at_least {
            return f32::NAN;
        }
        // The mean of equal samples is off by a rounding error at most; a sample is a neighbour of it or farther by
        // eight digits.
        if distance.abs() <= f64::from(f32::EPSILON) * 0.25 * normal.mean.abs() {
            return 0.0;
        }
        // Zero deviation makes this infinite, with the sign of the distance.
        (distance / normal.deviation_beyond_rounding()).clamp(-self.limit, self.limit) as f32
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.moving.save(out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.moving.restore(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Step, Timestamp};

    fn scores(feature: &RecentNormal, samples: &[f32]) -> Vec<f32> {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
        let mut state = feature.start(&schema, origin).unwrap();
        let push = |&sample: &f32| {
            let mut out = [0.0];
            state.push(&[sample], &mut out);
            out[0]
        };
        samples.iter().map(push).collect()
    }

    #[test]
    fn the_present_is_no_part_of_its_normal() {
        // Mean 2, deviation sqrt(2/3); 5 is 3 / 0.8165 away.
        let made = scores(&RecentNormal::new(3).unwrap(), &[1.0, 2.0, 3.0, 5.0]);
        assert!(made[0].is_nan() && made[1].is_nan());
        assert!((f64::from(made[3]) - 3.0 / (2.0f64 / 3.0).sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_constant_that_moves_is_as_far_away_as_can_be() {
        let feature = RecentNormal::new(4).unwrap().with_limit(6.0).unwrap();
        let made = scores(&feature, &[0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1, 0.0]);
        assert_eq!((made[4], made[5]), (0.0, 6.0));
        assert!(made[7] < -1.0);
        assert!(scores(&feature, &[0.1, 0.1, f32::NAN, 0.1])[2].is_nan());
        assert!(RecentNormal::new(0).is_err() && RecentNormal::new(3).unwrap().with_limit(f64::NAN).is_err());
    }
}
