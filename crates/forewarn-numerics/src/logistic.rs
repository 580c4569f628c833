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
    minimise(&Logistic { rows, positive, start, is_free, ridge }, start.to_vec(), 1e-14)
}

struct Logistic<'a> {
    rows: &'a [f64],
    positive: &'a [bool],
    start: &'a [f64],
    is_free: &'a [bool],
    ridge: f64,
}

impl Problem for Logistic<'_> {
    fn loss(&self, weights: &[f64]) -> f64 {
        penalised(self.rows, self.positive, weights, self.start, self.ridge)
    }

    fn step(&self, weights: &[f64]) -> Option<Step> {
        let (gradient, hessian) =
            derivatives(self.rows, self.positive, weights, self.start, self.is_free, self.ridge);
        let by: Vec<f64> = solve(hessian, &gradient, weights.len())?.into_iter().map(|by| -by).collect();
        let descent = by.iter().zip(&gradient).map(|(by, slope)| by * slope).sum::<f64>();
        Some(Step { by, descent })
    }
}

fn penalised(rows: &[f64], positive: &[bool], weights: &[f64], start: &[f64], ridge: f64) -> f64 {
    let mut loss = 0.0;
    for (row, &positive) in rows.chunks_exact(weights.len()).zip(positive) {
        let logit: f64 = row.iter().zip(weights).map(|(x, w)| x * w).sum();
        loss += logistic_loss(logit, positive);
    }
    let penalty: f64 = weights.iter().zip(start).map(|(w, start)| (w - start).powi(2)).sum();
    loss / positive.len().max(1) as f64 + ridge * penalty / 2.0
}

/// Gradient, and the Hessian row-major, with nothing but a diagonal for what is not free.
fn derivatives(
    rows: &[f64],
    positive: &[bool],
    weights: &[f64],
    start: &[f64],
    is_free: &[bool],
    ridge: f64,
) -> (Vec<f64>, Vec<f64>) {
    let size = weights.len();
    let (mut gradient, mut hessian) = (vec![0.0; size], vec![0.0; size * size]);
    let share = 1.0 / positive.len().max(1) as f64;
    for (row, &positive) in rows.chunks_exact(size).zip(positive) {
        let probability = sigmoid(row.iter().zip(weights).map(|(x, w)| x * w).sum());
        let residual = share * (probability - f64::from(u8::from(positive)));
        let curvature = share * probability * (1.0 - probability);
        for (i, &x) in row.iter().enumerate() {
            gradient[i] += residual * x;
            for (j, &other) in row.iter().enumerate() {
                hessian[i * size + j] += curvature * x * other;
            }
        }
    }
    for i in 0..size {
        gradient[i] += ridge * (weights[i] - start[i]);
        hessian[i * size + i] += ridge + LEAST_CURVATURE;
        if !is_free[i] {
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
        let (gradient, _) = derivatives(&rows, &positive, &weights, &start, &free, 0.01);
        assert!(gradient.iter().all(|slope| slope.abs() < 1e-7), "{gradient:?}");
        // The gradient is the slope of the loss.
        let at = [0.5, -0.2, 0.1];
        let (gradient, _) = derivatives(&rows, &positive, &at, &start, &[true; 3], 0.01);
        for i in 0..3 {
            let moved = |by: f64| {
                let mut at = at;
                at[i] += by;
                penalised(&rows, &positive, &at, &start, 0.01)
            };
            assert!((gradient[i] - (moved(1e-5) - moved(-1e-5)) / 2e-5).abs() < 1e-8);
        }
    }
}
