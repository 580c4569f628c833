//! Damped Newton steps.

/// A convex function of a few weights, with its Newton step.
pub trait Problem {
    /// The function's value.
    fn loss(&self, weights: &[f64]) -> f64;

    /// The step from here; `None` where there is none to be had, such as for a matrix that rounding has made
    /// indefinite.
    fn step(&self, weights: &[f64]) -> Option<Step>;
}

/// Where to go from some weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What a whole step adds to each weight.
    pub by: Vec<f64>,
    /// Gradient times [`by`](Self::by), below 0 for a step that goes down: half of it is the loss still to be gained.
    pub descent: f64,
}

/// Most steps that are taken; a convex problem of a few weights needs ten.
const MOST_STEPS: usize = 100;

/// The weights of least loss, from `start` on. Ends where a step promises less than `tolerance` times one plus the
/// loss.
///
/// A step is halved until it gains a little of what it promises (Armijo's rule with 1e-4), so that the loss never
/// rises.
pub fn minimise(problem: &impl Problem, start: Vec<f64>, tolerance: f64) -> Vec<f64> {
    let mut weights = start;
    let mut loss = problem.loss(&weights);
    for _ in 0..MOST_STEPS {
        let Some(Step { by, descent }) = problem.step(&weights) else { break };
        if descent.is_nan() || descent >= -tolerance * (1.0 + loss) {
            break;
        }
        let mut damping = 1.0;
        loop {
            let candidate: Vec<f64> =
                weights.iter().zip(&by).map(|(weight, by)| weight + damping * by).collect();
            let reached = problem.loss(&candidate);
            if reached <= loss + 1e-4 * damping * descent {
                (weights, loss) = (candidate, reached);
                break;
            }
            damping /= 2.0;
            if damping < 1e-10 {
                return weights;
            }
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sqrt(1 + x^2)`: a whole step from beyond 1 overshoots.
    struct Hyperbola;

    impl Problem for Hyperbola {
        fn loss(&self, weights: &[f64]) -> f64 {
            weights[0].hypot(1.0)
        }

        fn step(&self, weights: &[f64]) -> Option<Step> {
            let x = weights[0];
            let (gradient, curvature) = (x / x.hypot(1.0), x.hypot(1.0).powi(-3));
            Some(Step { by: vec![-gradient / curvature], descent: -gradient * gradient / curvature })
        }
    }

    #[test]
    fn damping_finds_what_whole_steps_miss() {
        // A whole step from x leads to -x^3.
        assert!(minimise(&Hyperbola, vec![50.0], 1e-14)[0].abs() < 1e-6);
    }
}
