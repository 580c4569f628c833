use crate::{
    Select, WindowError,
    features::per_column::{self, ColumnState},
    features::saved::{fields, settings},
    recent::moving::{Extremes, Line, Moving},
    settings::steps_setting,
};
use forewarn_core::{CoreError, Feature, FeatureState, Origin, restore_part, save_part};
use forewarn_numerics::Moments;
use forewarn_schema::{Kind, Metric, Schema, SchemaError, Unit, ValidRange};
use serde::{Deserialize, Serialize};

/// What is computed over the last steps of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statistic {
    /// Arithmetic mean.
    Mean,
    /// Standard deviation of the population (`n` in the denominator).
    Std,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Slope of the least-squares line through the samples, per step.
    Slope,
}

impl Statistic {
    fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Std => "std",
            Self::Min => "min",
            Self::Max => "max",
            Self::Slope => "slope",
        }
    }
}

/// A statistic of each metric over the last steps, this one included, as columns named `mean_10(metric)`.
///
/// Missing samples are left out; NaN where there are [too few](Self::with_least_samples) of them (a slope needs
/// two). No error builds up, however long the series: nothing is subtracted from a running sum. Cost: two joins of
/// summaries a row and metric, amortised; memory for `steps` summaries (16 to 40 bytes) a metric, and as many bytes
/// for a saved state.
#[derive(Clone, Debug)]
pub struct Rolling {
    statistic: Statistic,
    steps: usize,
    at_least: usize,
    select: Select,
}

impl Rolling {
    /// A statistic over the last `steps` steps of every metric; one present sample is enough.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] unless `steps` is 1 to 10,000,000.
    pub fn new(statistic: Statistic, steps: usize) -> Result<Self, WindowError> {
        Ok(Self {
            statistic,
            steps: steps_setting("rolling steps", steps)?,
            at_least: 1,
            select: Select::All,
        })
    }

    /// The same of these metrics.
    #[must_use]
    pub fn with_metrics(self, select: Select) -> Self {
        Self { select, ..self }
    }

    /// The same, missing where fewer than `samples` of the last steps are present.
    #[must_use]
    pub fn with_least_samples(self, samples: usize) -> Self {
        Self { at_least: samples.max(1), ..self }
    }
}

impl Feature for Rolling {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        per_column::outputs(&self.select, input, |metric| {
            let (unit, range) = match self.statistic {
                Statistic::Min | Statistic::Max => (metric.unit.clone(), metric.range),
                Statistic::Mean | Statistic::Std => (metric.unit.clone(), ValidRange::FINITE),
                Statistic::Slope => (Unit::Other(format!("{} per step", metric.unit)), ValidRange::FINITE),
            };
            let name = format!("{}_{}({})", self.statistic.name(), self.steps, metric.name);
            Metric::new(name, unit, Kind::Gauge, range)
        })
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let (select, steps, at_least) = (&self.select, self.steps, self.at_least as f64);
        match self.statistic {
            Statistic::Mean => per_column::start(select, input, &RollingMean(Moving::new(steps), at_least)),
            Statistic::Std => per_column::start(select, input, &RollingStd(Moving::new(steps), at_least)),
            Statistic::Min => per_column::start(select, input, &RollingMin(Moving::new(steps), at_least)),
            Statistic::Max => per_column::start(select, input, &RollingMax(Moving::new(steps), at_least)),
            Statistic::Slope => {
                let at_least = at_least.max(2.0);
                per_column::start(
                    select,
                    input,
                    &RollingSlope { moving: Moving::new(steps), at_least, now: 0.0 },
                )
            }
        }
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings(
            "rolling",
            fields! { statistic: self.statistic, steps: self.steps, at_least: self.at_least, select: &self.select },
        )
    }
}

macro_rules! rolling {
    ($name:ident, $summary:ty, $of:expr, $value:expr) => {
        #[derive(Clone, Debug)]
        struct $name(Moving<$summary>, f64);

        impl ColumnState for $name {
            fn push(&mut self, sample: f32) -> f32 {
                let of: fn(f32) -> $summary = $of;
                self.0.push(of(sample));
                let total = self.0.total();
                let value: fn($summary) -> f32 = $value;
                if total.count >= self.1 { value(total) } else { f32::NAN }
            }

            fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
                self.0.save(out)
            }

            fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
                self.0.restore(from)
            }
        }
    };
}

rolling!(RollingMean, Moments, |sample| Moments::of(f64::from(sample)), |moments| moments.mean as f32);
rolling!(RollingStd, Moments, |sample| Moments::of(f64::from(sample)), |moments| moments
    .deviation_beyond_rounding()
    as f32);
rolling!(RollingMin, Extremes, Extremes::of, |extremes| extremes.min);
rolling!(RollingMax, Extremes, Extremes::of, |extremes| extremes.max);

#[derive(Clone, Debug)]
struct RollingSlope {
    moving: Moving<Line>,
    at_least: f64,
    now: f64,
}

impl ColumnState for RollingSlope {
    fn push(&mut self, sample: f32) -> f32 {
        self.moving.push(Line::of(self.now, sample));
        self.now += 1.0;
        let line = self.moving.total();
        if line.count >= self.at_least { line.slope() as f32 } else { f32::NAN }
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.now, out)?;
        self.moving.save(out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let now = restore_part(&mut rest)?;
        self.moving.restore(&mut rest)?;
        (self.now, *from) = (now, rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Features;
    use approx::assert_relative_eq;
    use forewarn_schema::{Frame, FrameSet, Step, Timestamp};
    use proptest::prelude::*;

    fn rolled(statistic: Statistic, steps: usize, samples: &[f32]) -> Vec<f32> {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let frame = Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, samples.to_vec()).unwrap();
        let set = FrameSet::from_frames(vec![frame]).unwrap();
        Features::new().with(Rolling::new(statistic, steps).unwrap()).apply(&set).unwrap().values().to_vec()
    }

    /// The statistic of one window by its definition.
    fn by_definition(statistic: Statistic, window: &[f32]) -> f64 {
        let present: Vec<(f64, f64)> = window
            .iter()
            .enumerate()
            .filter(|(_, x)| !x.is_nan())
            .map(|(t, &x)| (t as f64, f64::from(x)))
            .collect();
        let mean = |of: fn(&(f64, f64)) -> f64| present.iter().map(of).sum::<f64>() / present.len() as f64;
        let (time, value) = (mean(|p| p.0), mean(|p| p.1));
        let products =
            |a: fn(f64, f64) -> f64| present.iter().map(|&(t, x)| a(t - time, x - value)).sum::<f64>();
        match statistic {
            _ if present.is_empty() => f64::NAN,
            Statistic::Mean => value,
            Statistic::Std => (products(|_, x| x * x) / present.len() as f64).sqrt(),
            Statistic::Min => present.iter().map(|p| p.1).fold(f64::INFINITY, f64::min),
            Statistic::Max => present.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max),
            Statistic::Slope if present.len() < 2 => f64::NAN,
            Statistic::Slope => products(|t, x| t * x) / products(|t, _| t * t),
        }
    }

    const ALL: [Statistic; 5] =
        [Statistic::Mean, Statistic::Std, Statistic::Min, Statistic::Max, Statistic::Slope];

    proptest! {
        #[test]
        fn equals_the_definition(
            samples in proptest::collection::vec(prop_oneof![4 => -1e3f32..1e3, 1 => Just(f32::NAN)], 0..80),
            steps in 1usize..12,
        ) {
            for statistic in ALL {
                for (row, &made) in rolled(statistic, steps, &samples).iter().enumerate() {
                    let expected = by_definition(statistic, &samples[(row + 1).saturating_sub(steps)..=row]);
                    let near = (f64::from(made) - expected).abs() <= 1e-6 * (1.0 + expected.abs());
                    prop_assert!(near || (made.is_nan() && expected.is_nan()), "{statistic:?} {row}: {made} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_million_rows_and_a_huge_sample_leave_no_trace() {
        let mut samples: Vec<f32> = (0..1_000_000u32).map(|i| 1e6 + (i * 7 % 13) as f32).collect();
        samples[500_000] = 3e30;
        for statistic in ALL {
            let made = rolled(statistic, 1440, &samples);
            for row in [499_999, 600_000, 999_999] {
                let expected = by_definition(statistic, &samples[row - 1439..=row]);
                assert_relative_eq!(f64::from(made[row]), expected, max_relative = 1e-5, epsilon = 1e-9);
            }
        }
    }

    #[test]
    fn too_few_samples_are_no_statistic() {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let rolling = Rolling::new(Statistic::Mean, 3).unwrap().with_least_samples(2);
        let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
        let mut state = rolling.start(&schema, origin).unwrap();
        let mut push = |sample: f32| {
            let mut out = [0.0];
            state.push(&[sample], &mut out);
            out[0]
        };
        assert!(push(1.0).is_nan());
        assert_eq!(push(3.0), 2.0);
        assert_eq!(push(f32::NAN), 2.0);
        assert!(push(f32::NAN).is_nan());
        assert!(Rolling::new(Statistic::Mean, 0).is_err());
        assert_eq!(rolling.outputs(&schema).unwrap()[0].name, "mean_3(x)");
    }
}
