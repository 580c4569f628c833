use crate::{CoreError, Score};
use serde::{Deserialize, Serialize};

/// When the event will come: a probability for each step of the prediction period. What a
/// [`Predictor`](crate::Predictor) that knows more than whether it comes says of one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Forecast {
    /// Of the event coming in each step of the period.
    probabilities: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    probabilities: Vec<f64>,
}

impl TryFrom<Unchecked> for Forecast {
    type Error = CoreError;

    fn try_from(Unchecked { probabilities }: Unchecked) -> Result<Self, CoreError> {
        /// Room for sums that were rounded.
        const MOST: f64 = 1.0 + 1e-9;
        let are_probabilities = probabilities.iter().all(|p| (0.0..=MOST).contains(p));
        if are_probabilities && probabilities.iter().sum::<f64>() <= MOST {
            return Ok(Self { probabilities });
        }
        Err(CoreError::InvalidSetting {
            name: "probabilities of a forecast",
            value: format!("{probabilities:?}"),
            expected: "numbers from 0 to 1 that add up to no more than 1",
        })
    }
}

impl Forecast {
    /// From the hazards of each step: the probability of the event in it, if not before. The event comes in step `k`
    /// with probability `h_k prod(1 - h_j)` over the steps before.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for a hazard that is no probability.
    pub fn from_hazards(hazards: &[f64]) -> Result<Self, CoreError> {
        if let Some(hazard) = hazards.iter().find(|hazard| !(0.0..=1.0).contains(*hazard)) {
            let (name, value) = ("hazard", hazard.to_string());
            return Err(CoreError::InvalidSetting { name, value, expected: "a probability, 0 to 1" });
        }
        let mut survived = 1.0;
        let probabilities = hazards.iter().map(|&hazard| {
            let here = survived * hazard;
            survived *= 1.0 - hazard;
            here
        });
        Ok(Self { probabilities: probabilities.collect() })
    }

    /// The mean of forecasts, step by step. Without any, one of no steps.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless all are of as many steps as the first.
    pub fn mean(forecasts: &[Self]) -> Result<Self, CoreError> {
        let steps = forecasts.first().map_or(0, |forecast| forecast.probabilities.len());
        let mut lengths = forecasts.iter().map(|forecast| forecast.probabilities.len());
        if let Some(got) = lengths.find(|&length| length != steps) {
            return Err(CoreError::LengthMismatch { what: "steps of a forecast", expected: steps, got });
        }
        let mean = |step: usize| {
            forecasts.iter().map(|forecast| forecast.probabilities[step]).sum::<f64>()
                / forecasts.len() as f64
        };
        Ok(Self { probabilities: (0..steps).map(mean).collect() })
    }

    /// The same forecast of when, should the event come, with another probability of its coming within the period,
    /// such as a calibrated one. Where it could not come, each step is as likely as the others.
    #[must_use]
    pub fn with_probability(&self, within: Score) -> Self {
        let within = f64::from(within.get());
        let (before, steps) = (self.within(), self.probabilities.len() as f64);
        let scaled = |&p: &f64| if before > 0.0 { p / before * within } else { within / steps };
        Self { probabilities: self.probabilities.iter().map(scaled).collect() }
    }

    /// The probability of the event coming in each step of the period.
    #[must_use]
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The probability of its coming within the period: `1 - prod(1 - h)`.
    #[must_use]
    pub fn within(&self) -> f64 {
        self.within_steps(self.probabilities.len())
    }

    /// The probability of its coming within the first `steps` steps of the period.
    #[must_use]
    pub fn within_steps(&self, steps: usize) -> f64 {
        self.probabilities.iter().take(steps).sum()
    }

    /// Steps of the period until the event, on average over the ways in which it comes within the period; `None`
    /// where it cannot.
    ///
    /// Counted from the period's first step, which is 1. With a step of a minute and no lead time these are minutes
    /// to failure.
    #[must_use]
    pub fn expected_steps(&self) -> Option<f64> {
        let within = self.within();
        let steps = self.probabilities.iter().zip(1u32..).map(|(&p, step)| p * f64::from(step));
        (within > 0.0).then(|| steps.sum::<f64>() / within)
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
            let forecast = Forecast::from_hazards(&hazards).unwrap();
            for steps in 0..=hazards.len() {
                let survived: f64 = hazards[..steps].iter().map(|hazard| 1.0 - hazard).product();
                prop_assert!((forecast.within_steps(steps) - (1.0 - survived)).abs() < 1e-12);
            }
            prop_assert_eq!(forecast.within(), forecast.within_steps(hazards.len()));
            let other = forecast.with_probability(Score::new(0.25).unwrap());
            prop_assert!((other.within() - 0.25).abs() < 1e-12);
            if let (Some(when), Some(then)) = (forecast.expected_steps(), other.expected_steps()) {
                prop_assert!((when - then).abs() < 1e-9);
            }
            let json = serde_json::to_string(&forecast).unwrap();
            let read: Forecast = serde_json::from_str(&json).unwrap();
            prop_assert!((read.within() - forecast.within()).abs() < 1e-12);
            if let Some(steps) = forecast.expected_steps() {
                prop_assert!((1.0 - 1e-9..=hazards.len() as f64 + 1e-9).contains(&steps));
            }
        }
    }

    #[test]
    fn only_a_forecast_can_be_read() {
        let read = |probabilities: &str| {
            serde_json::from_str::<Forecast>(&format!(r#"{{"probabilities":[{probabilities}]}}"#))
        };
        assert_eq!(read("0.25,0.5").unwrap().within(), 0.75);
        for wrong in ["1.5", "-0.5,0.5", "0.75,0.75", "null"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn expectations_are_those_by_hand() {
        let hazards = |hazards: &[f64]| Forecast::from_hazards(hazards).unwrap();
        let forecast = hazards(&[0.5, 0.0, 1.0]);
        assert_eq!(forecast.probabilities(), [0.5, 0.0, 0.5]);
        assert_eq!(forecast.expected_steps(), Some(2.0));
        assert_eq!(hazards(&[0.0, 0.0]).expected_steps(), None);
        let mean = Forecast::mean(&[forecast.clone(), hazards(&[0.0, 1.0, 0.0])]).unwrap();
        assert_eq!(mean.probabilities(), [0.25, 0.5, 0.25]);
        assert!(matches!(
            Forecast::mean(&[forecast, hazards(&[0.5])]),
            Err(CoreError::LengthMismatch { expected: 3, got: 1, .. })
        ));
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Forecast::from_hazards(&[0.5, wrong]).is_err(), "{wrong}");
        }
    }
}
