use crate::fleet::math::{exp, normal_quantile};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random numbers that cost a fixed count of words each.
///
/// A draw never takes more or fewer words because of its parameters. So two simulations of one seed that differ in
/// what happens to a service still have the same luck afterwards: what differs between them is caused, not drawn.
#[derive(Clone, Debug)]
pub(crate) struct Draws(ChaCha8Rng);

/// Which of the independent streams of a seed. Roll-outs take the streams from [`FIRST_FREE`](Stream::FIRST_FREE) on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stream(pub(crate) u64);

impl Stream {
    /// Load, arrivals of faults, the engineers on call.
    pub(crate) const WORLD: Self = Self(0);
    /// What scraping and counting add to the metrics.
    pub(crate) const TELEMETRY: Self = Self(1);
    /// Gaps, late samples and the like.
    pub(crate) const DEFECTS: Self = Self(2);
    /// Structure of generated graphs.
    pub(crate) const GRAPH: Self = Self(3);
    /// First one that has no fixed use.
    pub(crate) const FIRST_FREE: u64 = 16;
}

impl Draws {
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream.0);
        Self(rng)
    }

    /// Strictly between 0 and 1, 52 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// In `low..high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Below `count`, which is at least 1.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// Standard normal.
    pub(crate) fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform())
    }

    /// Poisson: by inversion where the mean is small, by the rounded normal that it tends to where it is large.
    pub(crate) fn poisson(&mut self, mean: f64) -> f64 {
        let u = self.uniform();
        if mean > 40.0 {
            return (mean + mean.sqrt() * normal_quantile(u) + 0.5).floor().max(0.0);
        }
        let mut p = exp(-mean.max(0.0));
        let (mut sum, mut count) = (p, 0.0);
        while u > sum && count < 200.0 {
            count += 1.0;
            p *= mean / count;
            sum += p;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_their_moments() {
        let mut draws = Draws::new(7, Stream::WORLD);
        for mean in [0.0, 0.02, 0.7, 12.0, 39.0, 41.0, 2_000.0] {
            let values: Vec<f64> = (0..40_000).map(|_| draws.poisson(mean)).collect();
            let average = values.iter().sum::<f64>() / 4e4;
            let variance = values.iter().map(|value| (value - average).powi(2)).sum::<f64>() / 4e4;
            // Five standard errors of a Poisson mean and variance.
            assert!((average - mean).abs() <= 5.0 * (mean / 4e4).sqrt() + 1e-9, "{mean}: {average}");
            let error = ((mean + 2.0 * mean * mean) / 4e4).sqrt();
            assert!((variance - mean).abs() <= 5.0 * error + 0.1, "{mean}: {variance}");
        }
    }

    #[test]
    fn a_draw_takes_one_word_whatever_its_parameters() {
        let mut draws = Draws::new(7, Stream::WORLD);
        for mean in [0.0, 1.0, 30.0, 1e6] {
            let before = draws.0.get_word_pos();
            draws.poisson(mean);
            assert_eq!(draws.0.get_word_pos() - before, 2, "{mean}");
        }
        assert_ne!(Draws::new(7, Stream::WORLD).uniform(), Draws::new(7, Stream::TELEMETRY).uniform());
    }
}
