use forewarn_core::{CoreError, Outcomes};
use serde::{Deserialize, Serialize};

/// When a failure will begin: a probability for each step of the prediction period, from a model with
/// [`Output::Hazard`](crate::Output::Hazard).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Of the event coming in each step of the period.
    probabilities: Vec<f64>,
}

impl Forecast {
    /// From the hazards of each step: the probability of the event in it, if not before. The event comes in step `k` with probability
    /// `h_k prod(1 - h_j)` over the steps before.
    #[must_use]
    pub fn from_hazards(hazards: &[f64]) -> Self {
        let mut survived = 1.0;
        let probabilities = hazards.iter().map(|&hazard| {
            let here = survived * hazard;
            survived *= 1.0 - hazard;
            here
        });
        Self { probabilities: probabilities.collect() }
    }

    /// The mean of forecasts, step by step.
    pub(crate) fn mean(forecasts: &[Self]) -> Self {
        let steps = forecasts.first().map_or(0, |forecast| forecast.probabilities.len());
        let mean = |step: usize| {
            forecasts.iter().map(|forecast| forecast.probabilities[step]).sum::<f64>()
                / forecasts.len() as f64
        };
        Self { probabilities: (0..steps).map(mean).collect() }
    }

    /// The probability of the event coming in each step of the period.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The probability of its coming within the period: `1 - prod(1 - h)`.
    #[must_use]
    pub fn within(&self) -> f64 {
        self.probabilities.iter().sum()
    }

    /// Steps of the period until the event, on average over the ways in which it comes within the period; `None` where it cannot.
    ///
    /// Counted from the period's first step, which is 1. With a step of a minute and no lead time these are minutes to failure.
    #[must_use]
    pub fn expected_steps(&self) -> Option<f64> {
        let within = self.within();
        let steps = self.probabilities.iter().zip(1u32..).map(|(&p, step)| p * f64::from(step));
        (within > 0.0).then(|| steps.sum::<f64>() / within)
    }
}

/// Whether expected minutes to failure are what they say, over the windows in which the failure came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimingCalibration {
    /// Windows with an event in their period.
    pub windows: usize,
    /// Mean distance of expected and actual minutes.
    pub mean_absolute_error_minutes: f64,
    /// The same for one guess, the mean, for every window: what a forecast must be better than.
    pub mean_absolute_error_of_the_mean_minutes: f64,
    /// Mean of expected less actual minutes.
    pub bias_minutes: f64,
    /// As many windows in each, those that expect the event soonest first.
    pub bins: Vec<TimingBin>,
}

/// Windows that expect the event at about the same time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimingBin {
    /// How many.
    pub windows: usize,
    /// Mean of the minutes that they expect.
    pub expected_minutes: f64,
    /// Mean of the minutes that it took.
    pub actual_minutes: f64,
}

impl TimingCalibration {
    /// Holds forecasts against what happened. Windows without an event in their period, which expect nothing of it, are left out; so
    /// `None` without any event. `step_minutes` is the length of a step.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is one outcome for each forecast.
    pub fn new(
        forecasts: &[Forecast],
        outcomes: Outcomes<'_>,
        step_minutes: f64,
        bins: usize,
    ) -> Result<Option<Self>, CoreError> {
        if forecasts.len() != outcomes.len() {
            return Err(CoreError::LengthMismatch {
                what: "forecasts",
                expected: outcomes.len(),
                got: forecasts.len(),
            });
        }
        let pairs = forecasts.iter().enumerate().filter_map(|(index, forecast)| {
            let forewarn_core::Outcome::At(step) = outcomes.get(index)? else { return None };
            Some((forecast.expected_steps()? * step_minutes, f64::from(step) * step_minutes))
        });
        Ok(Self::of_pairs(pairs.collect(), bins))
    }

    fn of_pairs(mut pairs: Vec<(f64, f64)>, bins: usize) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let count = pairs.len() as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
        let guess = mean(&|pair| pair.1);
        let size = pairs.len().div_ceil(bins.max(1));
        let bin = |pairs: &[(f64, f64)]| {
            let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
            TimingBin {
                windows: pairs.len(),
                expected_minutes: mean(|pair| pair.0),
                actual_minutes: mean(|pair| pair.1),
            }
        };
        Some(Self {
            windows: pairs.len(),
            mean_absolute_error_minutes: mean(&|pair| (pair.0 - pair.1).abs()),
            mean_absolute_error_of_the_mean_minutes: mean(&|pair| (guess - pair.1).abs()),
            bias_minutes: mean(&|pair| pair.0 - pair.1),
            bins: pairs.chunks(size).map(bin).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn probabilities_add_up_to_what_was_not_survived(
            hazards in proptest::collection::vec(0.0f64..1.0, 1..9)
        ) {
            let forecast = Forecast::from_hazards(&hazards);
            let survived: f64 = hazards.iter().map(|hazard| 1.0 - hazard).product();
            prop_assert!((forecast.within() - (1.0 - survived)).abs() < 1e-12);
            if let Some(steps) = forecast.expected_steps() {
                prop_assert!((1.0 - 1e-9..=hazards.len() as f64 + 1e-9).contains(&steps));
            }
        }
    }

    #[test]
    fn expectations_are_those_by_hand() {
        let forecast = Forecast::from_hazards(&[0.5, 0.0, 1.0]);
        assert_eq!(forecast.probabilities(), [0.5, 0.0, 0.5]);
        assert_eq!(forecast.expected_steps(), Some(2.0));
        assert_eq!(Forecast::from_hazards(&[0.0, 0.0]).expected_steps(), None);
        let mean = Forecast::mean(&[forecast, Forecast::from_hazards(&[0.0, 1.0, 0.0])]);
        assert_eq!(mean.probabilities(), [0.25, 0.5, 0.25]);
    }

    #[test]
    fn calibration_tells_a_bias_from_an_error() {
        let pairs = vec![(3.0, 4.0), (1.0, 2.0), (5.0, 4.0), (5.0, 6.0)];
        let found = TimingCalibration::of_pairs(pairs, 2).unwrap();
        assert_eq!((found.windows, found.mean_absolute_error_minutes, found.bias_minutes), (4, 1.0, -0.5));
        assert_eq!(found.mean_absolute_error_of_the_mean_minutes, 1.0);
        assert_eq!(found.bins[0], TimingBin { windows: 2, expected_minutes: 2.0, actual_minutes: 3.0 });
        assert_eq!(found.bins[1], TimingBin { windows: 2, expected_minutes: 5.0, actual_minutes: 5.0 });
        assert_eq!(TimingCalibration::of_pairs(vec![], 2), None);
    }
}
