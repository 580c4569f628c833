//! Scoring windows: in chunks, by each network, with rows shared where windows overlap.

use crate::{
    input,
    input::{
        services::{Services, number_of},
        shared::SharedRows,
    },
    network::{
        Before, Memory, Network,
        layer::{Inputs, Projected},
        shape::Shape,
    },
    simd::{aligned::Aligned, processor::Processor},
};
use forewarn_core::{CoreError, Forecast, Score, Windows, sigmoid};

/// Windows that are scored at once: enough for the kernels to run at full speed, few enough for the cache.
pub(crate) const CHUNK: usize = 64;
/// Most numbers in the scratch of a chunk: 64 MiB of them.
const SCRATCH_LIMIT: usize = 1 << 24;

/// Networks whose probabilities are averaged.
pub(crate) struct Ensemble<'a> {
    shape: Shape,
    networks: Networks<'a>,
    services: &'a Services,
    processor: Processor,
}

/// Networks, packed already or for the occasion.
enum Networks<'a> {
    Packed(&'a [Network<f32>]),
    Own(Vec<Network<f32>>),
}

impl<'a> Ensemble<'a> {
    /// Of networks that are packed.
    pub(crate) fn of(
        shape: Shape,
        networks: &'a [Network<f32>],
        services: &'a Services,
        processor: Processor,
    ) -> Self {
        Self { shape, networks: Networks::Packed(networks), services, processor }
    }

    /// Of networks that are packed for the occasion.
    pub(crate) fn packed(
        shape: Shape,
        weights: &[Vec<f32>],
        services: &'a Services,
        processor: Processor,
    ) -> Self {
        let networks = weights.iter().map(|weights| Network::packed(shape, weights)).collect();
        Self { shape, networks: Networks::Own(networks), services, processor }
    }

    fn networks(&self) -> &[Network<f32>] {
        match &self.networks {
            Networks::Packed(networks) => networks,
            Networks::Own(networks) => networks,
        }
    }

    /// Scores windows, which have been checked.
    pub(crate) fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        let mut sums = vec![0.0; scores.len()];
        self.each(windows, |window, logits| sums[window] += within(logits))?;
        for (score, sum) in scores.iter_mut().zip(sums) {
            *score = mean(sum, self.networks().len())?;
        }
        Ok(())
    }

    /// When the event will come, by windows that have been checked.
    pub(crate) fn forecast(&self, windows: Windows<'_>) -> Result<Vec<Forecast>, CoreError> {
        let mut members: Vec<Vec<_>> = (0..windows.len()).map(|_| Vec::new()).collect();
        self.each(windows, |window, logits| members[window].push(forecast(logits)))?;
        let mean = |of_window: Vec<Result<_, _>>| {
            Forecast::mean(&of_window.into_iter().collect::<Result<Vec<_>, _>>()?)
        };
        members.into_iter().map(mean).collect()
    }

    /// Calls `found` with the log-odds of each window by each network.
    fn each(&self, windows: Windows<'_>, mut found: impl FnMut(usize, &[f32])) -> Result<(), CoreError> {
        let (steps, row) = (windows.observation(), self.shape.row());
        // Very long windows are taken one by one rather than with gigabytes of scratch.
        let chunk = (SCRATCH_LIMIT / steps / row).clamp(1, CHUNK).min(windows.len().max(1));
        let numbers = self.services.numbers(windows);
        let mut memories: Vec<_> =
            self.networks().iter().map(|network| Memory::new(network, chunk)).collect();
        let mut rows = vec![0.0; steps * chunk * row];
        let mut services = vec![0; chunk];
        let projected = self.networks().first().map_or(0, |network| network.layers[0].projected());
        let mut shared = SharedRows::new(chunk, steps, row, SCRATCH_LIMIT / projected.max(1));
        let mut sums = Aligned::new(shared.capacity() * projected);
        for first in (0..windows.len()).step_by(chunk) {
            let count = chunk.min(windows.len() - first);
            if shared.take(windows.slice(first..first + count)?, &numbers) {
                for (network, memory) in self.networks().iter().zip(&mut memories) {
                    let (services, rows) = shared.rows();
                    describe(network, services, rows);
                    let sums = &mut sums[..services.len() * projected];
                    network.project(self.processor, rows, sums);
                    let (rows, places) = (services.len(), shared.places());
                    self.run(network, memory, steps, count, |step| {
                        Inputs::Projected(Projected { sums, rows, places, step })
                    });
                    for (window, logits) in memory.read(self.processor, network, count).enumerate() {
                        found(first + window, logits);
                    }
                }
                continue;
            }
            for (place, service) in services[..count].iter_mut().enumerate() {
                input::fill_one(windows, first + place, row, count, place, &mut rows)?;
                *service = number_of(windows, &numbers, first + place);
            }
            let rows = &mut rows[..steps * count * row];
            for (network, memory) in self.networks().iter().zip(&mut memories) {
                describe(network, &services[..count], rows);
                self.run(network, memory, steps, count, |step| {
                    Inputs::Rows(network.inputs(&rows[step * count * row..][..count * row]))
                });
                for (window, logits) in memory.read(self.processor, network, count).enumerate() {
                    found(first + window, logits);
                }
            }
        }
        Ok(())
    }

    /// All steps of a number of windows.
    fn run<'b>(
        &self,
        network: &Network<f32>,
        memory: &mut Memory<f32>,
        steps: usize,
        windows: usize,
        inputs: impl Fn(usize) -> Inputs<'b, f32>,
    ) {
        memory.clear();
        for step in 0..steps {
            let before = if step == 0 { Before::Zero } else { Before::States };
            memory.advance(self.processor, network, inputs(step), windows, before);
        }
    }
}

/// Writes the descriptions of services to the ends of rows, `[step, window, feature]`.
pub(crate) fn describe(network: &Network<f32>, services: &[u32], rows: &mut [f32]) {
    let (row, inputs) = (network.shape.row(), network.shape.inputs);
    if row > inputs {
        for (row, &service) in rows.chunks_exact_mut(row).zip(services.iter().cycle()) {
            row[inputs..].copy_from_slice(network.describe(service as usize));
        }
    }
}

/// The probability of an event within the period by its log-odds, or by the log-odds of each step: `1 - prod(1 - h)`.
pub(crate) fn within(logits: &[f32]) -> f64 {
    match logits {
        [logit] => sigmoid(f64::from(*logit)),
        // ln(1 - h) is -ln(1 + exp(x)) with x the log-odds of h.
        _ => {
            let survived = logits.iter().map(|&logit| {
                let x = f64::from(logit);
                -x.max(0.0) - (-x.abs()).exp().ln_1p()
            });
            -survived.sum::<f64>().exp_m1()
        }
    }
}

/// The probability of the event in each step of the period, by the log-odds of each step.
pub(crate) fn forecast(logits: &[f32]) -> Result<Forecast, CoreError> {
    let hazards: Vec<f64> = logits.iter().map(|&logit| sigmoid(f64::from(logit))).collect();
    Forecast::from_hazards(&hazards)
}

/// The mean of the networks' probabilities.
pub(crate) fn mean(sum: f64, members: usize) -> Result<Score, CoreError> {
    Score::new((sum / members as f64) as f32)
}
