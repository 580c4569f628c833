use crate::{Problem, Step, minimise, sigmoid};

/// Where a line of log-odds is fitted: a place, and the share of failures that it should have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Place on the axis.
    pub x: f64,
    /// The share that is aimed for, 0 to 1: 0 or 1 for a label, or a little less than certain.
    pub target: f64,
}

/// Slope and intercept of the line of log-odds that makes `points` most likely, from `start` on; with a fixed slope,
/// only the intercept is fitted.
///
/// `O(points)` time for each of a few steps.
///
/// # References
/// J. Platt, *Probabilistic outputs for support vector machines*, 1999; H.-T. Lin, C.-J. Lin and R. Weng, *A note on
/// Platt's probabilistic outputs for support vector machines*, Machine Learning 68, 2007, for the damped Newton
/// steps.
#[must_use]
pub fn fit_line(points: &[Point], [slope, intercept]: [f64; 2], has_fixed_slope: bool) -> [f64; 2] {
    let weights = minimise(&Line { points, has_fixed_slope }, vec![slope, intercept], 1e-12);
    [weights[0], weights[1]]
}

struct Line<'a> {
    points: &'a [Point],
    has_fixed_slope: bool,
}

impl Problem for Line<'_> {
    /// The sum of the cross-entropies.
    fn loss(&self, weights: &[f64]) -> f64 {
        let term = |point: &Point| {
            let logit = weights[0] * point.x + weights[1];
            logit.max(0.0) - point.target * logit + (-logit.abs()).exp().ln_1p()
        };
        self.points.iter().map(term).sum()
    }

    fn step(&self, weights: &[f64]) -> Option<Step> {
        let (mut g_slope, mut g_intercept) = (0.0, 0.0);
        // The smallest curvature that keeps the system solvable where all places are one.
        let (mut h_slope, mut h_cross, mut h_intercept) = (1e-9, 0.0, 1e-9);
        for &Point { x, target } in self.points {
            let p = sigmoid(weights[0] * x + weights[1]);
            let (residual, weight) = (p - target, p * (1.0 - p));
            g_slope += residual * x;
            g_intercept += residual;
            h_slope += weight * x * x;
            h_cross += weight * x;
            h_intercept += weight;
        }
        let (slope, intercept) = if self.has_fixed_slope {
            (0.0, -g_intercept / h_intercept)
        } else {
            let determinant = h_slope * h_intercept - h_cross * h_cross;
            (
                -(h_intercept * g_slope - h_cross * g_intercept) / determinant,
                -(h_slope * g_intercept - h_cross * g_slope) / determinant,
            )
        };
        Some(Step { by: vec![slope, intercept], descent: g_slope * slope + g_intercept * intercept })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// No step of a grid around it gains anything.
        #[test]
        fn nothing_near_is_more_likely(points in prop::collection::vec((-3.0f64..3.0, 0.01f64..0.99), 3..40), is_fixed in any::<bool>()) {
            let points: Vec<Point> = points.into_iter().map(|(x, target)| Point { x, target }).collect();
            let [slope, intercept] = fit_line(&points, [0.3, 0.0], is_fixed);
            prop_assert!(!is_fixed || slope == 0.3);
            let line = Line { points: &points, has_fixed_slope: is_fixed };
            let least = line.loss(&[slope, intercept]);
            for by in [-0.01, 0.0, 0.01] {
                for also in [-0.01, 0.0, 0.01] {
                    let slope = if is_fixed { slope } else { slope + by };
                    prop_assert!(line.loss(&[slope, intercept + also]) >= least - 1e-9);
                }
            }
        }
    }

    #[test]
    fn two_points_are_met() {
        let points = [Point { x: -1.0, target: 0.2 }, Point { x: 1.0, target: 0.7 }];
        let [slope, intercept] = fit_line(&points, [0.0, 0.0], false);
        for point in points {
            assert!((sigmoid(slope * point.x + intercept) - point.target).abs() < 1e-6);
        }
    }
}
