use crate::SimError;
use crate::fleet::{Blueprint, FaultKind, Injection, check::Check, injection::places, random::Draws};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Faults and routine that happen by themselves: each kind a Poisson process of its own on every service that it can
/// strike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultSchedule {
    /// Mean number a day on each service; kinds that are not there do not happen.
    pub per_service_day: BTreeMap<FaultKind, f64>,
}

impl Default for FaultSchedule {
    /// A rough month: several faults a day in a fleet of four, most of them survived.
    fn default() -> Self {
        let rates = [
            (FaultKind::PodKill, 0.12),
            (FaultKind::PodFailure, 0.06),
            (FaultKind::NetworkDelay, 0.08),
            (FaultKind::NetworkLoss, 0.08),
            (FaultKind::NetworkPartition, 0.05),
            (FaultKind::CpuStress, 0.20),
            (FaultKind::MemoryStress, 0.10),
            (FaultKind::MemoryLeak, 0.14),
            (FaultKind::IoDelay, 0.14),
            (FaultKind::DnsError, 0.06),
            (FaultKind::HttpAbort, 0.05),
            (FaultKind::BadDeploy, 0.08),
            (FaultKind::TrafficSurge, 0.40),
            (FaultKind::DependencySlowdown, 0.22),
            (FaultKind::CertificateExpiry, 0.02),
            (FaultKind::ConnectionLeak, 0.10),
            (FaultKind::ThreadLeak, 0.10),
            (FaultKind::CacheFlush, 0.06),
            (FaultKind::FlashCrowd, 1.0),
            (FaultKind::Deploy, 0.30),
            (FaultKind::BatchJob, 0.60),
            (FaultKind::NoisyNeighbour, 0.60),
        ];
        Self { per_service_day: rates.into_iter().collect() }
    }
}

impl FaultSchedule {
    /// Nothing happens but what is injected.
    #[must_use]
    pub fn none() -> Self {
        Self { per_service_day: BTreeMap::new() }
    }

    pub(crate) fn check(&self) -> Result<(), SimError> {
        let check = Check("faults");
        self.per_service_day.iter().try_for_each(|(kind, &rate)| {
            check.not_negative(kind.name(), rate)?;
            // Beyond that, minutes hold more faults than anything else.
            if rate > 1_440.0 {
                return Err(SimError::InvalidField {
                    place: "faults".to_owned(),
                    field: kind.name(),
                    value: rate.to_string(),
                    expected: "at most 1,440 a day and service",
                });
            }
            Ok(())
        })
    }
}

/// A schedule for one graph: who can be struck, and how often anything happens.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    kinds: Vec<(FaultKind, Vec<usize>)>,
    /// Mean number a minute of this kind and those before it.
    cumulative: Vec<f64>,
}

impl Arrivals {
    pub(crate) fn new(schedule: &FaultSchedule, blueprint: &Blueprint) -> Self {
        let targets = |placement| {
            let places = places(blueprint, placement);
            (0..places.len()).filter(|&service| places[service]).collect::<Vec<usize>>()
        };
        let (mut kinds, mut cumulative, mut sum) = (Vec::new(), Vec::new(), 0.0);
        for (&kind, &rate) in &schedule.per_service_day {
            let targets = targets(kind.habit().placement);
            if targets.is_empty() {
                continue;
            }
            sum += rate * targets.len() as f64 / 1_440.0;
            kinds.push((kind, targets));
            cumulative.push(sum);
        }
        Self { kinds, cumulative }
    }

    /// What begins in the coming minute, each with its second of the minute.
    pub(crate) fn minute(&self, blueprint: &Blueprint, draws: &mut Draws) -> Vec<(Injection, f64)> {
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        let count = if self.kinds.is_empty() { 0 } else { draws.poisson(total) as usize };
        let arrival = |draws: &mut Draws| {
            let at = draws.uniform() * total;
            let index = self.cumulative.partition_point(|&sum| sum <= at).min(self.kinds.len() - 1);
            let (kind, targets) = &self.kinds[index];
            let target = targets[draws.index(targets.len())];
            let second = draws.between(0.0, 60.0);
            (Injection::draw(*kind, &blueprint.services()[target].name, draws), second)
        };
        (0..count).map(|_| arrival(draws)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::random::Stream;

    #[test]
    fn each_kind_comes_as_often_as_it_should() {
        let (blueprint, schedule) = (Blueprint::shop(), FaultSchedule::default());
        let arrivals = Arrivals::new(&schedule, &blueprint);
        let (mut draws, days) = (Draws::new(5, Stream::WORLD), 2_000);
        let mut counts: BTreeMap<FaultKind, f64> = BTreeMap::new();
        for _ in 0..days * 1_440 {
            for (injection, second) in arrivals.minute(&blueprint, &mut draws) {
                injection.check(&blueprint).unwrap();
                assert!((0.0..60.0).contains(&second));
                *counts.entry(injection.kind).or_default() += 1.0;
            }
        }
        for (kind, rate) in &schedule.per_service_day {
            let places =
                places(&blueprint, kind.habit().placement).iter().filter(|&&allowed| allowed).count();
            let expected = rate * places as f64 * f64::from(days);
            assert!(
                (counts[kind] - expected).abs() < 5.0 * expected.sqrt(),
                "{kind}: {} for {expected}",
                counts[kind]
            );
        }
    }

    #[test]
    fn nothing_comes_from_no_schedule() {
        let arrivals = Arrivals::new(&FaultSchedule::none(), &Blueprint::shop());
        assert!(arrivals.minute(&Blueprint::shop(), &mut Draws::new(1, Stream::WORLD)).is_empty());
        let wrong = FaultSchedule { per_service_day: [(FaultKind::PodKill, -1.0)].into() };
        assert_eq!(
            wrong.check().unwrap_err().to_string(),
            "faults: pod-kill is -1, expected a number from 0 to 1,000,000,000"
        );
    }
}
