use super::{
    Blueprint, Need, PlannedCall, Service, load::Load, math::ln, provision::nominal_rates,
    schedule::Arrivals, schedule::FaultSchedule,
};
use std::ops::Range;

/// Seconds of a tick, the step in which the state moves.
pub(super) const TICK_SECONDS: f64 = 5.0;
/// Ticks of a minute, the step in which metrics are measured.
pub(super) const TICKS: u64 = 12;

/// A graph in the numbers that a tick needs. Nothing in it changes while the simulation runs.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) blueprint: Blueprint,
    pub(super) load: Load,
    pub(super) arrivals: Arrivals,
    pub(super) services: Vec<ServicePlan>,
    /// In the order of the graph: those of one client lie together.
    pub(super) calls: Vec<CallPlan>,
    /// Positions of services with requests from outside.
    pub(super) entries: Vec<usize>,
    pub(super) pods: usize,
    pub(super) on_call_minutes: Option<f64>,
}

#[derive(Clone, Debug)]
pub(super) struct ServicePlan {
    pub(super) arrivals: f64,
    /// Requests a second at load 1, from everywhere.
    pub(super) nominal: f64,
    pub(super) pods: Range<usize>,
    pub(super) calls: Range<usize>,
    pub(super) workers: f64,
    pub(super) cores: f64,
    pub(super) cpu_seconds: f64,
    pub(super) io_seconds: f64,
    pub(super) variation2: f64,
    pub(super) exponent: f64,
    pub(super) burst: f64,
    pub(super) queue: f64,
    pub(super) deadline: f64,
    pub(super) ln_deadline: f64,
    pub(super) error_rate: f64,
    pub(super) memory_mb: f64,
    pub(super) resident_mb: f64,
    pub(super) cache_mb: f64,
    pub(super) request_mb: f64,
    pub(super) garbage: f64,
    pub(super) start_seconds: f64,
    /// Share of what is missing that a pod warms up in a tick.
    pub(super) warming: f64,
    pub(super) cold_factor: f64,
    pub(super) request_kb: f64,
    pub(super) response_kb: f64,
}

#[derive(Clone, Debug)]
pub(super) struct CallPlan {
    pub(super) server: usize,
    pub(super) probability: f64,
    pub(super) fan_out: u32,
    pub(super) cache_hit: f64,
    pub(super) timeout: f64,
    /// Logarithm of the time-out less the network's time.
    pub(super) ln_patience: f64,
    pub(super) network: f64,
    pub(super) pool: f64,
    pub(super) is_required: bool,
    pub(super) retries: u32,
    pub(super) backoff: f64,
    pub(super) budget: f64,
    /// Share that opens the breaker, and ticks for which it stays open.
    pub(super) breaker: Option<(f64, u32)>,
}

impl Plan {
    pub(super) fn new(
        blueprint: Blueprint,
        load: Load,
        schedule: &FaultSchedule,
        on_call_minutes: Option<f64>,
    ) -> Self {
        let rates = nominal_rates(blueprint.services(), blueprint.calls());
        let mut services = Vec::with_capacity(rates.len());
        let (mut pods, mut call) = (0, 0);
        for (index, (service, &rate)) in blueprint.services().iter().zip(&rates).enumerate() {
            let calls = call..call
                + blueprint.ends()[call..].iter().take_while(|(client, _)| *client == index).count();
            call = calls.end;
            services.push(ServicePlan::new(service, rate, pods..pods + service.pods as usize, calls));
            pods += service.pods as usize;
        }
        let calls = blueprint
            .calls()
            .iter()
            .zip(blueprint.ends())
            .map(|(call, &(_, server))| CallPlan::new(call, server))
            .collect();
        let entries = (0..services.len()).filter(|&index| services[index].arrivals > 0.0).collect();
        let arrivals = Arrivals::new(schedule, &blueprint);
        Self { blueprint, load, arrivals, services, calls, entries, pods, on_call_minutes }
    }
}

impl ServicePlan {
    fn new(service: &Service, nominal: f64, pods: Range<usize>, calls: Range<usize>) -> Self {
        let (cpu_seconds, io_seconds) = (service.cpu_ms / 1e3, service.io_ms / 1e3);
        let crew = f64::from(service.pods);
        // Requests that are worked on side by side: as many as there are workers, unless cores run out before.
        let parallel = f64::from(service.workers)
            .min((service.cores * (cpu_seconds + io_seconds) / cpu_seconds).max(1.0));
        let variation2 = service.variation * service.variation;
        Self {
            arrivals: service.arrivals_per_second,
            nominal,
            pods,
            calls,
            workers: f64::from(service.workers),
            cores: service.cores,
            cpu_seconds,
            io_seconds,
            variation2,
            exponent: (2.0 * (parallel * crew + 1.0)).sqrt(),
            burst: 0.5 * (1.0 + variation2),
            queue: f64::from(service.queue),
            deadline: service.deadline_ms / 1e3,
            ln_deadline: ln(service.deadline_ms / 1e3),
            error_rate: service.error_rate,
            memory_mb: service.memory_mb,
            resident_mb: service.resident_mb,
            cache_mb: service.cache_mb,
            request_mb: service.request_mb,
            garbage: service.garbage,
            start_seconds: service.start_seconds,
            warming: 1.0 - super::math::exp(-TICK_SECONDS / service.warm_up_seconds),
            cold_factor: service.cold_factor,
            request_kb: service.request_kb,
            response_kb: service.response_kb,
        }
    }
}

impl CallPlan {
    pub(super) fn new(call: &PlannedCall, server: usize) -> Self {
        let (timeout, network) = (call.timeout_ms / 1e3, call.network_ms / 1e3);
        Self {
            server,
            probability: call.probability,
            fan_out: call.fan_out,
            cache_hit: call.cache_hit,
            timeout,
            ln_patience: ln((timeout - network).max(1e-4)),
            network,
            pool: f64::from(call.pool),
            is_required: call.need == Need::Required,
            retries: call.retry.map_or(0, |retry| retry.attempts),
            backoff: call.retry.map_or(0.0, |retry| retry.backoff_ms / 1e3),
            budget: call.retry.and_then(|retry| retry.budget).unwrap_or(f64::INFINITY),
            breaker: call.breaker.map(|breaker| {
                (breaker.failing, (breaker.open_seconds / TICK_SECONDS).ceil().max(1.0) as u32)
            }),
        }
    }

    /// Calls of each request of a client whose cache is so warm.
    pub(super) fn calls_a_request(&self, warmth: f64) -> f64 {
        self.probability * f64::from(self.fan_out) * (1.0 - self.cache_hit * warmth)
    }
}
