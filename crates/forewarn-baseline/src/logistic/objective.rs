use super::design::Design;
use argmin::core::{CostFunction, Error, Gradient};
use std::{
    cell::{Cell, RefCell},
    num::NonZero,
    ops::Range,
    panic::resume_unwind,
    thread,
};

/// Rows whose sums are made before they join the total: they may be made on any thread, and short sums keep the rounding
/// error of the whole one down.
const BLOCK: usize = 1 << 14;

/// Rows whose probabilities are multiplied before a logarithm is taken: each is above a half, so that their product is far
/// above the smallest number.
const FACTORS: usize = 256;

/// Values of the design that are worth a thread of their own.
const VALUES_PER_THREAD: usize = 1 << 18;

/// The penalised loss of a logistic regression, `w'w / 2 + C sum_i s_i log(1 + exp(-y_i (b + w'x_i)))`, over its
/// `terms + 1` scaled parameters.
///
/// Parameter `j` is `u_j = w_j / scale_j`, and the last one the log-odds `a` at the centre of the data over their own
/// scale, so that `b = a - w'centre`. The scales are the inverse roots of the Hessian's diagonal at `w = 0`, so that
/// a unit of `u` is about a standard error of each parameter, whatever the columns' units, and the gradient's norm
/// says how many of them are left to go.
pub(crate) struct Objective {
    design: Design,
    penalty_strength: f64,
    centre: Vec<f32>,
    scales: Vec<f64>,
    threads: usize,
    evaluations_left: Cell<usize>,
    latest: RefCell<Option<Evaluation>>,
}

#[derive(Clone)]
struct Evaluation {
    parameters: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
}

impl Objective {
    /// `c` is the inverse strength of the penalty. Two passes over the design.
    pub(crate) fn new(design: Design, c: f64) -> Self {
        let terms = design.terms;
        let (mut total, mut hits, mut sums) = (0.0, 0.0, vec![0.0f64; terms]);
        for (row, label, weight) in design.rows() {
            total += weight;
            hits += if label { weight } else { 0.0 };
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * f64::from(value);
            }
        }
        let centre: Vec<f32> = sums.iter().map(|sum| (sum / total) as f32).collect();
        let mut squares = vec![0.0f64; terms];
        for (row, _, weight) in design.rows() {
            for ((square, &value), &centre) in squares.iter_mut().zip(row).zip(&centre) {
                let deviation = f64::from(value) - f64::from(centre);
                *square += weight * deviation * deviation;
            }
        }
        let share = hits / total;
        let curvature = c * share * (1.0 - share);
        let mut scales: Vec<f64> =
            squares.iter().map(|square| 1.0 / (1.0 + curvature * square).sqrt()).collect();
        scales.push(1.0 / (curvature * total).sqrt());
        let worth = design.values.len() / VALUES_PER_THREAD;
        let threads = match worth {
            0 | 1 => 1,
            _ => thread::available_parallelism().map_or(1, NonZero::get).min(worth),
        };
        Self {
            design,
            penalty_strength: c,
            centre,
            scales,
            threads,
            evaluations_left: Cell::new(usize::MAX),
            latest: RefCell::new(None),
        }
    }

    /// Inverse strength of the penalty.
    pub(crate) fn c(&self) -> f64 {
        self.penalty_strength
    }

    /// The design, for an objective of another strength.
    pub(crate) fn into_design(self) -> Design {
        self.design
    }

    /// Where the search starts: no slope, and the log-odds of the weighted share of positive windows.
    pub(crate) fn start(&self) -> Vec<f64> {
        let (mut hits, mut misses) = (0.0, 0.0);
        for (_, label, weight) in self.design.rows() {
            *(if label { &mut hits } else { &mut misses }) += weight;
        }
        let mut parameters = vec![0.0; self.scales.len()];
        let last = self.scales.len() - 1;
        parameters[last] = f64::ln(hits / misses) / self.scales[last];
        parameters
    }

    /// Lets at most this many further evaluations succeed.
    pub(crate) fn limit_evaluations(&self, evaluations: usize) {
        self.evaluations_left.set(evaluations);
    }

    /// The point around which [`coefficients`](Self::coefficients) are: the log-odds are `a + w'(x - centre)`.
    pub(crate) fn centre(&self) -> &[f32] {
        &self.centre
    }

    /// `w` and `a` of scaled parameters.
    pub(crate) fn coefficients(&self, parameters: &[f64]) -> (Vec<f64>, f64) {
        let mut weights: Vec<f64> = parameters.iter().zip(&self.scales).map(|(u, scale)| u * scale).collect();
        let intercept = weights.pop().unwrap_or_default();
        (weights, intercept)
    }

    /// Loss and scaled gradient, in one pass over the design: `O(windows terms)`.
    fn evaluate(&self, parameters: &[f64]) -> (f64, Vec<f64>) {
        let (weights, at_centre) = self.coefficients(parameters);
        let shift: f64 = weights.iter().zip(&self.centre).map(|(w, &centre)| w * f64::from(centre)).sum();
        let intercept = at_centre - shift;
        let sums = self.sums(&weights, intercept);
        let (slope, intercept_slope) = (sums.slope, sums.intercept_slope);
        let mut loss = self.penalty_strength * sums.loss;
        loss += weights.iter().map(|w| w * w).sum::<f64>() / 2.0;
        let mut gradient: Vec<f64> = slope
            .iter()
            .zip(&self.centre)
            .zip(&weights)
            .map(|((slope, &centre), w)| {
                w + self.penalty_strength * (slope - f64::from(centre) * intercept_slope)
            })
            .collect();
        gradient.push(self.penalty_strength * intercept_slope);
        for (slope, scale) in gradient.iter_mut().zip(&self.scales) {
            *slope *= scale;
        }
        (loss, gradient)
    }

    /// The sums over all rows: those of the blocks in their order, whichever threads made them.
    fn sums(&self, weights: &[f64], intercept: f64) -> Sums {
        let (design, rows) = (&self.design, self.design.positive.len());
        let blocks: Vec<usize> = (0..rows).step_by(BLOCK).collect();
        let share = blocks.len().div_ceil(self.threads).max(1);
        let of_blocks = |blocks: &[usize]| -> Vec<Sums> {
            let end = |first: usize| rows.min(first + BLOCK);
            blocks.iter().map(|&first| design.sums(first..end(first), weights, intercept)).collect()
        };
        let of_blocks = &of_blocks;
        let mut parts = blocks.chunks(share);
        let first = parts.next().unwrap_or_default();
        let found = thread::scope(|scope| {
            let others: Vec<_> = parts.map(|blocks| scope.spawn(move || of_blocks(blocks))).collect();
            let mut found = of_blocks(first);
            for other in others {
                found.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            found
        });
        let mut total = Sums::zero(weights.len());
        for sums in found {
            total.loss += sums.loss;
            total.intercept_slope += sums.intercept_slope;
            total.slope.iter_mut().zip(&sums.slope).for_each(|(total, slope)| *total += slope);
        }
        total
    }

    /// The minimiser asks for loss and gradient of one point in turn, and for some points twice.
    fn evaluated<T>(&self, parameters: &[f64], take: impl Fn(&Evaluation) -> T) -> Result<T, Error> {
        let mut latest = self.latest.borrow_mut();
        if let Some(evaluation) = latest.as_ref().filter(|evaluation| evaluation.parameters == parameters) {
            return Ok(take(evaluation));
        }
        let left = self.evaluations_left.get();
        if left == 0 {
            return Err(Error::msg("the line search does not end"));
        }
        self.evaluations_left.set(left - 1);
        let (loss, gradient) = self.evaluate(parameters);
        // The line search does not end on NaN.
        if !loss.is_finite() {
            return Err(Error::msg("the loss is not finite"));
        }
        let evaluation = Evaluation { parameters: parameters.to_vec(), loss, gradient };
        Ok(take(latest.insert(evaluation)))
    }
}

/// Loss and slopes of some rows, without the penalty and its strength.
struct Sums {
    loss: f64,
    slope: Vec<f64>,
    intercept_slope: f64,
}

impl Sums {
    fn zero(terms: usize) -> Self {
        Self { loss: 0.0, slope: vec![0.0; terms], intercept_slope: 0.0 }
    }
}

impl Design {
    fn sums(&self, rows: Range<usize>, weights: &[f64], intercept: f64) -> Sums {
        let mut sums = Sums::zero(weights.len());
        for first in rows.clone().step_by(FACTORS) {
            // Of the negative and the positive windows of a weight of their class: the logarithm of a product costs less
            // than the logarithms of its factors.
            let mut products = [1.0f64; 2];
            for (row, label, weight) in self.rows_of(first..rows.end.min(first + FACTORS)) {
                let logit = intercept + dot(weights, row);
                let margin = if label { logit } else { -logit };
                let odds = (-margin.abs()).exp();
                if self.stands_for.is_empty() {
                    products[usize::from(label)] *= 1.0 + odds;
                } else {
                    sums.loss += weight * odds.ln_1p();
                }
                sums.loss += weight * (-margin).max(0.0);
                // The probability of the other class.
                let missed = if margin >= 0.0 { odds } else { 1.0 } / (1.0 + odds);
                let residual = if label { -weight * missed } else { weight * missed };
                sums.intercept_slope += residual;
                for (slope, &value) in sums.slope.iter_mut().zip(row) {
                    *slope += residual * f64::from(value);
                }
            }
            sums.loss += self.weights[0] * products[0].ln() + self.weights[1] * products[1].ln();
        }
        sums
    }
}

/// `sum_j weights_j row_j` in eight interleaved sums, in an order that depends on the length alone: vectorised and
/// repeatable.
pub(crate) fn dot(weights: &[f64], row: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0f64; LANES];
    let (weight_chunks, weight_rest) = weights.as_chunks::<LANES>();
    let (row_chunks, row_rest) = row.as_chunks::<LANES>();
    for (weights, row) in weight_chunks.iter().zip(row_chunks) {
        for lane in 0..LANES {
            sums[lane] += weights[lane] * f64::from(row[lane]);
        }
    }
    let rest: f64 = weight_rest.iter().zip(row_rest).map(|(w, &x)| w * f64::from(x)).sum();
    sums.iter().sum::<f64>() + rest
}

/// For a reference, since the minimiser loses a problem whose line search failed.
impl CostFunction for &Objective {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        self.evaluated(parameters, |evaluation| evaluation.loss)
    }
}

impl Gradient for &Objective {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, Error> {
        self.evaluated(parameters, |evaluation| evaluation.gradient.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn design(windows: usize, terms: usize) -> Design {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let values = (0..windows * terms)
            .map(|i| random.random_range(-1f32..1.0) * (1 + i % terms) as f32 + 4.0)
            .collect();
        let positive = (0..windows).map(|_| random.random::<f64>() < 0.2).collect();
        Design { terms, values, positive, weights: [0.7, 2.5], stands_for: Vec::new() }
    }

    #[test]
    fn the_loss_is_its_formula() {
        let objective = Objective::new(design(50, 11), 0.3);
        let parameters: Vec<f64> = (0..12).map(|j| f64::from(j) / 4.0 - 1.0).collect();
        let (weights, at_centre) = objective.coefficients(&parameters);
        let mut expected = weights.iter().map(|w| w * w).sum::<f64>() / 2.0;
        for (row, label, weight) in objective.design.rows() {
            let logit = at_centre
                + (0..11)
                    .map(|j| weights[j] * (f64::from(row[j]) - f64::from(objective.centre()[j])))
                    .sum::<f64>();
            let probability = 1.0 / (1.0 + (-logit).exp());
            expected -= 0.3 * weight * if label { probability.ln() } else { (1.0 - probability).ln() };
        }
        let (loss, _) = objective.evaluate(&parameters);
        assert!((loss - expected).abs() < 1e-10 * expected, "{loss} {expected}");
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let objective = Objective::new(design(300, 5), 2.0);
        let parameters = vec![0.5, -1.0, 2.0, 0.1, -0.3, -2.0];
        let (_, gradient) = objective.evaluate(&parameters);
        for (j, slope) in gradient.iter().enumerate() {
            let at = |step: f64| {
                let mut moved = parameters.clone();
                moved[j] += step;
                objective.evaluate(&moved).0
            };
            let difference = (at(1e-4) - at(-1e-4)) / 2e-4;
            assert!((slope - difference).abs() < 1e-6 * (1.0 + slope.abs()), "{j}: {slope} {difference}");
        }
    }

    #[test]
    fn threads_change_no_bit() {
        let mut objective = Objective::new(design(4 * BLOCK + 77, 3), 1.0);
        let parameters = vec![0.5, -1.0, 2.0, -0.3];
        let expected = objective.evaluate(&parameters);
        for threads in [2, 3, 7] {
            objective.threads = threads;
            assert_eq!(objective.evaluate(&parameters), expected, "{threads}");
        }
        // Windows that stand for themselves, said window by window, are summed without products.
        objective.design.stands_for = vec![1.0; objective.design.positive.len()];
        let (loss, gradient) = objective.evaluate(&parameters);
        assert!((loss - expected.0).abs() < 1e-12 * loss, "{loss} {}", expected.0);
        assert_eq!(gradient, expected.1);
    }

    #[test]
    fn evaluations_are_counted_and_remembered() {
        let objective = &Objective::new(design(20, 2), 1.0);
        objective.limit_evaluations(1);
        let start = objective.start();
        assert!(objective.cost(&start).is_ok() && objective.gradient(&start).is_ok());
        assert!(objective.cost(&vec![1.0; 3]).is_err());
    }
}
