//! How large services must be for the load that reaches them, and how long their clients must wait.

use crate::fleet::{PlannedCall, Service, latency::Latency, math::pow, order};
use std::collections::BTreeMap;

/// The load at which a generated fleet must still be well: the busiest hour of the usual week, with as many users more
/// as come once in some hundred such hours.
const PEAK: f64 = 1.4;
/// Share of a service's workers that may be held at that load.
const WORKERS_HELD: f64 = 0.5;
/// Log-odds of the share of a server's answers for which its clients wait: .999.
const AWAITED: f64 = 6.906_754_778_648_554;
/// Seconds of work that may wait in a pod: what waits longer is given up by its clients.
const QUEUE_SECONDS: f64 = 4.0;

/// Who calls whom, by position.
struct Edges {
    /// Client, server and position of each call, in order.
    edges: Vec<(usize, usize, usize)>,
    /// Clients before their servers, calls within a cycle followed once.
    order: Vec<usize>,
}

impl Edges {
    fn new(services: &[Service], calls: &[PlannedCall]) -> Self {
        let positions: BTreeMap<&str, usize> =
            services.iter().enumerate().map(|(index, service)| (service.name.as_str(), index)).collect();
        let place = |(index, call): (usize, &PlannedCall)| {
            Some((*positions.get(call.client.as_str())?, *positions.get(call.server.as_str())?, index))
        };
        let mut edges: Vec<_> = calls.iter().enumerate().filter_map(place).collect();
        edges.sort_unstable();
        let ends: Vec<_> = edges.iter().map(|&(client, server, _)| (client, server)).collect();
        // Without gains no cycle is endless.
        let order = order::clients_first(services.len(), &ends, &vec![0.0; ends.len()]).unwrap_or_default();
        Self { edges, order }
    }

    /// Server and position of each call of a client.
    fn of(&self, client: usize) -> impl Iterator<Item = (usize, usize)> {
        let from = self.edges.partition_point(|&(other, ..)| other < client);
        let own = self.edges[from..].iter().take_while(move |&&(other, ..)| other == client);
        own.map(|&(_, server, call)| (server, call))
    }

    fn rates(&self, services: &[Service], calls: &[PlannedCall]) -> Vec<f64> {
        let mut rates: Vec<f64> = services.iter().map(|service| service.arrivals_per_second).collect();
        for &client in &self.order {
            for (server, call) in self.of(client) {
                rates[server] += rates[client] * calls_a_request(&calls[call]);
            }
        }
        rates
    }
}

/// Calls of a client's request, its cache warm.
fn calls_a_request(call: &PlannedCall) -> f64 {
    call.probability * f64::from(call.fan_out) * (1.0 - call.cache_hit)
}

/// Requests a second that reach each service at load 1, with warm caches and no retries; services in the order given.
///
/// Calls within a cycle are followed once. Cost: linear in services and calls.
pub(crate) fn nominal_rates(services: &[Service], calls: &[PlannedCall]) -> Vec<f64> {
    Edges::new(services, calls).rates(services, calls)
}

/// Gives each service as many cores as make it `utilisation` busy at load 1; at least a tenth of one for each pod.
pub(crate) fn provision(services: &mut [Service], calls: &[PlannedCall], utilisation: impl Fn(usize) -> f64) {
    let rates = nominal_rates(services, calls);
    for (index, (service, rate)) in services.iter_mut().zip(rates).enumerate() {
        let cores = rate * service.cpu_ms / 1_000.0 / utilisation(index) / f64::from(service.pods);
        // To hundredths, as limits are written.
        service.cores = (cores * 100.0).ceil().max(10.0) / 100.0;
    }
}

/// Raises workers, deadlines and time-outs of calls to what the peak load needs, and cuts queues to what their pods can
/// work off in time.
///
/// Servers come before their clients, so that a time-out covers the whole way below it: a server's own time, its
/// calls, and the time that requests wait in its pods. A graph without cycles is needed. Cost: linear in services and
/// calls.
pub(crate) fn fit_to_peak(services: &mut [Service], calls: &mut [PlannedCall]) {
    let edges = Edges::new(services, calls);
    let rates = edges.rates(services, calls);
    // How each service answers, calls included.
    let mut answers = vec![Latency::new(0.0, 0.0); services.len()];
    for &index in edges.order.iter().rev() {
        let (mut holding, mut holding_variance) = (0.0, 0.0);
        for (server, call) in edges.of(index) {
            let call = &calls[call];
            let (times, mean) = (calls_a_request(call), answers[server].mean + call.network_ms / 1e3);
            holding += times * mean;
            holding_variance += times * (answers[server].variance + (1.0 - call.probability) * mean * mean);
        }
        let service = &mut services[index];
        let (rate, pods) = ((rates[index] * PEAK).max(1e-9), f64::from(service.pods));
        let own = (service.cpu_ms + service.io_ms) / 1e3;
        let hold = own + holding;
        let needed = (rate * hold / (WORKERS_HELD * pods)).ceil();
        service.workers = service.workers.max(needed as u32);
        let by_cores = service.cores / (service.cpu_ms / 1e3);
        service.queue = service.queue.min((QUEUE_SECONDS * by_cores).ceil() as u32);
        let busy = (rate / (by_cores * pods)).min(0.95);
        // As in a station: Sakasegawa's approximation.
        let parallel = f64::from(service.workers).min((by_cores * own).max(1.0));
        let variation2 = service.variation * service.variation;
        let waiting = 0.5 * (1.0 + variation2) * pow(busy, (2.0 * (parallel * pods + 1.0)).sqrt())
            / (1.0 - busy)
            / rate;
        let spread = 0.05 + 2.0 * (1.0 - busy);
        let variance = variation2 * own * own + holding_variance + spread * waiting * waiting;
        answers[index] = Latency::new(hold + waiting, variance);
        let seconds = answers[index].quantile(AWAITED);
        service.deadline_ms = service.deadline_ms.max(in_tenths(seconds));
    }
    for &(_, server, call) in &edges.edges {
        let call = &mut calls[call];
        let needed = in_tenths(answers[server].quantile(AWAITED) + call.network_ms / 1e3);
        call.timeout_ms = call.timeout_ms.max(needed);
    }
}

/// Milliseconds, up to whole tenths of a second, as time-outs are written.
fn in_tenths(seconds: f64) -> f64 {
    100.0 * (10.0 * seconds).ceil()
}
