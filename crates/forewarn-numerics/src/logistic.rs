use crate::{Cholesky, Problem, Step, minimise};

/// Weight that keeps the system solvable where a column is constant: so small that no digit of a fit on real data
/// shows it.
const LEAST_CURVATURE: f64 = 1e-9;

/// The logistic function `1 / (1 + exp(-x))`, without overflow for any `x`.
#[must_use]
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let odds = x.exp();
        odds / (1.0 + odds)
    }
}

/// Minus the logarithm of the probability that log-odds give to what happened, in nats; without overflow.
#[must_use]
pub fn logistic_loss(log_odds: f64, positive: bool) -> f64 {
    let wrong = if positive { -log_odds } else { log_odds };
    wrong.max(0.0) + (-wrong.abs()).exp().ln_1p()
}

/// Minimises the mean log loss of `sigmoid(w'x)` plus `ridge |w - start|^2 / 2` over `w`, for rows `x` of as many
/// values as `start` has; entries of `w` that `is_free` leaves out stay as they are. `rows` is row-major, with a row
/// for each of `positive`.
///
/// The loss is convex, so that damped steps reach its minimum. `O(rows k^2)` time for each of a few steps.
#[must_use]
pub fn fit_logistic(
    rows: &[f64],
    positive: &[bool],
    start: &[f64],
    is_free: &[bool],
    ridge: f64,
) -> Vec<f64> {
    fit_outcomes(rows, &of_labels(positive), start, is_free, ridge)
}

/// Each row stands for itself.
fn of_labels(positive: &[bool]) -> Vec<Outcome> {
    positive.iter().map(|&positive| Outcome { label: f64::from(u8::from(positive)), weight: 1.0 }).collect()
}

/// What a row should come to.
#[derive(Clone, Copy)]
pub(crate) struct Outcome {
    /// From 0 to 1.
    pub(crate) label: f64,
    /// How many rows it stands for.
    pub(crate) weight: f64,
}

/// As [`fit_logistic`], against labels that lie between 0 and 1, of rows that stand for several.
pub(crate) fn fit_outcomes(
    rows: &[f64],
    outcomes: &[Outcome],
    start: &[f64],
    is_free: &[bool],
    ridge: f64,
) -> Vec<f64> {
    minimise(&Logistic::new(rows, outcomes, start, is_free, ridge), start.to_vec(), 1e-14)
}

struct Logistic<'a> {
    rows: &'a [f64],
    outcomes: &'a [Outcome],
    /// Weight of all rows; 1 without any.
    total: f64,
    start: &'a [f64],
    is_free: &'a [bool],
    ridge: f64,
}

impl Problem for Logistic<'_> {
    fn loss(&self, weights: &[f64]) -> f64 {
        let mut loss = 0.0;
        for (row, outcome) in self.rows.chunks_exact(weights.len()).zip(self.outcomes) {
            let logit: f64 = row.iter().zip(weights).map(|(x, w)| x * w).sum();
            let of =
                |share: f64, positive| if share > 0.0 { share * logistic_loss(logit, positive) } else { 0.0 };
            loss += outcome.weight * (of(outcome.label, true) + of(1.0 - outcome.label, false));
        }
        let penalty: f64 = weights.iter().zip(self.start).map(|(w, start)| (w - start).powi(2)).sum();
        loss / self.total + self.ridge * penalty / 2.0
    }

    fn step(&self, weights: &[f64]) -> Option<Step> {
        let (gradient, hessian) = self.derivatives(weights);
        let by: Vec<f64> = solve(hessian, &gradient, weights.len())?.into_iter().map(|by| -by).collect();
        let descent = by.iter().zip(&gradient).map(|(by, slope)| by * slope).sum::<f64>();
        Some(Step { by, descent })
    }
}

impl<'a> Logistic<'a> {
    fn new(
        rows: &'a [f64],
        outcomes: &'a [Outcome],
        start: &'a [f64],
        is_free: &'a [bool],
        ridge: f64,
    ) -> Self {
        let total = outcomes.iter().map(|outcome| outcome.weight).sum::<f64>();
        let total = if total > 0.0 { total } else { 1.0 };
        Self { rows, outcomes, total, start, is_free, ridge }
    }

    /// Gradient, and the Hessian row-major, with nothing but a diagonal for what is not free.
    fn derivatives(&self, weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let size = weights.len();
        let (mut gradient, mut hessian) = (vec![0.0; size], vec![0.0; size * size]);
        for (row, outcome) in self.rows.chunks_exact(size).zip(self.outcomes) {
            let probability = sigmoid(row.iter().zip(weights).map(|(x, w)| x * w).sum());
            let share = outcome.weight / self.total;
            let residual = share * (probability - outcome.label);
            let curvature = share * probability * (1.0 - probability);
            for (i, &x) in row.iter().enumerate() {
                gradient[i] += residual * x;
                for (j, &other) in row.iter().enumerate() {
                    hessian[i * size + j] += curvature * x * other;
                }
            }
        }
        for i in 0..size {
            gradient[i] += self.ridge * (weights[i] - self.start[i]);
            hessian[i * size + i] += self.ridge + LEAST_CURVATURE;
            if !self.is_free[i] {
                gradient[i] = 0.0;
                for j in 0..size {
                    hessian[i * size + j] = 0.0;
                    hessian[j * size + i] = 0.0;
                }
                hessian[i * size + i] = 1.0;
            }
        }
        (gradient, hessian)
    }
}

/// Solves a symmetric positive definite system; `None` where rounding has made it indefinite.
fn solve(matrix: Vec<f64>, right: &[f64], size: usize) -> Option<Vec<f64>> {
    let (factor, mut solution) = (Cholesky::new(matrix, size)?, right.to_vec());
    factor.solve_lower(&mut solution);
    factor.solve_upper(&mut solution);
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logistic_function_and_its_loss_never_overflow() {
        for x in [-800.0, -30.0, -1.5, 0.0, 1.5, 30.0, 800.0] {
            assert!((sigmoid(x) + sigmoid(-x) - 1.0).abs() < 1e-15, "{x}");
            for positive in [false, true] {
                let plain = -(if positive { sigmoid(x) } else { sigmoid(-x) }).ln();
                let loss = logistic_loss(x, positive);
                assert!(
                    loss.is_finite() && (plain.is_infinite() || (loss - plain).abs() < 1e-12),
                    "{x} {loss}"
                );
            }
        }
    }

    #[test]
    fn a_system_is_solved() {
        let matrix = vec![4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let solution = solve(matrix.clone(), &[1.0, -2.0, 3.0], 3).unwrap();
        for (row, right) in matrix.chunks(3).zip([1.0, -2.0, 3.0]) {
            let sum: f64 = row.iter().zip(&solution).map(|(a, x)| a * x).sum();
            assert!((sum - right).abs() < 1e-12);
        }
        assert!(solve(vec![1.0, 2.0, 2.0, 1.0], &[1.0, 1.0], 2).is_none());
    }

    #[test]
    fn the_minimum_has_no_gradient_where_it_is_free() {
        let rows: Vec<f64> = (0..900).map(|i| f64::from(i * 37 % 101) / 50.0 - 1.0).collect();
        let positive: Vec<bool> = rows
            .chunks(3)
            .enumerate()
            .map(|(i, row)| row[0] - row[1] + f64::from(i as u32 % 7) / 3.0 > 1.0)
            .collect();
        let (start, free) = ([0.3, 0.3, 0.3], [true, false, true]);
        let weights = fit_logistic(&rows, &positive, &start, &free, 0.01);
        assert_eq!(weights[1], 0.3);
        let outcomes = of_labels(&positive);
        let problem = |is_free| Logistic::new(&rows, &outcomes, &start, is_free, 0.01);
        let (gradient, _) = problem(&free).derivatives(&weights);
        assert!(gradient.iter().all(|slope| slope.abs() < 1e-7), "{gradient:?}");
        // The gradient is the slope of the loss.
        let at = [0.5, -0.2, 0.1];
        let problem = problem(&[true; 3]);
        let (gradient, _) = problem.derivatives(&at);
        for i in 0..3 {
            let moved = |by: f64| {
                let mut at = at;
                at[i] += by;
                problem.loss(&at)
            };
            assert!((gradient[i] - (moved(1e-5) - moved(-1e-5)) / 2e-5).abs() < 1e-8);
        }
    }
}
