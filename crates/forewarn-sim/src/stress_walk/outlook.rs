use super::{
    grid::{Fall, Grid},
    process::{ERROR_RATE_NOISE, RuleState, VIOLATION, error_rate_mean},
};
use forewarn_core::{Target, WindowSpec};
use statrs::function::erf::erfc;

/// The normal distribution function.
pub(super) fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// Probability that a minute with this stress reaches the rule's threshold.
pub(super) fn violation_probability(stress: f64) -> f64 {
    normal_cdf((error_rate_mean(stress) - f64::from(VIOLATION)) / ERROR_RATE_NOISE)
}

/// Probability of a target's event, for every stress on a grid and every state of the rule: what one who sees the hidden state
/// would say.
///
/// Solved backwards from the end of the period, one minute after another, by the law of total probability.
#[derive(Clone, Debug)]
pub(super) struct Outlook {
    /// One list of probabilities by node for each of [`RuleState::ALL`].
    by_rule: [Vec<f64>; 3],
}

/// Probability of the event by node of the grid.
type Nodes = Vec<f64>;

impl Outlook {
    /// Costs about 30 microseconds a minute of horizon on a grid of 1,000 nodes.
    pub(super) fn new(grid: &mut Grid, spec: WindowSpec, target: Target) -> Self {
        let violation: Nodes = grid.stress().map(violation_probability).collect();
        // The expectation over the next minute of `reached` if it violates and of `spared` if it does not.
        let mut next = |spared: &Nodes, reached: &Nodes, fall| {
            let mixed: Nodes = violation
                .iter()
                .zip(spared.iter().zip(reached))
                .map(|(&p, (&s, &r))| s + p * (r - s))
                .collect();
            grid.expect(&mixed, fall)
        };
        let nodes = violation.len();
        let (never, certain) = (vec![0.0; nodes], vec![1.0; nodes]);
        let [mut quiet, mut violating, mut satisfied] =
            [const { Vec::new() }; 3].map(|_: Nodes| never.clone());
        // A first violation in the period, which the minute after it makes an onset: even the minute after the period's last.
        let mut candidate = next(&never, &certain, Fall::None);
        for _ in 0..spec.period() {
            let after_quiet = match target {
                Target::Active => next(&quiet, &violating, Fall::None),
                Target::Onset => next(&quiet, &candidate, Fall::None),
            };
            let (after_violating, after_satisfied) = match target {
                Target::Active => (next(&quiet, &certain, Fall::None), next(&quiet, &certain, Fall::Due)),
                Target::Onset => (next(&quiet, &satisfied, Fall::None), next(&quiet, &satisfied, Fall::Due)),
            };
            candidate = next(&quiet, &certain, Fall::None);
            (quiet, violating, satisfied) = (after_quiet, after_violating, after_satisfied);
        }
        for _ in 0..spec.lead() {
            (quiet, violating, satisfied) = (
                next(&quiet, &violating, Fall::None),
                next(&quiet, &satisfied, Fall::None),
                next(&quiet, &satisfied, Fall::Due),
            );
        }
        Self { by_rule: [quiet, violating, satisfied] }
    }

    /// The probabilities by node.
    pub(super) fn nodes(&self, rule: RuleState) -> &[f64] {
        &self.by_rule[rule as usize]
    }

    /// The probability at any stress in 0..=1, by a cubic through the four nearest nodes.
    pub(super) fn at(&self, stress: f64, rule: RuleState) -> f64 {
        let nodes = self.nodes(rule);
        let position = stress * (nodes.len() - 1) as f64;
        let first = (position.floor() as usize).saturating_sub(1).min(nodes.len() - 4);
        let x = position - first as f64;
        let [x0, x1, x2, x3] = [x, x - 1.0, x - 2.0, x - 3.0];
        let value = nodes[first] * (x1 * x2 * x3 / -6.0)
            + nodes[first + 1] * (x0 * x2 * x3 / 2.0)
            + nodes[first + 2] * (x0 * x1 * x3 / -2.0)
            + nodes[first + 3] * (x0 * x1 * x2 / 6.0);
        value.clamp(0.0, 1.0)
    }

    /// The same probabilities on every second node.
    pub(super) fn halved(&self) -> Self {
        Self { by_rule: [0, 1, 2].map(|rule| self.by_rule[rule].iter().step_by(2).copied().collect()) }
    }
}
