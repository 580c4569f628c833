use crate::fleet::{
    Blueprint, Need, PlannedCall, Service, load::Load, math::ln, provision::nominal_rates,
    schedule::Arrivals, schedule::FaultSchedule,
};
use std::ops::Range;

/// Seconds of a tick, the step in which the state moves.
pub(crate) const TICK_SECONDS: f64 = 5.0;
/// Ticks of a minute, the step in which metrics are measured.
pub(crate) const TICKS: u64 = 12;

/// A graph in the numbers that a tick needs. Nothing in it changes while the simulation runs.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) blueprint: Blueprint,
    pub(crate) load: Load,
    pub(crate) arrivals: Arrivals,
    pub(crate) services: Vec<ServicePlan>,
    /// In the order of the graph: those of one client lie together.
    pub(crate) calls: Vec<CallPlan>,
    /// Positions of services with requests from outside.
    pub(crate) entries: Vec<usize>,
    pub(crate) pods: usize,
    pub(crate) on_call_minutes: Option<f64>,
}

#[derive(Clone, Debug)]
pub(crate) struct ServicePlan {
    pub(crate) arrivals: f64,
    /// Requests a second at load 1, from everywhere.
    pub(crate) nominal: f64,
    pub(crate) pods: Range<usize>,
    pub(crate) calls: Range<usize>,
    pub(crate) workers: f64,
    pub(crate) cores: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) io_seconds: f64,
    pub(crate) variation2: f64,
    pub(crate) exponent: f64,
    pub(crate) burst: f64,
    pub(crate) queue: f64,
    pub(crate) deadline: f64,
    pub(crate) ln_deadline: f64,
    pub(crate) error_rate: f64,
    pub(crate) memory_mb: f64,
    pub(crate) resident_mb: f64,
    pub(crate) cache_mb: f64,
    pub(crate) request_mb: f64,
    pub(crate) garbage: f64,
    pub(crate) start_seconds: f64,
    /// Share of what is missing that a pod warms up in a tick.
    pub(crate) warming: f64,
    pub(crate) cold_factor: f64,
    pub(crate) request_kb: f64,
    pub(crate) response_kb: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct CallPlan {
    pub(crate) server: usize,
    pub(crate) probability: f64,
    pub(crate) fan_out: u32,
    pub(crate) cache_hit: f64,
    pub(crate) timeout: f64,
    /// Logarithm of the time-out less the network's time.
    pub(crate) ln_patience: f64,
    pub(crate) network: f64,
    pub(crate) pool: f64,
    pub(crate) is_required: bool,
    pub(crate) retries: u32,
    pub(crate) backoff: f64,
    pub(crate) budget: f64,
    /// Share that opens the breaker, and ticks for which it stays open.
    pub(crate) breaker: Option<(f64, u32)>,
}

impl Plan {
    pub(crate) fn new(
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
            warming: 1.0 - crate::fleet::math::exp(-TICK_SECONDS / service.warm_up_seconds),
            cold_factor: service.cold_factor,
            request_kb: service.request_kb,
            response_kb: service.response_kb,
        }
    }
}

impl CallPlan {
    pub(crate) fn new(call: &PlannedCall, server: usize) -> Self {
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
    pub(crate) fn calls_a_request(&self, warmth: f64) -> f64 {
        self.probability * f64::from(self.fan_out) * (1.0 - self.cache_hit * warmth)
    }
}
