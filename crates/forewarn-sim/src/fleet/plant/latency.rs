use crate::fleet::math::{exp, ln};

/// sqrt(3) / pi: from the spread of a logarithm to the scale of a logistic distribution.
const SCALE: f64 = 0.551_328_895_421_792_1;

/// The response times of a service in one moment: log-logistic, in seconds.
///
/// It has the heavy right tail of real response times, and both its tail probability and its quantiles are closed
/// forms. Median and spread are chosen so that mean and coefficient of variation are those of the log-normal
/// distribution with the same median and spread.
///
/// # References
/// S. A. Klugman, H. H. Panjer, G. E. Willmot, *Loss Models*, Wiley, 2012, appendix A: the log-logistic distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    pub(crate) mean: f64,
    /// Variance.
    pub(crate) variance: f64,
    ln_median: f64,
    /// Scale of the logistic logarithm.
    scale: f64,
}

impl Latency {
    /// From a mean above zero and a variance.
    pub(crate) fn new(mean: f64, variance: f64) -> Self {
        let mean = mean.max(1e-6);
        let spread = ln(1.0 + (variance / (mean * mean)).clamp(0.002, 1e4));
        Self { mean, variance, ln_median: ln(mean) - 0.5 * spread, scale: SCALE * spread.sqrt() }
    }

    /// Probability of more than `exp(ln_seconds)` seconds.
    pub(crate) fn beyond(&self, ln_seconds: f64) -> f64 {
        1.0 / (1.0 + exp((ln_seconds - self.ln_median) / self.scale))
    }

    /// The quantile whose log-odds are `logit`, in seconds.
    pub(crate) fn quantile(&self, logit: f64) -> f64 {
        exp(self.ln_median + self.scale * logit)
    }

    /// Standard deviation of the logarithm of an observed quantile of `count` response times, at probability `p`.
    pub(crate) fn quantile_noise(&self, p: f64, count: f64) -> f64 {
        self.scale / (p * (1.0 - p) * count.max(1.0)).sqrt()
    }
}

/// Mean and second moment of a time that is cut off at `limit`, which a share `beyond` of all would exceed.
pub(crate) fn cut_off(mean: f64, variance: f64, limit: f64, beyond: f64) -> (f64, f64) {
    let within = mean.min(limit);
    let first = (1.0 - beyond) * within + beyond * limit;
    let second = (1.0 - beyond) * (variance + within * within).min(limit * limit) + beyond * limit * limit;
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn quantiles_and_tails_are_inverse() {
        let latency = Latency::new(0.12, 0.01);
        for p in [0.5f64, 0.95, 0.99] {
            let logit = (p / (1.0 - p)).ln();
            let seconds = latency.quantile(logit);
            assert_relative_eq!(latency.beyond(seconds.ln()), 1.0 - p, max_relative = 1e-9);
        }
    }

    /// Against 200,000 response times drawn by inversion, and the spread of the 99th percentile of samples of 500 of
    /// them.
    #[test]
    fn moments_and_quantile_noise_are_those_of_samples() {
        let latency = Latency::new(0.1, 0.0025);
        let mut draws = crate::fleet::random::Draws::new(3, crate::fleet::random::Stream::WORLD);
        let times: Vec<f64> = (0..200_000)
            .map(|_| {
                let u = draws.uniform();
                latency.quantile((u / (1.0 - u)).ln())
            })
            .collect();
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        assert_relative_eq!(mean, 0.1, max_relative = 0.03);
        let logs: Vec<f64> = times
            .chunks_exact(500)
            .map(|sample| {
                let mut sample = sample.to_vec();
                sample.sort_by(f64::total_cmp);
                sample[495].ln()
            })
            .collect();
        let centre = logs.iter().sum::<f64>() / logs.len() as f64;
        let spread = (logs.iter().map(|log| (log - centre).powi(2)).sum::<f64>() / logs.len() as f64).sqrt();
        assert_relative_eq!(latency.quantile_noise(0.99, 500.0), spread, max_relative = 0.2);
    }

    #[test]
    fn nothing_takes_longer_than_the_limit() {
        let latency = Latency::new(3.0, 4.0);
        let (mean, second) = cut_off(3.0, 4.0, 1.0, latency.beyond(0.0));
        assert!(mean <= 1.0 && second <= 1.0 && second >= mean * mean);
        assert_eq!(cut_off(0.1, 0.01, 1.0, 0.0).0, 0.1);
    }
}
