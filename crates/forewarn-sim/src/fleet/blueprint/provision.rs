//! How large services must be for the load that reaches them.

use crate::fleet::{PlannedCall, Service, order};
use std::collections::BTreeMap;

/// Requests a second that reach each service at load 1, with warm caches and no retries; services in the order given.
///
/// Calls within a cycle are followed once. Cost: linear in services and calls.
pub(crate) fn nominal_rates(services: &[Service], calls: &[PlannedCall]) -> Vec<f64> {
    let positions: BTreeMap<&str, usize> =
        services.iter().enumerate().map(|(index, service)| (service.name.as_str(), index)).collect();
    let mut edges: Vec<((usize, usize), f64)> = calls
        .iter()
        .filter_map(|call| {
            let ends = (*positions.get(call.client.as_str())?, *positions.get(call.server.as_str())?);
            Some((ends, call.probability * f64::from(call.fan_out) * (1.0 - call.cache_hit)))
        })
        .collect();
    edges.sort_by_key(|&(ends, _)| ends);
    let (ends, gains): (Vec<_>, Vec<_>) = edges.into_iter().unzip();
    let mut rates: Vec<f64> = services.iter().map(|service| service.arrivals_per_second).collect();
    // Without gains no cycle is endless.
    let order = order::clients_first(services.len(), &ends, &vec![0.0; ends.len()]).unwrap_or_default();
    for client in order {
        let from = ends.partition_point(|&(other, _)| other < client);
        for (&(_, server), gain) in
            ends[from..].iter().zip(&gains[from..]).take_while(|((other, _), _)| *other == client)
        {
            rates[server] += rates[client] * gain;
        }
    }
    rates
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
