use super::design::{Design, threads_for};
use argmin::core::{CostFunction, Error, Gradient};
use forewarn_numerics::{Cholesky, sigmoid};
use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

/// Rows whose probabilities are multiplied before a logarithm is taken: each is above a half, so that their product is far
/// above the smallest number.
const FACTORS: usize = 256;

/// The penalised loss of a logistic regression, `w'w / 2 + C sum_i s_i log(1 + exp(-y_i (b + w'x_i)))`, over its
/// `terms + 1` scaled parameters.
///
/// Parameter `j` is `u_j = w_j / scale_j`, and the last one the log-odds `a` at the centre of the data over their own
/// scale, so that `b = a - w'centre`. The scales are the inverse roots of the Hessian's diagonal at `w = 0`, so that
/// a unit of `u` is about a standard error of each parameter, whatever the columns' units, and the gradient's norm
/// says how many of them are left to go. Where a [`Curvature`] is known, the parameters are `L'u` instead, with the
/// factor `L` of the Hessian: a unit is then a standard error in every direction, not along the axes alone, and the way
/// to the minimum is nearly straight.
pub(crate) struct Objective {
    design: Design,
    penalty_strength: f64,
    centre: Vec<f32>,
    scales: Vec<f64>,
    /// Total weight of the negative and of the positive rows.
    totals: [f64; 2],
    curvature: Option<Curvature>,
    threads: usize,
    evaluations_left: Cell<usize>,
    latest: RefCell<Option<Evaluation>>,
}

/// What is known of an objective before it is minimised.
struct Curvature {
    /// Of the Hessian by `u`.
    factor: Cholesky,
    /// Parameters near the minimum.
    start: Vec<f64>,
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
        let (terms, threads) = (design.terms, threads_for(design.values.len()));
        let (mut totals, mut sums) = ([0.0; 2], vec![0.0f64; terms]);
        for (of_block, sums_of_block) in design.by_blocks(threads, |rows| design.totals(rows)) {
            totals.iter_mut().zip(of_block).for_each(|(total, of_block)| *total += of_block);
            sums.iter_mut().zip(sums_of_block).for_each(|(sum, of_block)| *sum += of_block);
        }
        let total: f64 = totals.iter().sum();
        let centre: Vec<f32> = sums.iter().map(|sum| (sum / total) as f32).collect();
        let mut squares = vec![0.0f64; terms];
        for of_block in design.by_blocks(threads, |rows| design.squares(rows, &centre)) {
            squares.iter_mut().zip(of_block).for_each(|(square, of_block)| *square += of_block);
        }
        let share = totals[1] / total;
        let curvature = c * share * (1.0 - share);
        let mut scales: Vec<f64> =
            squares.iter().map(|square| 1.0 / (1.0 + curvature * square).sqrt()).collect();
        scales.push(1.0 / (curvature * total).sqrt());
        Self {
            design,
            penalty_strength: c,
            centre,
            scales,
            totals,
            curvature: None,
            threads,
            evaluations_left: Cell::new(usize::MAX),
            latest: RefCell::new(None),
        }
    }

    /// The same with a search that begins near `weights` and the log-odds `at_centre`, and goes by the Hessian there of
    /// `design`: few windows that stand for those of this objective. As it is where that has no factor.
    pub(crate) fn near(self, weights: &[f64], at_centre: f64, design: &Design) -> Self {
        let (centre, scales) = (&self.centre, &self.scales);
        let size = scales.len();
        let shift: f64 = weights.iter().zip(centre).map(|(w, &centre)| w * f64::from(centre)).sum();
        let mut hessian = vec![0.0; size * size];
        let of_blocks = design.by_blocks(threads_for(design.values.len() * size), |rows| {
            design.hessian(rows, (weights, at_centre - shift), centre, scales)
        });
        for of_block in of_blocks {
            hessian.iter_mut().zip(of_block).for_each(|(sum, of_block)| *sum += of_block);
        }
        hessian.iter_mut().for_each(|sum| *sum *= self.penalty_strength);
        // The intercept has no penalty.
        for (term, scale) in scales[..size - 1].iter().enumerate() {
            hessian[term * size + term] += scale * scale;
        }
        let Some(factor) = Cholesky::new(hessian, size) else { return self };
        let mut start: Vec<f64> =
            weights.iter().chain([&at_centre]).zip(scales).map(|(value, scale)| value / scale).collect();
        factor.times_upper(&mut start);
        Self { curvature: Some(Curvature { factor, start }), ..self }
    }

    /// Whether the square of a gradient's norm tells the loss that is still to be gained, twice: the curvature is known.
    pub(crate) fn knows_curvature(&self) -> bool {
        self.curvature.is_some()
    }

    pub(crate) fn design(&self) -> &Design {
        &self.design
    }

    /// Inverse strength of the penalty.
    pub(crate) fn c(&self) -> f64 {
        self.penalty_strength
    }

    /// The design, for an objective of another strength.
    pub(crate) fn into_design(self) -> Design {
        self.design
    }

    /// Where the search starts: near the minimum where the curvature is known, else with no slope and the log-odds of
    /// the weighted share of positive windows.
    pub(crate) fn start(&self) -> Vec<f64> {
        if let Some(curvature) = &self.curvature {
            return curvature.start.clone();
        }
        let [misses, hits] = self.totals;
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
        let mut weights = parameters.to_vec();
        if let Some(curvature) = &self.curvature {
            curvature.factor.solve_upper(&mut weights);
        }
        weights.iter_mut().zip(&self.scales).for_each(|(u, scale)| *u *= scale);
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
        if let Some(curvature) = &self.curvature {
            curvature.factor.solve_lower(&mut gradient);
        }
        (loss, gradient)
    }

    /// The sums over all rows.
    fn sums(&self, weights: &[f64], intercept: f64) -> Sums {
        let design = &self.design;
        let mut total = Sums::zero(weights.len());
        for sums in design.by_blocks(self.threads, |rows| design.sums(rows, weights, intercept)) {
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
    /// Weight of the negative and of the positive rows, and the weighted sum of each term.
    fn totals(&self, rows: Range<usize>) -> ([f64; 2], Vec<f64>) {
        let (mut totals, mut sums) = ([0.0; 2], vec![0.0f64; self.terms]);
        for (row, label, weight) in self.rows_of(rows) {
            totals[usize::from(label)] += weight;
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * f64::from(value);
            }
        }
        (totals, sums)
    }

    /// Weighted sum of squared distances from `centre`, of each term.
    fn squares(&self, rows: Range<usize>, centre: &[f32]) -> Vec<f64> {
        let mut squares = vec![0.0f64; self.terms];
        for (row, _, weight) in self.rows_of(rows) {
            for ((square, &value), &centre) in squares.iter_mut().zip(row).zip(centre) {
                let deviation = f64::from(value) - f64::from(centre);
                *square += weight * deviation * deviation;
            }
        }
        squares
    }

    /// Lower triangle of the Hessian by scaled parameters, row-major, without the penalty and its strength.
    fn hessian(
        &self,
        rows: Range<usize>,
        (weights, intercept): (&[f64], f64),
        centre: &[f32],
        scales: &[f64],
    ) -> Vec<f64> {
        let size = scales.len();
        let mut hessian = vec![0.0; size * size];
        let mut scaled = vec![scales[size - 1]; size];
        for (row, _, weight) in self.rows_of(rows) {
            let probability = sigmoid(intercept + dot(weights, row));
            let curvature = weight * probability * (1.0 - probability);
            for (((scaled, &value), &centre), scale) in scaled.iter_mut().zip(row).zip(centre).zip(scales) {
                *scaled = scale * (f64::from(value) - f64::from(centre));
            }
            for (term, row) in hessian.chunks_exact_mut(size).enumerate() {
                let factor = curvature * scaled[term];
                row[..=term].iter_mut().zip(&scaled).for_each(|(sum, value)| *sum += factor * value);
            }
        }
        hessian
    }

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
    use super::{super::design::BLOCK, *};
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
        for (row, label, weight) in objective.design.rows_of(0..50) {
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
            let design = &objective.design;
            let by_blocks =
                |threads| -> Vec<_> { design.by_blocks(threads, |rows| design.totals(rows)).collect() };
            assert_eq!(by_blocks(threads), by_blocks(1), "{threads}");
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
