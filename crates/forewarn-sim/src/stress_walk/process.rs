//! The process: how the stress moves, and what each metric shows of it.
//!
//! The state is a stress `s` in 0..=1 and the state of the failure rule. Before the first minute the stress is 0 and
//! the rule is quiet. Each minute, in this order:
//!
//! 1. `s` gains U(.01, .04) with probability .03 ([`GAIN`]), loses U(.01, .03) with probability .05 ([`LOSS`]), jumps
//!    by U(.15, .30) with probability .006 ([`JUMP`]), each independent of the others, and falls by .15
//!    ([`FALL_HUNDREDTHS`]) if the failure rule was satisfied in the minute before; then it is clamped to 0..=1;
//! 2. the metrics are drawn given `s`, independent of one another ([`LINEAR_METRICS`] and the constants beside it);
//! 3. the failure rule looks at the error rate: it is satisfied when [`VIOLATION`] or more was measured for two
//!    consecutive minutes.
//!
//! | metric | mean | noise | clamped to |
//! |---|---|---|---|
//! | `request_count` | 1200, whole numbers | 150 | 0.. |
//! | `error_rate` | .002 + .2 s^3 | .002 | 0..=.5 |
//! | `p50_latency`, `p95_latency`, `p99_latency` | 100 + 120 s, 160 + 220 s, 220 + 350 s | 10, 20, 30 | 0.. |
//! | `cpu_usage`, `memory_usage` | .3 + .6 s, .4 + .4 s | .03, .03 | 0..=1 |
//! | `network_in`, `network_out` | 200 + 300 s, 180 + 280 s | 20, 20 | 0.. |
//! | `pod_restarts` | 1 with probability .05 while `s` > .85, else 0 | | |
//!
//! Noise is normal, given as its standard deviation. All numbers are constants: a benchmark that could be tuned is
//! none.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Normal};

/// A random change of the stress: with `probability`, a uniform amount between two hundredths.
///
/// The ends are whole hundredths so that every grid on which the process is solved has a node at each of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// Probability that it happens in a minute.
    pub probability: f64,
    /// Smallest amount, in hundredths of stress.
    pub min_hundredths: i32,
    /// Largest amount, in hundredths of stress.
    pub max_hundredths: i32,
}

/// Slow growth.
pub const GAIN: Shift = Shift { probability: 0.03, min_hundredths: 1, max_hundredths: 4 };
/// Slow recovery.
pub const LOSS: Shift = Shift { probability: 0.05, min_hundredths: -3, max_hundredths: -1 };
/// The sudden jump that most failures come from.
pub const JUMP: Shift = Shift { probability: 0.006, min_hundredths: 15, max_hundredths: 30 };
/// How far the stress falls in the minute after one in which the rule was satisfied, in hundredths.
pub const FALL_HUNDREDTHS: i32 = 15;

/// An error rate at or above this violates the failure rule. Compared as the `f32` that the frame holds.
pub const VIOLATION: f32 = 0.05;

/// A metric whose mean is a straight line in the stress, with normal noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearMetric {
    /// Name in the schema.
    pub name: &'static str,
    /// Mean at stress 0.
    pub base: f64,
    /// Mean at stress 1, less `base`.
    pub slope: f64,
    /// Standard deviation of the noise.
    pub noise: f64,
    /// Upper end of its range, to which draws are clamped; the lower end is 0.
    pub max: f64,
}

impl LinearMetric {
    const fn new(name: &'static str, base: f64, slope: f64, noise: f64, max: f64) -> Self {
        Self { name, base, slope, noise, max }
    }

    /// Its mean, before clamping, under `stress`.
    #[must_use]
    pub fn mean(&self, stress: f64) -> f64 {
        self.base + self.slope * stress
    }
}

/// The seven metrics that follow the stress in a straight line, in the order in which they are drawn.
pub const LINEAR_METRICS: [LinearMetric; 7] = [
    LinearMetric::new("p50_latency", 100.0, 120.0, 10.0, f64::INFINITY),
    LinearMetric::new("p95_latency", 160.0, 220.0, 20.0, f64::INFINITY),
    LinearMetric::new("p99_latency", 220.0, 350.0, 30.0, f64::INFINITY),
    LinearMetric::new("cpu_usage", 0.3, 0.6, 0.03, 1.0),
    LinearMetric::new("memory_usage", 0.4, 0.4, 0.03, 1.0),
    LinearMetric::new("network_in", 200.0, 300.0, 20.0, f64::INFINITY),
    LinearMetric::new("network_out", 180.0, 280.0, 20.0, f64::INFINITY),
];

/// Mean of `request_count`, which says nothing about the stress.
pub const REQUESTS_MEAN: f64 = 1200.0;
/// Standard deviation of `request_count`, before it is cut to a whole number.
pub const REQUESTS_NOISE: f64 = 150.0;
/// Standard deviation of `error_rate` around [`error_rate_mean`].
pub const ERROR_RATE_NOISE: f64 = 0.002;
/// Largest `error_rate`, to which draws are clamped.
pub const ERROR_RATE_MAX: f64 = 0.5;
/// A pod can restart only when the stress is above this.
pub const RESTART_STRESS: f64 = 0.85;
/// Probability of a restart in a minute with stress above [`RESTART_STRESS`].
pub const RESTART_PROBABILITY: f64 = 0.05;

/// Mean of `error_rate`, before clamping, under `stress`: .002 + .2 s^3.
#[must_use]
pub fn error_rate_mean(stress: f64) -> f64 {
    0.002 + 0.2 * stress * stress * stress
}

/// Where the failure rule, [`VIOLATION`] for two consecutive minutes, stands after a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleState {
    /// The minute's error rate was below the threshold.
    #[default]
    Quiet,
    /// It was at or above the threshold, that of the minute before was not.
    Violating,
    /// It was at or above the threshold for the second minute or longer: the service is failing.
    Satisfied,
}

impl RuleState {
    /// All states, in the order of their discriminants.
    pub const ALL: [Self; 3] = [Self::Quiet, Self::Violating, Self::Satisfied];

    /// The state after one more minute, in which the threshold was reached.
    #[must_use]
    pub fn after_violation(self) -> Self {
        match self {
            Self::Quiet => Self::Violating,
            Self::Violating | Self::Satisfied => Self::Satisfied,
        }
    }
}

/// The process at the end of a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) stress: f64,
    pub(crate) rule: RuleState,
}

impl State {
    /// Lives through the next minute: the stress moves, metrics are drawn, the rule looks at them.
    ///
    /// Draws, in order: for gain, loss and jump each a uniform to decide and, if it happens, one for the amount;
    /// normals for requests, error rate and the seven linear metrics; if the stress allows a restart, a uniform to
    /// decide.
    pub(crate) fn next_minute(&mut self, rng: &mut impl Rng) -> [f32; 10] {
        let mut stress = self.stress;
        for shift in [GAIN, LOSS, JUMP] {
            if rng.random::<f64>() < shift.probability {
                let (min, max) = (f64::from(shift.min_hundredths), f64::from(shift.max_hundredths));
                stress += (min + (max - min) * rng.random::<f64>()) / 100.0;
            }
        }
        if self.rule == RuleState::Satisfied {
            stress -= f64::from(FALL_HUNDREDTHS) / 100.0;
        }
        self.stress = stress.clamp(0.0, 1.0);

        let requests = normal(rng, REQUESTS_MEAN, REQUESTS_NOISE).trunc().max(0.0);
        let error_rate =
            normal(rng, error_rate_mean(self.stress), ERROR_RATE_NOISE).clamp(0.0, ERROR_RATE_MAX) as f32;
        let [p50, p95, p99, cpu, memory, network_in, network_out] = LINEAR_METRICS
            .map(|metric| normal(rng, metric.mean(self.stress), metric.noise).clamp(0.0, metric.max) as f32);
        let restarts = self.stress > RESTART_STRESS && rng.random::<f64>() < RESTART_PROBABILITY;

        self.rule = if error_rate >= VIOLATION { self.rule.after_violation() } else { RuleState::Quiet };
        let restarts = f32::from(u8::from(restarts));
        [requests as f32, error_rate, p50, p95, p99, cpu, memory, network_in, network_out, restarts]
    }
}

fn normal(rng: &mut impl Rng, mean: f64, deviation: f64) -> f64 {
    Normal::new(mean, deviation).expect("the constants' deviations are finite").sample(rng)
}
