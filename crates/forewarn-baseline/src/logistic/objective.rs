use super::design::Design;
use argmin::core::{CostFunction, Error, Gradient};
use forewarn_core::sigmoid;
use std::cell::{Cell, RefCell};

/// Rows whose losses are summed before they join the total: keeps the rounding error of a long sum down.
const BLOCK: usize = 1024;

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
        Self {
            design,
            penalty_strength: c,
            centre,
            scales,
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
        let (mut loss, mut slope, mut intercept_slope) = (0.0, vec![0.0f64; weights.len()], 0.0);
        let mut block = 0.0;
        for (index, (row, label, weight)) in self.design.rows().enumerate() {
            let logit = intercept + dot(&weights, row);
            let margin = if label { logit } else { -logit };
            block += weight * ((-margin.abs()).exp().ln_1p() + (-margin).max(0.0));
            let residual = weight * if label { -sigmoid(-logit) } else { sigmoid(logit) };
            intercept_slope += residual;
            for (slope, &value) in slope.iter_mut().zip(row) {
                *slope += residual * f64::from(value);
            }
            if (index + 1) % BLOCK == 0 {
                loss += block;
                block = 0.0;
            }
        }
        loss = self.penalty_strength * (loss + block);
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
    fn evaluations_are_counted_and_remembered() {
        let objective = &Objective::new(design(20, 2), 1.0);
        objective.limit_evaluations(1);
        let start = objective.start();
        assert!(objective.cost(&start).is_ok() && objective.gradient(&start).is_ok());
        assert!(objective.cost(&vec![1.0; 3]).is_err());
    }
}
