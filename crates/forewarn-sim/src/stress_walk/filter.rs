use super::{
    grid::{Fall, Grid},
    likelihood::Likelihood,
    outlook::{Outlook, violation_probability},
    process::{RuleState, VIOLATION},
};
use forewarn_schema::{Schema, SchemaError};

/// Masses below this share of the whole are dropped: far beyond what a score can show, far above where arithmetic slows down.
const NEGLIGIBLE: f64 = 1e-200;

/// What can be known about the hidden state from the metrics so far: a probability for each stress of a grid and each state of
/// the rule, kept up to date by Bayes' theorem.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    grid: Grid,
    likelihood: Likelihood,
    violation: Vec<f64>,
    /// Mass by node for each of [`RuleState::ALL`]; empty where there is none.
    masses: [Vec<f64>; 3],
    ln_likelihood: Vec<f64>,
}

/// The row has probability zero in every state that is possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Impossible;

impl Filter {
    /// Before the first minute: no stress, a quiet rule.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`].
    pub(super) fn new(grid: Grid, schema: &Schema) -> Result<Self, SchemaError> {
        let stress: Vec<f64> = grid.stress().collect();
        let violation = stress.iter().map(|&stress| violation_probability(stress)).collect();
        let likelihood = Likelihood::new(schema, stress)?;
        let mut quiet = vec![0.0; grid.nodes()];
        quiet[0] = 1.0;
        let ln_likelihood = vec![0.0; grid.nodes()];
        Ok(Self { grid, likelihood, violation, masses: [quiet, Vec::new(), Vec::new()], ln_likelihood })
    }

    /// Takes the next minute's metrics, NaN where missing.
    pub(super) fn observe(&mut self, row: &[f32]) -> Result<(), Impossible> {
        let error_rate = self.likelihood.error_rate(row);
        let mut after = [const { Vec::new() }; 3];
        for rule in RuleState::ALL {
            let mut masses = std::mem::take(&mut self.masses[rule as usize]);
            if masses.is_empty() {
                continue;
            }
            let fall = if rule == RuleState::Satisfied { Fall::Due } else { Fall::None };
            self.grid.move_masses(&mut masses, fall);
            let reached = rule.after_violation();
            if error_rate.is_nan() {
                let violating = masses.iter().zip(&self.violation).map(|(mass, p)| mass * p).collect();
                masses.iter_mut().zip(&self.violation).for_each(|(mass, p)| *mass *= 1.0 - p);
                put(&mut after[reached as usize], violating);
                put(&mut after[RuleState::Quiet as usize], masses);
            } else if error_rate >= VIOLATION {
                put(&mut after[reached as usize], masses);
            } else {
                put(&mut after[RuleState::Quiet as usize], masses);
            }
        }
        self.masses = after;
        self.weigh(row)
    }

    /// Multiplies the masses by the row's likelihood and makes their sum 1.
    fn weigh(&mut self, row: &[f32]) -> Result<(), Impossible> {
        self.likelihood.ln(row, &mut self.ln_likelihood);
        // Relative to the best node that has mass, so that the sum cannot vanish.
        let best = self
            .masses
            .iter()
            .flat_map(|masses| masses.iter().zip(&self.ln_likelihood))
            .filter(|&(&mass, _)| mass > 0.0)
            .fold(f64::NEG_INFINITY, |best, (_, &ln)| best.max(ln));
        if best == f64::NEG_INFINITY {
            return Err(Impossible);
        }
        for ln in &mut self.ln_likelihood {
            *ln = (*ln - best).min(0.0).exp();
        }
        let mut total = 0.0;
        for masses in &mut self.masses {
            for (mass, likelihood) in masses.iter_mut().zip(&self.ln_likelihood) {
                *mass *= likelihood;
                total += *mass;
            }
        }
        let scale = total.recip();
        for masses in &mut self.masses {
            for mass in masses {
                *mass = if *mass > NEGLIGIBLE * total { *mass * scale } else { 0.0 };
            }
        }
        Ok(())
    }

    /// The probability of the outlook's event, given the metrics so far.
    pub(super) fn probability(&self, outlook: &Outlook) -> f64 {
        let sum: f64 = RuleState::ALL
            .iter()
            .map(|&rule| {
                let masses = &self.masses[rule as usize];
                masses.iter().zip(outlook.nodes(rule)).map(|(mass, p)| mass * p).sum::<f64>()
            })
            .sum();
        sum.clamp(0.0, 1.0)
    }
}

/// Adds `masses` to what is there.
fn put(to: &mut Vec<f64>, masses: Vec<f64>) {
    if to.is_empty() {
        *to = masses;
    } else {
        to.iter_mut().zip(masses).for_each(|(to, mass)| *to += mass);
    }
}
