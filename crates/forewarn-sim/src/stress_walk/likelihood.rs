use super::{
    outlook::normal_cdf,
    process::{
        ERROR_RATE_MAX, ERROR_RATE_NOISE, LINEAR_METRICS, LinearMetric, RESTART_PROBABILITY, RESTART_STRESS,
        error_rate_mean,
    },
};
use forewarn_schema::{Schema, SchemaError};

/// How likely a row of metrics is under each stress of a grid.
///
/// A value inside a metric's range has a density; one at its end was clamped there and has the probability of lying
/// beyond. Missing values say nothing, and neither do the requests.
#[derive(Clone, Debug)]
pub(super) struct Likelihood {
    stress: Vec<f64>,
    error_rate: ErrorRate,
    restarts: usize,
    linear: Vec<Linear>,
    /// Logarithms of the probability of a restart and of none.
    ln_restart: Vec<f64>,
    ln_no_restart: Vec<f64>,
}

#[derive(Clone, Debug)]
struct ErrorRate {
    column: usize,
    mean: Vec<f64>,
    ln_below: Vec<f64>,
    ln_above: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Linear {
    metric: LinearMetric,
    column: usize,
    ln_below: Vec<f64>,
    ln_above: Vec<f64>,
}

/// Logarithm of the probability that a normal value lies below `limit`, by mean.
fn ln_below(limit: f64, noise: f64, means: impl Iterator<Item = f64>) -> Vec<f64> {
    means.map(|mean| normal_cdf((limit - mean) / noise).ln()).collect()
}

impl Likelihood {
    /// For rows of `schema` and the stresses of a grid's nodes.
    ///
    /// # Errors
    /// [`SchemaError::UnknownMetric`] for a metric that informs about the stress and is not in the schema.
    pub(super) fn new(schema: &Schema, stress: Vec<f64>) -> Result<Self, SchemaError> {
        let means = || stress.iter().map(|&stress| error_rate_mean(stress));
        let error_rate = ErrorRate {
            column: schema.index_of("error_rate")?,
            mean: means().collect(),
            ln_below: ln_below(0.0, ERROR_RATE_NOISE, means()),
            ln_above: ln_below(-ERROR_RATE_MAX, ERROR_RATE_NOISE, means().map(|mean| -mean)),
        };
        let linear = LINEAR_METRICS
            .iter()
            .map(|&metric| {
                let means = || stress.iter().map(move |&stress| metric.mean(stress));
                Ok(Linear {
                    metric,
                    column: schema.index_of(metric.name)?,
                    ln_below: ln_below(0.0, metric.noise, means()),
                    ln_above: ln_below(-metric.max, metric.noise, means().map(|mean| -mean)),
                })
            })
            .collect::<Result<_, SchemaError>>()?;
        // The node at the edge stands for stresses on both sides of it.
        let share_above = |stress: f64| {
            let nodes_away = (stress - RESTART_STRESS) * 1e6;
            if nodes_away.abs() < 1.0 { 0.5 } else { f64::from(u8::from(nodes_away > 0.0)) }
        };
        let restart = stress.iter().map(|&stress| RESTART_PROBABILITY * share_above(stress));
        Ok(Self {
            ln_restart: restart.clone().map(f64::ln).collect(),
            ln_no_restart: restart.map(|p| (-p).ln_1p()).collect(),
            error_rate,
            restarts: schema.index_of("pod_restarts")?,
            linear,
            stress,
        })
    }

    /// The row's error rate; NaN when it is missing.
    pub(super) fn error_rate(&self, row: &[f32]) -> f32 {
        row[self.error_rate.column]
    }

    /// Logarithm of the likelihood by node, up to a constant that is the same for all. Minus infinity where the row
    /// cannot be.
    pub(super) fn ln(&self, row: &[f32], out: &mut [f64]) {
        // All that is normal around a straight line adds up to one parabola.
        let (mut slope, mut curvature) = (0.0, 0.0);
        for Linear { metric, column, .. } in &self.linear {
            let value = f64::from(row[*column]);
            if value > 0.0 && value < metric.max {
                let per_noise = metric.slope / metric.noise;
                slope += per_noise * (value - metric.base) / metric.noise;
                curvature += per_noise * per_noise;
            }
        }
        for (out, &stress) in out.iter_mut().zip(&self.stress) {
            *out = stress * (slope - 0.5 * curvature * stress);
        }
        let add =
            |out: &mut [f64], term: &[f64]| out.iter_mut().zip(term).for_each(|(out, term)| *out += term);
        for Linear { metric, column, ln_below, ln_above } in &self.linear {
            let value = f64::from(row[*column]);
            if value <= 0.0 {
                add(out, ln_below);
            } else if value >= metric.max {
                add(out, ln_above);
            }
        }
        let ErrorRate { column, mean, ln_below, ln_above } = &self.error_rate;
        let value = f64::from(row[*column]);
        if value <= 0.0 {
            add(out, ln_below);
        } else if value >= ERROR_RATE_MAX {
            add(out, ln_above);
        } else if !value.is_nan() {
            for (out, mean) in out.iter_mut().zip(mean) {
                let off = (value - mean) / ERROR_RATE_NOISE;
                *out -= 0.5 * off * off;
            }
        }
        let restarts = row[self.restarts];
        if restarts == 0.0 {
            add(out, &self.ln_no_restart);
        } else if restarts == 1.0 {
            add(out, &self.ln_restart);
        } else if !restarts.is_nan() {
            out.fill(f64::NEG_INFINITY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use statrs::distribution::{Continuous, ContinuousCDF, Normal};

    const QUIET: [f32; 10] = [1033.0, 0.0123, 150.0, 260.0, 370.0, 0.55, 0.58, 330.0, 300.0, 0.0];
    const NODES: usize = 101;

    fn ln(row: [f32; 10]) -> Vec<f64> {
        let stress = (0..NODES).map(|node| node as f64 / 100.0).collect();
        let mut out = vec![0.0; NODES];
        Likelihood::new(&Schema::v1(), stress).unwrap().ln(&row, &mut out);
        out
    }

    /// The density of one row under `stress`, metric after metric as the process states them.
    fn by_definition(row: [f32; 10], stress: f64) -> f64 {
        let normal = |mean, noise| Normal::new(mean, noise).unwrap();
        let mut ln = normal(error_rate_mean(stress), ERROR_RATE_NOISE).ln_pdf(f64::from(row[1]));
        for (metric, value) in LINEAR_METRICS.iter().zip(&row[2..9]) {
            ln += normal(metric.mean(stress), metric.noise).ln_pdf(f64::from(*value));
        }
        ln
    }

    #[test]
    fn a_row_is_as_likely_as_its_metrics() {
        let got = ln(QUIET);
        for (node, pair) in got.windows(2).enumerate().take(84) {
            let [low, high] = [node, node + 1].map(|node| by_definition(QUIET, node as f64 / 100.0));
            assert_relative_eq!(pair[1] - pair[0], high - low, max_relative = 1e-9, epsilon = 1e-9);
        }
        // Above .85 the quiet pod says something; at the edge half of it.
        let step = |from: usize, row| {
            let got = ln(row);
            let [low, high] = [from, from + 1].map(|node| by_definition(row, node as f64 / 100.0));
            got[from + 1] - got[from] - (high - low)
        };
        assert_relative_eq!(step(84, QUIET), 0.975f64.ln(), epsilon = 1e-9);
        assert_relative_eq!(step(85, QUIET), (0.95f64 / 0.975).ln(), epsilon = 1e-9);
        let restarted = ln([&QUIET[..9], &[1.0]].concat().try_into().unwrap());
        assert!(restarted[84] == f64::NEG_INFINITY && restarted[85].is_finite());
    }

    #[test]
    fn what_was_clamped_has_the_probability_of_lying_beyond() {
        let missing = [f32::NAN; 10];
        let one = |column: usize, value| {
            let mut row = missing;
            row[column] = value;
            ln(row)
        };
        for node in [0, 20, 50, 80, 100] {
            let stress = node as f64 / 100.0;
            let error_rate = Normal::new(error_rate_mean(stress), ERROR_RATE_NOISE).unwrap();
            if stress < 0.5 {
                assert_relative_eq!(one(1, 0.0)[node], error_rate.cdf(0.0).ln(), max_relative = 1e-6);
            }
            let cpu = Normal::new(0.3 + 0.6 * stress, 0.03).unwrap();
            assert_relative_eq!(one(5, 1.0)[node], cpu.sf(1.0).ln(), max_relative = 1e-6);
            assert_relative_eq!(one(5, 0.0)[node], cpu.cdf(0.0).ln(), max_relative = 1e-6);
        }
    }

    #[test]
    fn nothing_measured_and_requests_say_nothing() {
        assert_eq!(ln([f32::NAN; 10]), vec![0.0; NODES]);
        let mut busy = QUIET;
        busy[0] = 3.0;
        assert_eq!(ln(busy), ln(QUIET));
        assert!(
            ln([&QUIET[..9], &[2.0]].concat().try_into().unwrap()).iter().all(|&ln| ln == f64::NEG_INFINITY)
        );
    }

    #[test]
    fn a_schema_without_an_informative_metric_is_refused() {
        let without = |name: &str| {
            let metrics =
                Schema::v1().metrics().iter().filter(|metric| metric.name != name).cloned().collect();
            Likelihood::new(&Schema::new(metrics).unwrap(), vec![0.0, 1.0]).map(|_| ())
        };
        assert!(without("request_count").is_ok());
        for name in ["error_rate", "cpu_usage", "pod_restarts"] {
            assert!(without(name).unwrap_err().to_string().contains(name));
        }
    }
}
