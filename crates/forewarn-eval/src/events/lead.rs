use crate::{EvalError, uncertainty::invalid};
use forewarn_numerics::quantile;
use serde::{Deserialize, Serialize};

/// Achieved lead times in minutes, summarised. What was never caught has no lead time and is not in here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeadTimes {
    /// Mean; `None` where nothing was caught.
    pub mean: Option<f64>,
    /// Median, the mean of the middle two for an even number; `None` where nothing was caught.
    pub median: Option<f64>,
    /// Lower decile: nine warnings of ten came at least this early. Interpolated linearly, as `numpy.quantile` does.
    /// `None` where nothing was caught.
    pub p10: Option<f64>,
    /// Every lead time, in order of service and time.
    pub all: Vec<f64>,
}

impl LeadTimes {
    /// Summarises lead times in minutes.
    #[must_use]
    pub fn new(minutes: Vec<f64>) -> Self {
        let mut sorted = minutes.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let mean = (!minutes.is_empty()).then(|| minutes.iter().sum::<f64>() / minutes.len() as f64);
        Self { mean, median: quantile(&sorted, 0.5), p10: quantile(&sorted, 0.1), all: minutes }
    }
}

/// What stands between an alarm and a person who can act on it, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delays {
    /// From a sample's time until it is scraped and stored.
    pub scrape_minutes: f64,
    /// Until the score is computed and the policy has been asked.
    pub evaluation_minutes: f64,
    /// Until the alarm has reached someone.
    pub notification_minutes: f64,
}

/// Half a minute until a sample is scraped, and half a minute until somebody is told.
impl Default for Delays {
    fn default() -> Self {
        Self { scrape_minutes: 0.5, evaluation_minutes: 0.0, notification_minutes: 0.5 }
    }
}

impl Delays {
    /// All delays together, in minutes.
    #[must_use]
    pub fn total_minutes(&self) -> f64 {
        self.scrape_minutes + self.evaluation_minutes + self.notification_minutes
    }

    /// Net lead times: what achieved lead times leave to act in. Warnings that arrive at the onset or later are left
    /// out: they are none.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`](forewarn_core::CoreError::InvalidSetting) for a delay that is negative or not
    /// finite.
    pub fn net(&self, achieved: &LeadTimes) -> Result<LeadTimes, EvalError> {
        for delay in [self.scrape_minutes, self.evaluation_minutes, self.notification_minutes] {
            if !(delay >= 0.0 && delay.is_finite()) {
                return Err(invalid("delay of an alarm", delay.to_string(), "minutes, at least 0").into());
            }
        }
        let net = achieved.all.iter().map(|minutes| minutes - self.total_minutes());
        Ok(LeadTimes::new(net.filter(|&minutes| minutes > 0.0).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // numpy.quantile([1, 2, 4, 5], [0.1, 0.5]) is [1.3, 3.0].
        let leads = LeadTimes::new(vec![5.0, 1.0, 4.0, 2.0]);
        assert_eq!((leads.mean, leads.median), (Some(3.0), Some(3.0)));
        approx::assert_abs_diff_eq!(leads.p10.unwrap(), 1.3, epsilon = 1e-12);
        assert_eq!(leads.all, [5.0, 1.0, 4.0, 2.0]);
        assert_eq!(LeadTimes::new(vec![3.0]).p10, Some(3.0));
    }

    #[test]
    fn delays_shorten_warnings_and_undo_some() {
        let leads = LeadTimes::new(vec![5.0, 1.0, 4.0, 2.0]);
        let delays = Delays { scrape_minutes: 1.0, evaluation_minutes: 0.5, notification_minutes: 0.5 };
        assert_eq!(delays.net(&leads).unwrap().all, [3.0, 2.0]);
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(Delays { scrape_minutes: wrong, ..delays }.net(&leads).is_err());
        }
    }

    #[test]
    fn nothing_caught_has_no_lead_time() {
        assert_eq!(
            serde_json::to_string(&LeadTimes::new(vec![])).unwrap(),
            r#"{"mean":null,"median":null,"p10":null,"all":[]}"#
        );
    }
}
