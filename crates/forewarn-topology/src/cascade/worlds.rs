//! Monte-Carlo answers: 64 worlds at a time, one a bit.

use super::{Cascade, CascadeEstimate};
use crate::{TopologyError, error::refuse_unless};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Worlds to draw for Monte-Carlo: in each, every call passes failures on or does not, and the share of worlds in
/// which something happens estimates its probability.
///
/// The same seed gives the same worlds, whatever is asked about them, so that two questions about one graph differ by
/// what they ask and not by luck. Memory: 8 bytes a call. Time: about eight random words a call and 64 worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worlds {
    batches: usize,
    seed: u64,
}

/// Worlds that are simulated at once, one in each bit of a word.
pub(super) const BATCH: usize = u64::BITS as usize;

impl Default for Worlds {
    /// 1024 worlds: a standard error of at most 0.016.
    fn default() -> Self {
        Self { batches: 16, seed: 7 }
    }
}

impl Worlds {
    /// At least `count` worlds, rounded up to a multiple of 64.
    ///
    /// # Errors
    /// [`TopologyError::InvalidNumber`] for 0 or more than a billion.
    pub fn new(count: usize, seed: u64) -> Result<Self, TopologyError> {
        let fine = (1..=1_000_000_000).contains(&count);
        refuse_unless(fine, "number of worlds", count as f64, "1 to 1 000 000 000")?;
        Ok(Self { batches: count.div_ceil(BATCH), seed })
    }

    /// How many they are.
    #[must_use]
    pub fn count(self) -> usize {
        self.batches * BATCH
    }

    /// The random stream of a batch for one purpose. Streams of one seed never overlap.
    fn stream(self, batch: usize, purpose: Purpose) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(batch as u64 * Purpose::COUNT + purpose as u64);
        random
    }

    pub(super) fn batches(self) -> std::ops::Range<usize> {
        0..self.batches
    }

    /// In which worlds of a batch each call passes failures on.
    pub(super) fn live(self, batch: usize, strengths: &[f64]) -> Vec<u64> {
        let mut random = self.stream(batch, Purpose::Calls);
        strengths.iter().map(|&strength| coins(strength, &mut random)).collect()
    }

    /// In which worlds of a batch each service fails on its own.
    fn own(self, batch: usize, own: &[f64]) -> Vec<u64> {
        let mut random = self.stream(batch, Purpose::Own);
        own.iter().map(|&own| coins(own, &mut random)).collect()
    }

    /// The order in which services are looked at in the worlds of a batch.
    pub(super) fn order(self, batch: usize) -> ChaCha8Rng {
        self.stream(batch, Purpose::Order)
    }
}

/// What random numbers are for: each has streams of its own, so that one question never shifts another's.
#[derive(Clone, Copy)]
enum Purpose {
    Calls,
    Own,
    Order,
}

impl Purpose {
    const COUNT: u64 = 3;
}

/// 64 independent coins that show 1 with probability `p`.
///
/// Each bit compares a uniform number with `p`, binary digit after binary digit, until they differ: about two digits
/// a coin, and eight words until all 64 are decided, instead of 64 words.
fn coins(p: f64, random: &mut ChaCha8Rng) -> u64 {
    if p >= 1.0 {
        return u64::MAX;
    }
    // Exact: scaling by a power of two.
    let mut digits = (p * 2f64.powi(64)) as u64;
    let (mut heads, mut open) = (0, u64::MAX);
    while open != 0 && digits != 0 {
        let word = random.next_u64();
        if digits >> 63 == 1 {
            heads |= open & !word;
            open &= word;
        } else {
            open &= !word;
        }
        digits <<= 1;
    }
    heads
}

impl Cascade {
    /// Adds to `failed` all that it brings down in the worlds of `live`. `queue` is empty before and after.
    fn spread(&self, live: &[u64], failed: &mut [u64], queue: &mut Queue) {
        for (service, _) in failed.iter().enumerate().filter(|(_, worlds)| **worlds != 0) {
            queue.push(service);
        }
        while let Some(server) = queue.pop() {
            let worlds = failed[server];
            for &call in self.graph.calls_to(server) {
                let client = self.graph.ends(call as usize)[0];
                let more = live[call as usize] & worlds & !failed[client];
                if more != 0 {
                    failed[client] |= more;
                    queue.push(client);
                }
            }
        }
    }

    /// Shares of worlds in which services fail, when they begin as `begin` says for each batch.
    fn shares(&self, worlds: Worlds, begin: impl Fn(usize) -> Vec<u64>) -> Vec<CascadeEstimate> {
        let (mut counts, mut queue) = (vec![0u64; self.graph.len()], Queue::new(self.graph.len()));
        for batch in worlds.batches() {
            let (live, mut failed) = (worlds.live(batch, &self.strengths), begin(batch));
            self.spread(&live, &mut failed, &mut queue);
            for (count, failed) in counts.iter_mut().zip(failed) {
                *count += u64::from(failed.count_ones());
            }
        }
        counts.into_iter().map(|count| share(count, worlds.count())).collect()
    }

    pub(super) fn sampled_failures(&self, own: &[f64], worlds: Worlds) -> Vec<CascadeEstimate> {
        self.shares(worlds, |batch| worlds.own(batch, own))
    }

    pub(super) fn sampled_risk_of(&self, server: usize, worlds: Worlds) -> Vec<CascadeEstimate> {
        let mut begin = vec![0; self.graph.len()];
        begin[server] = u64::MAX;
        self.shares(worlds, |_| begin.clone())
    }
}

/// A share of worlds. The standard error is taken at the share with one success and one failure more, so that what
/// never happened in this number of worlds is not called impossible.
fn share(count: u64, worlds: usize) -> CascadeEstimate {
    let worlds = worlds as f64;
    let shrunk = (count as f64 + 1.0) / (worlds + 2.0);
    CascadeEstimate {
        value: count as f64 / worlds,
        standard_error: (shrunk * (1.0 - shrunk) / worlds).sqrt(),
    }
}

/// Services that wait, each at most once; first in, first out.
struct Queue {
    waiting: std::collections::VecDeque<usize>,
    is_waiting: Vec<bool>,
}

impl Queue {
    fn new(services: usize) -> Self {
        Self { waiting: std::collections::VecDeque::new(), is_waiting: vec![false; services] }
    }

    fn push(&mut self, service: usize) {
        if !std::mem::replace(&mut self.is_waiting[service], true) {
            self.waiting.push_back(service);
        }
    }

    fn pop(&mut self) -> Option<usize> {
        let service = self.waiting.pop_front()?;
        self.is_waiting[service] = false;
        Some(service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_show_heads_as_often_as_they_should() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for p in [0.0, 1e-3, 0.25, 0.3, 0.999, 1.0] {
            let draws = 20_000;
            let heads: u32 = (0..draws).map(|_| coins(p, &mut random).count_ones()).sum();
            let tossed = f64::from(draws) * 64.0;
            let error = (f64::from(heads) / tossed - p).abs();
            assert!(error <= 4.0 * (p * (1.0 - p) / tossed).sqrt(), "{p}: {error}");
        }
        // Bits of one word are independent: a pair of them shows heads twice with p squared.
        let both: u32 =
            (0..200_000).map(|_| coins(0.3, &mut random)).map(|word| (word & (word >> 1) & 1) as u32).sum();
        assert!((f64::from(both) / 200_000.0 - 0.09).abs() < 0.003);
    }

    #[test]
    fn worlds_are_a_promise() {
        let worlds = Worlds::new(65, 42).unwrap();
        assert_eq!(worlds.count(), 128);
        assert_eq!(worlds.live(0, &[0.5, 0.25]), [5_867_979_529_391_350_878, 38_914_126_419_864_691]);
        assert_ne!(worlds.live(0, &[0.5]), worlds.live(1, &[0.5]));
        assert!(Worlds::new(0, 42).is_err());
    }
}
