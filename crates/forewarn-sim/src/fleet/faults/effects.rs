use crate::fleet::{FaultKind, plan::ServicePlan};

/// What all faults of the moment do to one service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Effects {
    /// Factor on users.
    pub(crate) users: f64,
    /// Requests a second from a job.
    pub(crate) job: f64,
    /// Factor on the processor time of a request.
    pub(crate) cpu: f64,
    /// Factor on its time on disk.
    pub(crate) io: f64,
    /// Seconds more on disk.
    pub(crate) io_seconds: f64,
    /// Share of cores that are left.
    pub(crate) cores: f64,
    /// Share of memory that is taken.
    pub(crate) memory: f64,
    /// MB that each pod leaks in a second.
    pub(crate) leak: f64,
    /// Share of workers that are left.
    pub(crate) workers: f64,
    /// Share of connections to servers that are left.
    pub(crate) connections: f64,
    /// Share of pods that are out.
    pub(crate) pods_out: f64,
    /// Share of requests that succeed, as far as the service itself is concerned.
    pub(crate) success: f64,
    /// Share of names that are resolved.
    pub(crate) names: f64,
    /// Share of clients' connections that are accepted.
    pub(crate) accepted: f64,
    /// Seconds more on the network.
    pub(crate) delay: f64,
    /// Share of packets that are lost.
    pub(crate) loss: f64,
    /// Share of connections that can be made.
    pub(crate) reachable: f64,
}

/// Most that all faults of a service together multiply its users or the time of a request by.
const MOST: f64 = 1e6;

impl Effects {
    pub(crate) const NONE: Self = Self {
        users: 1.0,
        job: 0.0,
        cpu: 1.0,
        io: 1.0,
        io_seconds: 0.0,
        cores: 1.0,
        memory: 0.0,
        leak: 0.0,
        workers: 1.0,
        connections: 1.0,
        pods_out: 0.0,
        success: 1.0,
        names: 1.0,
        accepted: 1.0,
        delay: 0.0,
        loss: 0.0,
        reachable: 1.0,
    };

    /// Adds a fault of `kind` at an intensity of 0..=1 (its severity, times how far its ramp has come).
    pub(crate) fn add(&mut self, kind: FaultKind, s: f64, plan: &ServicePlan) {
        match kind {
            FaultKind::PodFailure => self.pods_out = self.pods_out.max(s),
            FaultKind::NetworkDelay => self.delay += s,
            FaultKind::NetworkLoss => self.loss = 1.0 - (1.0 - self.loss) * (1.0 - 0.5 * s),
            FaultKind::NetworkPartition => self.reachable *= 1.0 - s,
            FaultKind::CpuStress => self.cores *= 1.0 - s,
            FaultKind::MemoryStress => self.memory += s,
            FaultKind::MemoryLeak => self.leak += s * plan.memory_mb / 2_400.0,
            FaultKind::IoDelay => self.io_seconds += 0.5 * s,
            FaultKind::DnsError => self.names *= 1.0 - s,
            FaultKind::HttpAbort => self.success *= 1.0 - s,
            FaultKind::BadDeploy => {
                self.success *= 1.0 - 0.3 * s;
                self.cpu *= 1.0 + s;
            }
            FaultKind::TrafficSurge => self.users *= 1.0 + 2.0 * s,
            FaultKind::DependencySlowdown => {
                self.cpu *= 1.0 + 4.0 * s;
                self.io *= 1.0 + 4.0 * s;
            }
            FaultKind::CertificateExpiry => self.accepted *= 1.0 - s,
            FaultKind::ConnectionLeak => self.connections *= 1.0 - s,
            FaultKind::ThreadLeak => self.workers *= 1.0 - s,
            FaultKind::FlashCrowd => self.users *= 1.0 + 0.5 * s,
            FaultKind::BatchJob => self.job += 0.4 * s * plan.nominal,
            FaultKind::NoisyNeighbour => self.cores *= 1.0 - 0.4 * s,
            // These act once: see `strike`.
            FaultKind::PodKill | FaultKind::CacheFlush | FaultKind::Deploy => {}
        }
        // Faults beside each other multiply: hundreds of them on one service would leave the numbers.
        for factor in [&mut self.users, &mut self.cpu, &mut self.io] {
            *factor = factor.min(MOST);
        }
    }
}
