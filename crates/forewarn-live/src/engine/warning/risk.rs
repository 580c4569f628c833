//! How serious a score is.

use serde::{Deserialize, Serialize};

/// How serious a score is: see [`Risk::level`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    /// Nothing to see.
    Low,
    /// Worth a look.
    Medium,
    /// A warning.
    High,
    /// A warning that is nearly certain, or that concerns many.
    Critical,
}

/// What decides how serious a score is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Risk {
    /// Calibrated probability that a failure begins in the prediction period.
    pub probability: f64,
    /// Probability from which on an alarm is raised.
    pub threshold: f64,
    /// The same probability without looking at any metric: how often failures of this service begin. 0 where nothing
    /// is known of it.
    pub base_rate: f64,
    /// Services that call this one, directly or through others.
    pub dependents: usize,
    /// Services of the graph; 0 without one.
    pub services: usize,
}

impl Risk {
    /// The level, with probability `p`, alarm threshold `t` and base rate `b`:
    ///
    /// | level | when |
    /// |---|---|
    /// | critical | `p` is `t` or more, and either at least halfway from `t` to 1, or two services and a quarter of the graph depend on this one |
    /// | high | `p` is `t` or more |
    /// | medium | `p` is a quarter of `t` or more, and at least twice `b` |
    /// | low | else |
    ///
    /// A service that fails often is not at medium risk all the time, and an alarm is never less than high.
    #[must_use]
    pub fn level(&self) -> RiskLevel {
        let Self { probability: p, threshold: t, base_rate, dependents, services } = *self;
        let is_central = dependents >= 2 && 4 * dependents >= services;
        if p >= t && (p >= f64::midpoint(t, 1.0) || is_central) {
            RiskLevel::Critical
        } else if p >= t {
            RiskLevel::High
        } else if p >= t / 4.0 && p >= 2.0 * base_rate {
            RiskLevel::Medium
        } else {
            RiskLevel::Low
        }
    }
}

/// Minutes of a service that are known by its failure rule, and failures that began in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::engine) struct Onsets {
    pub(in crate::engine) minutes: u64,
    pub(in crate::engine) failures: u64,
}

impl Onsets {
    pub(in crate::engine) fn count(&mut self, is_known: bool, began: bool) {
        self.minutes += u64::from(is_known);
        self.failures += u64::from(began);
    }

    /// How often a failure of a service begins within `period` steps. What all services say counts as `DAY` rows of
    /// its own, so that a new service is taken for one of its fleet.
    pub(in crate::engine) fn base_rate(&self, fleet: &Self, period: usize) -> f64 {
        const DAY: f64 = 1440.0;
        if fleet.minutes == 0 {
            return 0.0;
        }
        let all = fleet.failures as f64 / fleet.minutes as f64;
        let rate = (self.failures as f64 + DAY * all) / (self.minutes as f64 + DAY);
        (rate * period as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(probability: f64, base_rate: f64, (dependents, services): (usize, usize)) -> RiskLevel {
        Risk { probability, threshold: 0.4, base_rate, dependents, services }.level()
    }

    #[test]
    fn levels_follow_threshold_base_rate_and_reach() {
        let alone = (0, 0);
        for (probability, expected) in [
            (0.09, RiskLevel::Low),
            (0.1, RiskLevel::Medium),
            (0.39, RiskLevel::Medium),
            (0.4, RiskLevel::High),
            (0.69, RiskLevel::High),
            (0.7, RiskLevel::Critical),
        ] {
            assert_eq!(level(probability, 0.01, alone), expected, "{probability}");
        }
        assert_eq!(level(0.15, 0.08, alone), RiskLevel::Low, "it often fails");
        assert_eq!(level(0.4, 0.3, alone), RiskLevel::High, "an alarm is never less");
        assert_eq!(level(0.4, 0.0, (3, 12)), RiskLevel::Critical);
        assert_eq!(level(0.4, 0.0, (2, 12)), RiskLevel::High);
        assert_eq!(level(0.4, 0.0, (1, 2)), RiskLevel::High, "one client is not a crowd");
    }

    #[test]
    fn a_base_rate_begins_with_that_of_the_fleet() {
        let fleet = Onsets { minutes: 14_400, failures: 10 };
        let new = Onsets::default().base_rate(&fleet, 5);
        assert!((new - 5.0 / 1440.0).abs() < 1e-12);
        let often = Onsets { minutes: 1440, failures: 19 };
        assert!((often.base_rate(&fleet, 5) - 5.0 * 20.0 / 2880.0).abs() < 1e-12);
        assert_eq!(often.base_rate(&Onsets::default(), 5), 0.0);
    }
}
