use forewarn_core::{CoreError, Score};
use forewarn_numerics::{Point, fit_line};

/// Least log-odds by which a rule's score rises with one standard deviation of its statistic.
///
/// It moves no probability by more than a quarter of a per cent, and leaves tens of thousands of distinct `f32`
/// scores in a standard deviation.
pub(crate) const LEAST_SLOPE: f64 = 0.01;

/// Probability from where on a score rises more slowly than the logistic curve, and its log-odds.
const SURE: f64 = 0.99;
const SURE_LOGIT: f64 = 4.595_119_850_134_589;

/// Log-odds below which a score falls with their logarithm only: at -103 an `f32` would be 0.
const FAINT_LOGIT: f64 = -30.0;

/// One-dimensional logistic calibration: from a severity (higher is worse) to a probability that rises with it.
///
/// # References
/// J. Platt, *Probabilistic outputs for support vector machines*, 1999, with the targets `(N+ + 1) / (N+ + 2)` and
/// `1 / (N- + 2)`, which keep the slope finite where the classes do not overlap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Platt {
    pub(crate) mean: f32,
    pub(crate) scale: f32,
    pub(crate) slope: f32,
    pub(crate) intercept: f32,
}

impl Platt {
    /// The most likely calibration with a slope of at least [`LEAST_SLOPE`]; NaN severities are left out.
    ///
    /// The likelihood is concave, so where its maximum has a smaller slope, the constrained one lies on the border.
    pub(crate) fn fit(severities: &[f32], positive: &[bool]) -> Self {
        let present = || severities.iter().zip(positive).filter(|(severity, _)| !severity.is_nan());
        let count = present().count().max(1) as f64;
        let positives = present().filter(|&(_, &label)| label).count() as f64;
        let mean = (present().map(|(&severity, _)| f64::from(severity)).sum::<f64>() / count) as f32;
        let variance =
            present().map(|(&severity, _)| (f64::from(severity) - f64::from(mean)).powi(2)).sum::<f64>()
                / count;
        let deviation = variance.sqrt() as f32;
        // A constant statistic, or one whose deviation is lost in f32, has no scale of its own.
        let scale = if deviation.is_normal() { deviation } else { 1.0 };
        let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (count - positives + 2.0));
        let points: Vec<Point> = present()
            .map(|(&severity, &label)| Point {
                x: standardised(severity, mean, scale),
                target: if label { high } else { low },
            })
            .collect();
        let start = ((positives + 1.0) / (count - positives + 1.0)).ln();
        let [mut slope, mut intercept] = fit_line(&points, [0.0, start], false);
        if slope.is_nan() || slope < LEAST_SLOPE {
            [slope, intercept] = fit_line(&points, [LEAST_SLOPE, start], true);
        }
        Self { mean, scale, slope: slope as f32, intercept: intercept as f32 }
    }

    /// The probability of a severity that is not NaN.
    ///
    /// Between 1e-13 and 99 % it is the logistic curve. Above, `1 - p` falls as `0.01 / (1 + 0.99 t)` with the
    /// logarithm `t` of one plus the log-odds that are left: one metric is no ground for more certainty, and in `f32`
    /// all that is surer than 1 - 6e-8 would be one tie. The curve and its slope are continuous.
    pub(crate) fn score(&self, severity: f32) -> Result<Score, CoreError> {
        let z = standardised(severity, self.mean, self.scale);
        let logit = f64::from(self.slope) * z + f64::from(self.intercept);
        if logit > SURE_LOGIT {
            let t = (logit - SURE_LOGIT).ln_1p();
            Score::new((1.0 - (1.0 - SURE) / (1.0 + SURE * t)) as f32)
        } else if logit < FAINT_LOGIT {
            Score::from_logit(FAINT_LOGIT - (FAINT_LOGIT - logit).ln_1p())
        } else {
            Score::from_logit(logit)
        }
    }

    /// Whether the parameters are what a fit can make.
    pub(crate) fn is_valid(&self) -> bool {
        [self.mean, self.intercept].iter().all(|value| value.is_finite())
            && self.scale.is_normal()
            && self.scale > 0.0
            && self.slope.is_finite()
            && self.slope > 0.0
    }
}

fn standardised(severity: f32, mean: f32, scale: f32) -> f64 {
    (f64::from(severity) - f64::from(mean)) / f64::from(scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::sigmoid;
    use rand::RngExt;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn draws(count: usize, slope: f64, intercept: f64) -> (Vec<f32>, Vec<bool>) {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        (0..count)
            .map(|_| {
                let severity: f32 = random.random_range(-2.0..2.0);
                (severity, random.random::<f64>() < sigmoid(slope * f64::from(severity) + intercept))
            })
            .unzip()
    }

    #[test]
    fn the_curve_behind_the_data_is_found() {
        let (severities, positive) = draws(40_000, 1.5, -1.0);
        let platt = Platt::fit(&severities, &positive);
        for severity in [-1.5f32, 0.0, 0.5, 1.5] {
            let truth = sigmoid(1.5 * f64::from(severity) - 1.0);
            assert!((f64::from(platt.score(severity).unwrap().get()) - truth).abs() < 0.015, "{severity}");
        }
    }

    #[test]
    fn the_optimum_has_no_gradient() {
        let (severities, positive) = draws(500, 0.7, 0.3);
        let platt = Platt::fit(&severities, &positive);
        let n_plus = positive.iter().filter(|&&label| label).count() as f64;
        let n_minus = 500.0 - n_plus;
        let (mut g_slope, mut g_intercept) = (0.0, 0.0);
        for (&severity, &label) in severities.iter().zip(&positive) {
            let z = (f64::from(severity) - f64::from(platt.mean)) / f64::from(platt.scale);
            let target = if label { (n_plus + 1.0) / (n_plus + 2.0) } else { 1.0 / (n_minus + 2.0) };
            let residual = sigmoid(f64::from(platt.slope) * z + f64::from(platt.intercept)) - target;
            g_slope += residual * z;
            g_intercept += residual;
        }
        assert!(g_slope.abs() < 1e-4 && g_intercept.abs() < 1e-4, "{g_slope} {g_intercept}");
    }

    #[test]
    fn the_order_is_never_reversed() {
        let (severities, positive) = draws(2_000, -1.0, -2.0);
        let platt = Platt::fit(&severities, &positive);
        assert_eq!(platt.slope, LEAST_SLOPE as f32);
        assert!(platt.score(1.0).unwrap() > platt.score(-1.0).unwrap());
        let prevalence = positive.iter().filter(|&&label| label).count() as f64 / 2_000.0;
        assert!((f64::from(platt.score(0.0).unwrap().get()) - prevalence).abs() < 0.002);
        let constant = Platt::fit(&[3.0; 10], &positive[..10]);
        assert!(constant.is_valid(), "{constant:?}");
    }

    #[test]
    fn the_tail_does_not_saturate() {
        let (severities, positive): (Vec<f32>, Vec<bool>) =
            (0..1000u16).map(|i| (f32::from(i), i >= 900)).unzip();
        let platt = Platt::fit(&severities, &positive);
        let rises = |severities: &[f32]| {
            let scores: Vec<_> = severities.iter().map(|&severity| platt.score(severity).unwrap()).collect();
            scores.windows(2).all(|pair| pair[0] < pair[1])
        };
        let near: Vec<f32> = (0..2000u16).map(|i| f32::from(i) - 500.0).collect();
        assert!(rises(&near), "over the data and beyond");
        let far: Vec<f32> = (0..700).map(|i| 1000.0 * 1.01f32.powi(i)).collect();
        assert!(rises(&far), "up to thousands of deviations away");
        let at = |logit: f64| (logit - f64::from(platt.intercept)) / f64::from(platt.slope);
        for logit in [SURE_LOGIT, FAINT_LOGIT] {
            let severity = |logit| (at(logit) * f64::from(platt.scale) + f64::from(platt.mean)) as f32;
            let step = |a, b| {
                f64::from(platt.score(severity(b)).unwrap().get() / platt.score(severity(a)).unwrap().get())
            };
            let (before, after) = (step(logit - 0.02, logit) - 1.0, step(logit, logit + 0.02) - 1.0);
            assert!((before / after - 1.0).abs() < 0.1, "smooth at {logit}: {before} {after}");
        }
        assert!(platt.score(f32::MAX).unwrap() < Score::ONE && platt.score(f32::MIN).unwrap() >= Score::ZERO);
    }
}
