use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What can go wrong, and what only looks like it. Names are those of Chaos Mesh where it has the fault.
///
/// A fault of severity `s` in 0..=1, at full intensity, does what its line says; on the way there and back its
/// intensity follows a ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FaultKind {
    /// A share `s` of the pods is killed at once (at least one), and restarts.
    PodKill,
    /// A share `s` of the pods is unavailable for the duration.
    PodFailure,
    /// Every call to and from the service takes `s` seconds longer.
    NetworkDelay,
    /// Half of `s` of its packets are lost: calls are sent again after 200 ms, and some never connect.
    NetworkLoss,
    /// A share `s` of the connections to and from the service cannot be made: such calls hang until they time out.
    NetworkPartition,
    /// Something else takes a share `s` of the pods' cores.
    CpuStress,
    /// Something else takes a share `s` of the pods' memory.
    MemoryStress,
    /// Pods lose memory that would fill a limit in `40 / s` minutes; the recovery restarts one pod after another.
    MemoryLeak,
    /// Each request waits `s` times half a second longer for a disk.
    IoDelay,
    /// A share `s` of the service's own calls fails, because names are not resolved.
    DnsError,
    /// A share `s` of the requests is aborted.
    HttpAbort,
    /// A rolling restart brings a version in which `0.3 s` of the requests fail and all take `1 + s` times the
    /// processor time; the recovery is another.
    BadDeploy,
    /// `1 + 2 s` times as many users.
    TrafficSurge,
    /// Each request takes `1 + 4 s` times as long: a lost index, a lock, a slow third party.
    DependencySlowdown,
    /// Clients refuse a share `s` of their connections to the service: a certificate has expired.
    CertificateExpiry,
    /// A share `s` of the service's connections to its servers is never given back.
    ConnectionLeak,
    /// A share `s` of the service's workers is stuck.
    ThreadLeak,
    /// The caches of the pods lose a share `s` of what they hold.
    CacheFlush,
    /// A harmless crowd: `1 + 0.5 s` times as many users.
    FlashCrowd,
    /// A rolling restart that brings nothing bad: pods start one after another, with cold caches.
    Deploy,
    /// A job sends the service `0.4 s` times as many requests as it usually has, on top.
    BatchJob,
    /// Neighbours on the same machines take `0.4 s` of the pods' cores.
    NoisyNeighbour,
}

/// Which services a fault can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    Anywhere,
    /// Services that others call.
    Called,
    /// Services that call others.
    Calling,
    /// Services with requests from outside.
    Entry,
}

impl Placement {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Anywhere => "no such service",
            Self::Called => "no service calls it",
            Self::Calling => "it calls no service",
            Self::Entry => "it has no requests from outside (arrivals_per_second is 0)",
        }
    }
}

/// How a fault of some kind usually goes: spans in minutes, each drawn so that its logarithm is uniform.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habit {
    pub(crate) placement: Placement,
    pub(crate) severity: (f64, f64),
    pub(crate) ramp: (f64, f64),
    pub(crate) hold: (f64, f64),
    pub(crate) recovery: (f64, f64),
}

impl FaultKind {
    /// All kinds, in the order of the variants.
    pub const ALL: [Self; 22] = [
        Self::PodKill,
        Self::PodFailure,
        Self::NetworkDelay,
        Self::NetworkLoss,
        Self::NetworkPartition,
        Self::CpuStress,
        Self::MemoryStress,
        Self::MemoryLeak,
        Self::IoDelay,
        Self::DnsError,
        Self::HttpAbort,
        Self::BadDeploy,
        Self::TrafficSurge,
        Self::DependencySlowdown,
        Self::CertificateExpiry,
        Self::ConnectionLeak,
        Self::ThreadLeak,
        Self::CacheFlush,
        Self::FlashCrowd,
        Self::Deploy,
        Self::BatchJob,
        Self::NoisyNeighbour,
    ];

    /// Its name in files, such as `pod-kill`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PodKill => "pod-kill",
            Self::PodFailure => "pod-failure",
            Self::NetworkDelay => "network-delay",
            Self::NetworkLoss => "network-loss",
            Self::NetworkPartition => "network-partition",
            Self::CpuStress => "cpu-stress",
            Self::MemoryStress => "memory-stress",
            Self::MemoryLeak => "memory-leak",
            Self::IoDelay => "io-delay",
            Self::DnsError => "dns-error",
            Self::HttpAbort => "http-abort",
            Self::BadDeploy => "bad-deploy",
            Self::TrafficSurge => "traffic-surge",
            Self::DependencySlowdown => "dependency-slowdown",
            Self::CertificateExpiry => "certificate-expiry",
            Self::ConnectionLeak => "connection-leak",
            Self::ThreadLeak => "thread-leak",
            Self::CacheFlush => "cache-flush",
            Self::FlashCrowd => "flash-crowd",
            Self::Deploy => "deploy",
            Self::BatchJob => "batch-job",
            Self::NoisyNeighbour => "noisy-neighbour",
        }
    }

    /// What it does, as a sentence; `s` is its severity.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::PodKill => "A share s of the pods is killed at once and restarts.",
            Self::PodFailure => "A share s of the pods is unavailable.",
            Self::NetworkDelay => "Every call to and from the service takes s seconds longer.",
            Self::NetworkLoss => "A share s / 2 of its packets is lost.",
            Self::NetworkPartition => "A share s of the connections to and from the service cannot be made.",
            Self::CpuStress => "Something else takes a share s of the pods' cores.",
            Self::MemoryStress => "Something else takes a share s of the pods' memory.",
            Self::MemoryLeak => "Pods lose memory that would fill a limit in 40 / s minutes.",
            Self::IoDelay => "Each request waits s / 2 seconds longer for a disk.",
            Self::DnsError => "A share s of the service's own calls fails, because names are not resolved.",
            Self::HttpAbort => "A share s of the requests is aborted.",
            Self::BadDeploy => "A rolling restart brings a version in which requests fail and take longer.",
            Self::TrafficSurge => "1 + 2 s times as many users come.",
            Self::DependencySlowdown => "Each request takes 1 + 4 s times as long.",
            Self::CertificateExpiry => "Clients refuse a share s of their connections to the service.",
            Self::ConnectionLeak => "A share s of the connections to its servers is never given back.",
            Self::ThreadLeak => "A share s of the service's workers is stuck.",
            Self::CacheFlush => "The caches of the pods lose a share s of what they hold.",
            Self::FlashCrowd => "A harmless crowd: 1 + s / 2 times as many users.",
            Self::Deploy => "A rolling restart that brings nothing bad.",
            Self::BatchJob => "A job sends 0.4 s times as many requests as usual on top.",
            Self::NoisyNeighbour => "Neighbours on the same machines take a share 0.4 s of the cores.",
        }
    }

    /// Whether it belongs to the daily routine and is not meant to break anything: a hard negative for whoever
    /// predicts failures. It can still be the last straw.
    #[must_use]
    pub fn is_routine(self) -> bool {
        matches!(self, Self::FlashCrowd | Self::Deploy | Self::BatchJob | Self::NoisyNeighbour)
    }

    /// Whether it builds up over minutes, so that metrics can show it before it breaks anything. The others strike at
    /// once, on purpose.
    #[must_use]
    pub fn is_gradual(self) -> bool {
        // A leak has no ramp of its own: what it takes adds up.
        self == Self::MemoryLeak || self.habit().ramp.1 > 2.0
    }

    pub(crate) fn habit(self) -> Habit {
        use Placement::{Anywhere, Called, Calling, Entry};
        let habit =
            |placement, severity, ramp, hold, recovery| Habit { placement, severity, ramp, hold, recovery };
        let once = (0.0, 0.0);
        match self {
            Self::PodKill => habit(Anywhere, (0.3, 1.0), once, once, once),
            Self::PodFailure => habit(Anywhere, (0.3, 1.0), once, (3.0, 15.0), once),
            Self::NetworkDelay => habit(Called, (0.02, 1.0), once, (4.0, 25.0), once),
            Self::NetworkLoss => habit(Called, (0.05, 1.0), once, (4.0, 25.0), once),
            Self::NetworkPartition => habit(Called, (0.05, 0.9), once, (3.0, 12.0), once),
            Self::CpuStress => habit(Anywhere, (0.2, 0.9), (3.0, 15.0), (5.0, 40.0), (1.0, 3.0)),
            Self::MemoryStress => habit(Anywhere, (0.2, 0.7), (3.0, 15.0), (5.0, 30.0), (0.1, 1.0)),
            Self::MemoryLeak => habit(Anywhere, (0.2, 1.0), (0.1, 1.0), (40.0, 160.0), (1.0, 3.0)),
            Self::IoDelay => habit(Anywhere, (0.05, 0.9), (5.0, 20.0), (5.0, 30.0), (1.0, 5.0)),
            Self::DnsError => habit(Calling, (0.03, 0.8), once, (2.0, 12.0), once),
            Self::HttpAbort => habit(Anywhere, (0.02, 0.6), once, (2.0, 12.0), once),
            Self::BadDeploy => habit(Anywhere, (0.05, 1.0), (2.0, 4.0), (6.0, 30.0), (1.0, 3.0)),
            Self::TrafficSurge => habit(Entry, (0.2, 0.9), (4.0, 20.0), (5.0, 30.0), (5.0, 20.0)),
            Self::DependencySlowdown => habit(Anywhere, (0.1, 0.9), (4.0, 20.0), (5.0, 30.0), (2.0, 8.0)),
            Self::CertificateExpiry => habit(Called, (0.5, 1.0), (0.5, 2.0), (5.0, 40.0), (0.2, 1.0)),
            Self::ConnectionLeak => habit(Calling, (0.8, 1.0), (20.0, 80.0), (5.0, 20.0), (0.2, 1.0)),
            Self::ThreadLeak => habit(Anywhere, (0.8, 1.0), (20.0, 80.0), (5.0, 20.0), (0.2, 1.0)),
            Self::CacheFlush => habit(Anywhere, (0.6, 1.0), once, once, once),
            Self::FlashCrowd => habit(Entry, (0.3, 1.0), (2.0, 15.0), (4.0, 30.0), (4.0, 30.0)),
            Self::Deploy => habit(Anywhere, (1.0, 1.0), once, once, once),
            Self::BatchJob => habit(Called, (0.3, 1.0), (0.2, 2.0), (8.0, 45.0), (0.2, 2.0)),
            Self::NoisyNeighbour => habit(Anywhere, (0.3, 1.0), (0.2, 8.0), (3.0, 40.0), (0.2, 8.0)),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FaultKind {
    type Err = crate::SimError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| crate::SimError::UnknownFault {
            name: text.to_owned(),
            available: Self::ALL.map(Self::name).to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_in_files() {
        for kind in FaultKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
            assert_eq!(kind.name().parse::<FaultKind>().unwrap(), kind);
        }
        let error = "pod-kil".parse::<FaultKind>().unwrap_err().to_string();
        assert!(error.contains("pod-kil") && error.contains("pod-kill, pod-failure"), "{error}");
        assert!(FaultKind::MemoryLeak.habit().hold.0 > 30.0 && !FaultKind::PodKill.is_gradual());
    }
}
