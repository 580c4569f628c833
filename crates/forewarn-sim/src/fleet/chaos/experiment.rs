use crate::SimError;
use crate::fleet::{Blueprint, ChaosKind, FaultKind, Injection, check::Check};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which experiment of a session: 1 for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExperimentId(pub u32);

impl fmt::Display for ExperimentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something that a person breaks: what, where, how badly and for how long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Which it is.
    pub id: ExperimentId,
    /// What happens.
    pub kind: ChaosKind,
    /// The service that it strikes.
    pub service: String,
    /// How badly, 0.01 to 1.
    pub severity: f64,
    /// Seconds until its recovery begins by itself.
    pub seconds: f64,
    /// The faults that it consists of. Kept with it, so that a log means the same to later versions.
    pub faults: Vec<Injection>,
}

impl Experiment {
    pub(crate) fn new(
        id: ExperimentId,
        kind: ChaosKind,
        service: &str,
        (severity, seconds): (f64, f64),
        blueprint: &Blueprint,
    ) -> Result<Self, SimError> {
        let place = format!("{kind} on {service:?}");
        let check = Check(&place);
        let ((least, most), (shortest, longest)) = (ChaosKind::SEVERITY, ChaosKind::SECONDS);
        check.within("severity", severity, least..=most, "0.01 to 1")?;
        check.within("seconds", seconds, shortest..=longest, "5 to 86,400")?;
        let faults = kind.faults(service, severity, seconds, blueprint)?;
        Ok(Self { id, kind, service: service.to_owned(), severity, seconds, faults })
    }

    /// The service and those whose requests suffer with it: the services that call it, directly or over others; for
    /// users who come in numbers, the services that it calls.
    #[must_use]
    pub fn reaches<'a>(&self, blueprint: &'a Blueprint) -> Vec<&'a str> {
        let Ok(target) = blueprint.index_of(&self.service) else { return Vec::new() };
        let is_load =
            |kind| matches!(kind, FaultKind::TrafficSurge | FaultKind::FlashCrowd | FaultKind::BatchJob);
        let downwards = self.faults.iter().any(|fault| is_load(fault.kind));
        let mut reached = vec![false; blueprint.services().len()];
        reached[target] = true;
        let mut open = vec![target];
        while let Some(service) = open.pop() {
            for &(client, server) in blueprint.ends() {
                let next = [
                    (server == service).then_some(client),
                    (downwards && client == service).then_some(server),
                ];
                for next in next.into_iter().flatten() {
                    if !std::mem::replace(&mut reached[next], true) {
                        open.push(next);
                    }
                }
            }
        }
        blueprint
            .services()
            .iter()
            .zip(reached)
            .filter(|(_, reached)| *reached)
            .map(|(s, _)| s.name.as_str())
            .collect()
    }
}

/// An experiment that has begun, in ticks of its simulation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ExperimentRun {
    /// What was asked for.
    pub experiment: Experiment,
    /// The tick with which it began.
    pub began: u64,
    /// The tick with which its recovery begins, or began.
    pub ends: u64,
    /// The tick with which it is over, or was.
    pub over: u64,
    /// Whether a person ended it early.
    pub is_stopped: bool,
}
