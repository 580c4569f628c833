//! Exact answers: the distribution of what a failure reaches.

use super::{Cascade, CascadeMethod, Towards};
use crate::TopologyError;
use std::collections::BTreeMap;

/// The sets of services that a chain of calls from one service can reach, with their probabilities.
pub(super) struct Outcomes {
    /// Which service each bit stands for.
    services: Vec<usize>,
    sets: BTreeMap<u64, f64>,
}

impl Outcomes {
    /// For each service of the graph, the probability that it is reached.
    pub(super) fn marginals(&self, services: usize) -> Vec<f64> {
        let mut marginals = vec![0.0; services];
        for (&set, &probability) in &self.sets {
            members(set).for_each(|bit| marginals[self.services[bit]] += probability);
        }
        // Sums of rounded parts may pass 1 by a bit.
        marginals.iter_mut().for_each(|marginal| *marginal = marginal.min(1.0));
        marginals
    }

    /// Expected number of services reached, the first included.
    pub(super) fn expected_size(&self) -> f64 {
        self.sets.iter().map(|(set, probability)| f64::from(set.count_ones()) * probability).sum()
    }

    /// Probability that none of the services reached fails on its own.
    pub(super) fn none_of(&self, own: &[f64]) -> f64 {
        let fine = |set| members(set).map(|bit| 1.0 - own[self.services[bit]]).product::<f64>();
        self.sets.iter().map(|(&set, probability)| fine(set) * probability).sum::<f64>().min(1.0)
    }
}

/// The bits that are set.
fn members(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(bit)
    })
}

impl Cascade {
    /// What chains of calls from `start` reach, round by round.
    ///
    /// A state is the set reached so far and the part of it that was reached in the last round; only that part can
    /// reach more, and each service next to it is reached independently of the others with a noisy-or of those calls.
    /// States that meet are added up, so the cost depends on how many there are and not on the number of ways, of
    /// which there can be factorially many.
    pub(super) fn reached(
        &self,
        start: usize,
        towards: Towards,
        limit: usize,
    ) -> Result<Outcomes, TopologyError> {
        let too_many = || TopologyError::TooManyOutcomes {
            service: self.graph.name(start).unwrap_or_default().to_owned(),
            limit: limit.min(CascadeMethod::EXACT_STEPS),
        };
        let (services, calls) = self.within_reach(start, towards).ok_or_else(too_many)?;
        let mut sets = BTreeMap::new();
        let mut states = BTreeMap::from([((1u64, 1u64), 1.0)]);
        let mut steps = 0;
        while !states.is_empty() {
            let mut next = BTreeMap::new();
            for ((reached, fresh), probability) in states {
                let mut missed = vec![1.0; services.len()];
                for bit in members(fresh) {
                    for &(to, strength) in calls[bit].iter().filter(|(to, _)| reached & (1 << to) == 0) {
                        missed[to] *= 1.0 - strength;
                    }
                }
                let mut parts = vec![(0u64, probability)];
                for (bit, &missed) in missed.iter().enumerate().filter(|(_, missed)| **missed < 1.0) {
                    if missed == 0.0 {
                        parts.iter_mut().for_each(|(set, _)| *set |= 1 << bit);
                        continue;
                    }
                    steps += parts.len();
                    if steps > limit {
                        return Err(too_many());
                    }
                    for index in 0..parts.len() {
                        let (set, probability) = parts[index];
                        parts[index].1 = probability * missed;
                        parts.push((set | 1 << bit, probability * (1.0 - missed)));
                    }
                }
                for (set, probability) in parts {
                    if set == 0 {
                        *sets.entry(reached).or_insert(0.0) += probability;
                    } else {
                        *next.entry((reached | set, set)).or_insert(0.0) += probability;
                    }
                }
            }
            states = next;
        }
        Ok(Outcomes { services, sets })
    }

    /// The services that can be reached at all, `start` first, and between them the calls that may pass a failure on;
    /// `None` if there are more than bits in a set.
    #[expect(clippy::type_complexity, reason = "two lists that are taken apart at once")]
    fn within_reach(&self, start: usize, towards: Towards) -> Option<(Vec<usize>, Vec<Vec<(usize, f64)>>)> {
        let mut services = vec![start];
        let mut calls: Vec<Vec<(usize, f64)>> = Vec::new();
        while let Some(&service) = services.get(calls.len()) {
            let mut here = Vec::new();
            for (neighbour, call) in self.neighbours(service, towards) {
                let strength = self.strengths[call];
                if strength <= 0.0 {
                    continue;
                }
                let bit = services.iter().position(|&known| known == neighbour).unwrap_or_else(|| {
                    services.push(neighbour);
                    services.len() - 1
                });
                if bit >= u64::BITS as usize {
                    return None;
                }
                here.push((bit, strength));
            }
            calls.push(here);
        }
        Some((services, calls))
    }
}
