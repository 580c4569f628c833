use crate::{
    Select, WindowError,
    features::per_column::{self, ColumnState},
    features::saved::{fields, settings},
    settings::positive_setting,
};
use forewarn_core::{CoreError, Feature, FeatureState, Origin, restore_part, save_part};
use forewarn_schema::{Kind, Metric, Schema, SchemaError, ValidRange};

/// An exponentially weighted mean of each metric, as columns named `ewma_5(metric)`: a sample `half_life` steps old
/// weighs half as much as the present one.
///
/// Weights are those of the samples that are there, so the first value is the first sample and a gap only lets the
/// past fade. A missing sample leaves the mean as it was; NaN before the first sample. Equal to pandas'
/// `ewm(halflife, adjust=True, ignore_na=False).mean()`.
///
/// A saved state takes 16 bytes a metric.
#[derive(Clone, Debug)]
pub struct Ewma {
    half_life_steps: f64,
    select: Select,
}

impl Ewma {
    /// Means of every metric.
    ///
    /// # Errors
    /// [`forewarn_core::CoreError::InvalidSetting`] unless `steps` is positive.
    pub fn half_life(steps: f64) -> Result<Self, WindowError> {
        Ok(Self { half_life_steps: positive_setting("half-life in steps", steps)?, select: Select::All })
    }

    /// The same of these metrics.
    #[must_use]
    pub fn with_metrics(self, select: Select) -> Self {
        Self { select, ..self }
    }
}

impl Feature for Ewma {
    fn outputs(&self, input: &Schema) -> Result<Vec<Metric>, SchemaError> {
        per_column::outputs(&self.select, input, |metric| {
            let name = format!("ewma_{}({})", self.half_life_steps, metric.name);
            Metric::new(name, metric.unit.clone(), Kind::Gauge, ValidRange::FINITE)
        })
    }

    fn start(&self, input: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        let keep = (-1.0 / self.half_life_steps).exp2();
        per_column::start(&self.select, input, &Fading { keep, mean: f64::NAN, weight: 0.0 })
    }

    fn saved(&self) -> Option<serde_json::Value> {
        settings("ewma", fields! { half_life_steps: self.half_life_steps, select: &self.select })
    }
}

#[derive(Clone, Debug)]
struct Fading {
    keep: f64,
    mean: f64,
    weight: f64,
}

impl ColumnState for Fading {
    fn push(&mut self, sample: f32) -> f32 {
        self.weight *= self.keep;
        if !sample.is_nan() {
            self.weight += 1.0;
            let mean = if self.mean.is_nan() { f64::from(sample) } else { self.mean };
            self.mean = mean + (f64::from(sample) - mean) / self.weight;
        }
        self.mean as f32
    }

    fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(self.mean, self.weight), out)
    }

    fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (mean, weight): (f64, f64) = restore_part(&mut rest)?;
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(CoreError::damaged_state(format!("the weight of an exponential mean is {weight}")));
        }
        (self.mean, self.weight, *from) = (mean, weight, rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Step, Timestamp};
    use proptest::prelude::*;

    fn means(half_life: f64, samples: &[f32]) -> Vec<f32> {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let origin = Origin { service: "s", start: Timestamp::EPOCH, step: Step::MINUTE };
        let mut state = Ewma::half_life(half_life).unwrap().start(&schema, origin).unwrap();
        let push = |&sample: &f32| {
            let mut out = [0.0];
            state.push(&[sample], &mut out);
            out[0]
        };
        samples.iter().map(push).collect()
    }

    proptest! {
        #[test]
        fn equals_the_weighted_mean_of_all_samples(
            half_life in 0.5f64..30.0,
            samples in proptest::collection::vec(prop_oneof![4 => -1e3f32..1e3, 1 => Just(f32::NAN)], 0..60),
        ) {
            for (row, made) in means(half_life, &samples).into_iter().enumerate() {
                let weighted = (0..=row).filter(|&i| !samples[i].is_nan()).map(|i| {
                    let weight = 0.5f64.powf((row - i) as f64 / half_life);
                    (weight, weight * f64::from(samples[i]))
                });
                let (weights, sum) = weighted.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
                let expected = sum / weights;
                prop_assert!(
                    (f64::from(made) - expected).abs() < 1e-4 || (made.is_nan() && expected.is_nan()),
                    "{made} {expected}"
                );
            }
        }
    }

    #[test]
    fn a_half_life_is_positive() {
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Ewma::half_life(wrong).is_err());
        }
    }
}
