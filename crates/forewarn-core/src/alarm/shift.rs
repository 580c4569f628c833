use super::Threshold;
use crate::Score;
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// A threshold at a distance in log-odds from that of the policy: what a [`BudgetController`](super::BudgetController) gives the machine of
/// each service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    pub(super) log_odds: f64,
    /// Whether no alarm may be raised.
    #[serde(default)]
    pub(super) is_silent: bool,
}

impl Shift {
    /// A threshold at this distance; of a number that is not finite, the policy's own.
    #[must_use]
    pub fn new(log_odds: f64) -> Self {
        Self { log_odds, is_silent: false }
    }

    /// How far, in log-odds.
    #[must_use]
    pub fn log_odds(self) -> f64 {
        self.log_odds
    }

    /// The threshold over a policy's own.
    #[must_use]
    pub fn over(self, base: Score) -> Score {
        if self.log_odds == 0.0 {
            return base;
        }
        // A sum of finite log-odds is a score; a saved shift that is not finite leaves the policy's own.
        Score::from_logit(base.log_odds() + self.log_odds).unwrap_or(base)
    }
}

impl Threshold for Shift {
    fn at(&mut self, _: Timestamp, base: Score) -> Score {
        self.over(base)
    }

    fn is_silent(&self) -> bool {
        self.is_silent
    }
}
