use crate::SimError;
use crate::fleet::{Blueprint, FaultKind, Injection, fault::Placement, injection::places};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What can be broken by one command: any single fault, or a drill made of some.
///
/// Names have underscores: `pod_kill` for the fault `pod-kill`; hyphens are read as underscores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum ChaosKind {
    /// Something else takes a share of the cores from one moment to the next.
    CpuSpike,
    /// Memory fills up until pods are killed. From 20 minutes on it is the leak of the simulator, which takes
    /// `40 / severity` minutes for a limit; below, a share `severity` of the limit is taken over the time given.
    MemoryLeak,
    /// Every call to and from the service takes `severity` seconds longer from one moment to the next.
    NetworkLatency,
    /// A share of the pods is down until the recovery; all of them at severity 1.
    ServiceKill,
    /// The service becomes so slow that those who call it fail too: requests hold workers, time out and are tried
    /// again. Where nothing calls it, its own users become many.
    Cascade,
    /// One fault, with the ramp and recovery that it usually has.
    Fault(FaultKind),
}

/// Minutes from which on a leak is one.
const LEAK_MINUTES: f64 = 20.0;
/// Minutes of a ramp and of a recovery of what strikes at once: a tick.
const TICK_MINUTES: f64 = 1.0 / 12.0;

impl ChaosKind {
    /// Least and most seconds that an experiment can be given until its recovery.
    pub const SECONDS: (f64, f64) = (5.0, 86_400.0);

    /// Least and most severity.
    pub const SEVERITY: (f64, f64) = (0.01, 1.0);

    /// All kinds: drills first.
    pub fn all() -> impl Iterator<Item = Self> {
        let drills =
            [Self::CpuSpike, Self::MemoryLeak, Self::NetworkLatency, Self::ServiceKill, Self::Cascade];
        // A leak has a place of its own already.
        let faults = FaultKind::ALL.into_iter().filter(|kind| *kind != FaultKind::MemoryLeak);
        drills.into_iter().chain(faults.map(Self::Fault))
    }

    /// Its name, such as `pod_kill`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::CpuSpike => "cpu_spike".to_owned(),
            Self::MemoryLeak => "memory_leak".to_owned(),
            Self::NetworkLatency => "network_latency".to_owned(),
            Self::ServiceKill => "service_kill".to_owned(),
            Self::Cascade => "cascade".to_owned(),
            Self::Fault(kind) => kind.name().replace('-', "_"),
        }
    }

    /// What it does, as a sentence; `s` is the severity.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::CpuSpike => "Something else takes a share s of the cores at once.",
            Self::MemoryLeak => "Memory fills up until pods are killed.",
            Self::NetworkLatency => "Every call to and from the service takes s seconds longer at once.",
            Self::ServiceKill => "A share s of the pods is down until the recovery.",
            Self::Cascade => "The service becomes so slow that the services that call it fail too.",
            Self::Fault(kind) => kind.description(),
        }
    }

    /// Whether it belongs to the daily routine and usually breaks nothing.
    #[must_use]
    pub fn is_routine(self) -> bool {
        matches!(self, Self::Fault(kind) if kind.is_routine())
    }

    /// Whether it builds up over minutes, so that metrics can show it before it breaks anything.
    #[must_use]
    pub fn is_gradual(self) -> bool {
        match self {
            Self::MemoryLeak | Self::Cascade => true,
            Self::CpuSpike | Self::NetworkLatency | Self::ServiceKill => false,
            Self::Fault(kind) => kind.is_gradual(),
        }
    }

    /// Severity where none is given.
    #[must_use]
    pub fn usual_severity(self) -> f64 {
        match self {
            Self::CpuSpike | Self::MemoryLeak | Self::Cascade => 0.9,
            Self::NetworkLatency => 0.5,
            Self::ServiceKill => 1.0,
            // Two decimals: a page shows it.
            Self::Fault(kind) => (Injection::new(kind, "").severity * 100.0).round() / 100.0,
        }
    }

    /// Seconds until the recovery where none are given.
    #[must_use]
    pub fn usual_seconds(self) -> f64 {
        match self {
            Self::CpuSpike | Self::NetworkLatency | Self::ServiceKill => 300.0,
            Self::MemoryLeak => 2_700.0,
            Self::Cascade => 1_200.0,
            Self::Fault(kind) => {
                let usual = Injection::new(kind, "");
                // What strikes once is shown for a minute.
                60.0 * (usual.ramp_minutes + usual.duration_minutes).ceil().max(1.0)
            }
        }
    }

    /// The services that it can strike, in the order of the graph.
    pub fn targets(self, blueprint: &Blueprint) -> impl Iterator<Item = &str> {
        let allowed = match self {
            Self::Fault(kind) => places(blueprint, kind.habit().placement),
            Self::NetworkLatency => places(blueprint, Placement::Called),
            Self::Cascade => {
                let (called, entry) =
                    (places(blueprint, Placement::Called), places(blueprint, Placement::Entry));
                called.into_iter().zip(entry).map(|(called, entry)| called || entry).collect()
            }
            _ => places(blueprint, Placement::Anywhere),
        };
        blueprint
            .services()
            .iter()
            .zip(allowed)
            .filter(|&(_, allowed)| allowed)
            .map(|(service, _)| service.name.as_str())
    }

    /// The faults that it consists of.
    pub(crate) fn faults(
        self,
        service: &str,
        severity: f64,
        seconds: f64,
        blueprint: &Blueprint,
    ) -> Result<Vec<Injection>, SimError> {
        let minutes = seconds / 60.0;
        let at_once = |kind| {
            let injection =
                Injection::new(kind, service).with_ramp_minutes(0.0).with_duration_minutes(minutes);
            injection.with_recovery_minutes(TICK_MINUTES)
        };
        let slowly = |kind| {
            let usual = Injection::new(kind, service);
            let ramp = usual.ramp_minutes.min(0.5 * minutes);
            let recovery = usual.recovery_minutes.min(minutes);
            usual
                .with_ramp_minutes(ramp)
                .with_duration_minutes(minutes - ramp)
                .with_recovery_minutes(recovery)
        };
        let index = blueprint.index_of(service)?;
        let injection = match self {
            Self::CpuSpike => at_once(FaultKind::CpuStress),
            Self::NetworkLatency => at_once(FaultKind::NetworkDelay),
            Self::ServiceKill => at_once(FaultKind::PodFailure),
            Self::MemoryLeak if minutes >= LEAK_MINUTES => slowly(FaultKind::MemoryLeak),
            Self::MemoryLeak => {
                at_once(FaultKind::MemoryStress).with_ramp_minutes(minutes).with_duration_minutes(0.0)
            }
            Self::Cascade if blueprint.called()[index] => slowly(FaultKind::DependencySlowdown),
            Self::Cascade => slowly(FaultKind::TrafficSurge),
            Self::Fault(kind) => slowly(kind),
        };
        let injection = injection.with_severity(severity);
        injection.check(blueprint)?;
        Ok(vec![injection])
    }
}

impl From<ChaosKind> for String {
    fn from(kind: ChaosKind) -> Self {
        kind.name()
    }
}

impl TryFrom<String> for ChaosKind {
    type Error = SimError;

    fn try_from(name: String) -> Result<Self, SimError> {
        name.parse()
    }
}

impl fmt::Display for ChaosKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

impl FromStr for ChaosKind {
    type Err = SimError;

    fn from_str(text: &str) -> Result<Self, SimError> {
        let name = text.replace('-', "_");
        Self::all().find(|kind| kind.name() == name).ok_or_else(|| SimError::UnknownChaos {
            name: text.to_owned(),
            available: Self::all().map(Self::name).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        assert_eq!(ChaosKind::all().count(), 26);
        for kind in ChaosKind::all() {
            assert_eq!(kind.name().parse::<ChaosKind>().unwrap(), kind);
            let written = serde_json::to_string(&kind).unwrap();
            assert_eq!(serde_json::from_str::<ChaosKind>(&written).unwrap(), kind);
        }
        assert_eq!("pod-kill".parse::<ChaosKind>().unwrap(), ChaosKind::Fault(FaultKind::PodKill));
        assert_eq!("memory-leak".parse::<ChaosKind>().unwrap(), ChaosKind::MemoryLeak);
        let error = "meteor".parse::<ChaosKind>().unwrap_err().to_string();
        assert!(error.contains("meteor") && error.contains("cpu_spike, memory_leak"), "{error}");
    }

    #[test]
    fn each_kind_strikes_wherever_it_says() {
        for blueprint in [Blueprint::shop(), Blueprint::twelve()] {
            for kind in ChaosKind::all() {
                assert!(kind.targets(&blueprint).count() > 0, "{kind}");
                for target in kind.targets(&blueprint) {
                    for seconds in [ChaosKind::SECONDS.0, 30.0, kind.usual_seconds(), ChaosKind::SECONDS.1] {
                        let faults = kind.faults(target, kind.usual_severity(), seconds, &blueprint);
                        let longest = faults
                            .unwrap()
                            .iter()
                            .map(|f| f.ramp_minutes + f.duration_minutes)
                            .fold(0.0, f64::max);
                        assert!((longest * 60.0 - seconds).abs() < 1e-6, "{kind} {longest}");
                    }
                }
            }
        }
    }
}
