use crate::ExperimentError;
use forewarn_sim::fleet;
use forewarn_topology::{Call, ServiceGraph};

/// Change of a number of requests, as a share of it, that is not worth another sweep over a cycle.
const SETTLED: f64 = 1e-12;
/// Calls that may be followed within one cycle before its requests are taken not to settle.
const MOST_FOLLOWED: usize = 100_000_000;

/// Who calls whom in a simulated fleet, with the requests of each call for one request at each entry service: what
/// tracing such a fleet would show. Entry services are those with requests from outside, and those that no other
/// calls.
///
/// Cost: linear in services and calls, but for cycles, which are followed until their requests settle.
///
/// # Errors
/// [`ExperimentError::EndlessCalls`] for a cycle of calls that nearly sets itself off again, so that its requests
/// cannot be counted.
pub fn fleet_graph(fleet: &fleet::Blueprint) -> Result<ServiceGraph, ExperimentError> {
    let requests = requests(fleet, MOST_FOLLOWED)?;
    let traced = fleet.calls().iter().zip(fleet.ends()).map(|(call, &(client, _))| {
        Call::new(&call.client, &call.server).with_requests(requests[client] * each(call))
    });
    let names = fleet.services().iter().map(|service| service.name.as_str());
    Ok(ServiceGraph::with_services(names, traced)?)
}

/// Requests of a call for one request that its client serves.
fn each(call: &fleet::PlannedCall) -> f64 {
    call.probability * f64::from(call.fan_out) * (1.0 - call.cache_hit)
}

/// Requests that reach each service for one request at each entry service; `most_followed` calls at most are followed
/// within one cycle.
fn requests(fleet: &fleet::Blueprint, most_followed: usize) -> Result<Vec<f64>, ExperimentError> {
    let services = fleet.services().len();
    let (mut servers, mut clients) = (vec![Vec::new(); services], vec![Vec::new(); services]);
    for (call, &(client, server)) in fleet.calls().iter().zip(fleet.ends()) {
        servers[client].push(server);
        clients[server].push((client, each(call)));
    }
    let from_outside: Vec<f64> = fleet
        .services()
        .iter()
        .zip(&clients)
        .map(|(service, clients)| {
            let is_entry = service.arrivals_per_second > 0.0 || clients.is_empty();
            if is_entry { 1.0 } else { 0.0 }
        })
        .collect();
    let callers: Vec<Vec<usize>> =
        clients.iter().map(|calls| calls.iter().map(|&(client, _)| client).collect()).collect();
    let mut requests = vec![0.0; services];
    for group in groups_clients_first(&servers, &callers) {
        // Gauss and Seidel's method: a service outside of cycles has its number after one sweep.
        let calls: usize = group.iter().map(|&service| clients[service].len()).sum();
        let sweeps = if group.len() == 1 { 1 } else { (most_followed / calls.max(1)).max(1) };
        let mut is_settled = group.len() == 1;
        for _ in 0..sweeps {
            let mut largest = 0.0_f64;
            for &service in &group {
                let called: f64 =
                    clients[service].iter().map(|&(client, each)| requests[client] * each).sum();
                let now = from_outside[service] + called;
                largest = largest.max((now - requests[service]).abs() / now.max(f64::MIN_POSITIVE));
                requests[service] = now;
            }
            if largest <= SETTLED {
                is_settled = true;
                break;
            }
        }
        if !is_settled {
            let name = |&service: &usize| fleet.services()[service].name.clone();
            return Err(ExperimentError::EndlessCalls { services: group.iter().map(name).collect() });
        }
    }
    Ok(requests)
}

/// Groups of services that reach one another, each group before those that it calls, by Kosaraju's algorithm without
/// recursion. Within a group clients come before servers, but where a cycle is closed.
fn groups_clients_first(servers: &[Vec<usize>], clients: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut order = Vec::with_capacity(servers.len());
    let mut is_seen = vec![false; servers.len()];
    for start in 0..servers.len() {
        depth_first(start, servers, &mut is_seen, &mut order);
    }
    let mut position = vec![0; servers.len()];
    for (index, &service) in order.iter().rev().enumerate() {
        position[service] = index;
    }
    is_seen.fill(false);
    let mut groups = Vec::new();
    for &start in order.iter().rev() {
        let mut group = Vec::new();
        depth_first(start, clients, &mut is_seen, &mut group);
        if !group.is_empty() {
            group.sort_unstable_by_key(|&service| position[service]);
            groups.push(group);
        }
    }
    groups
}

/// Services that `start` reaches and that were not seen before, each after all that it reaches.
fn depth_first(start: usize, next: &[Vec<usize>], is_seen: &mut [bool], done: &mut Vec<usize>) {
    if std::mem::replace(&mut is_seen[start], true) {
        return;
    }
    let mut path = vec![(start, 0)];
    while let Some((service, taken)) = path.last_mut() {
        match next[*service].get(*taken) {
            Some(&follower) => {
                *taken += 1;
                if !std::mem::replace(&mut is_seen[follower], true) {
                    path.push((follower, 0));
                }
            }
            None => {
                done.push(*service);
                path.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_sim::fleet::Service;

    /// A graph of `services` services, of which those named have requests from outside, and calls with their
    /// probabilities.
    fn fleet(services: usize, entries: &[usize], calls: &[(usize, usize, f64)]) -> fleet::Blueprint {
        let name = |index: usize| format!("s{index:05}");
        let service = |index| Service {
            arrivals_per_second: if entries.contains(&index) { 10.0 } else { 0.0 },
            ..Service::new(name(index))
        };
        let call = |&(client, server, probability): &(usize, usize, f64)| fleet::PlannedCall {
            probability,
            ..fleet::PlannedCall::new(name(client), name(server))
        };
        fleet::Blueprint::new((0..services).map(service).collect(), calls.iter().map(call).collect()).unwrap()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-9 * expected.max(1.0), "{found} {expected}");
        }
    }

    #[test]
    fn ways_that_meet_add_up() {
        let graph = fleet(4, &[0], &[(0, 1, 1.0), (0, 2, 0.5), (1, 3, 1.0), (2, 3, 0.2)]);
        assert_close(&requests(&graph, MOST_FOLLOWED).unwrap(), &[1.0, 1.0, 0.5, 1.1]);
        let traced = fleet_graph(&graph).unwrap();
        assert!((traced.traffic(2, 3).unwrap().requests - 0.1).abs() < 1e-12);
    }

    /// 1 is called once by 0 and 0.3 times for each of its own: 1 / (1 - 0.3). Stopping after as many sweeps as there
    /// are services is 1.39.
    #[test]
    fn a_cycle_is_followed_to_its_end() {
        let graph = fleet(3, &[0], &[(0, 1, 1.0), (1, 2, 1.0), (2, 1, 0.3)]);
        let loops = 1.0 / 0.7;
        assert_close(&requests(&graph, MOST_FOLLOWED).unwrap(), &[1.0, loops, loops]);
        // Slow to settle, and what lies behind the cycle sees all of it.
        let graph = fleet(4, &[0], &[(0, 1, 1.0), (1, 2, 1.0), (2, 1, 0.999), (2, 3, 0.5)]);
        assert_close(&requests(&graph, MOST_FOLLOWED).unwrap(), &[1.0, 1000.0, 1000.0, 500.0]);
    }

    /// No service is without a client: the one that has requests from outside is the entry all the same.
    #[test]
    fn an_entry_may_lie_on_a_cycle() {
        let graph = fleet(2, &[0], &[(0, 1, 0.5), (1, 0, 0.5)]);
        assert_close(&requests(&graph, MOST_FOLLOWED).unwrap(), &[1.0 / 0.75, 0.5 / 0.75]);
    }

    /// In order of name each service is called by the next one: sweeps over all services in that order would take
    /// 20,000 of them.
    #[test]
    fn a_long_chain_takes_one_pass() {
        const SERVICES: usize = 20_000;
        let calls: Vec<_> = (1..SERVICES).map(|client| (client, client - 1, 1.0)).collect();
        let graph = fleet(SERVICES, &[SERVICES - 1], &calls);
        assert_close(&requests(&graph, MOST_FOLLOWED).unwrap(), &vec![1.0; SERVICES]);
        let (mut servers, mut clients) = (vec![Vec::new(); SERVICES], vec![Vec::new(); SERVICES]);
        for &(client, server) in graph.ends() {
            servers[client].push(server);
            clients[server].push(client);
        }
        let groups = groups_clients_first(&servers, &clients);
        let expected: Vec<_> = (0..SERVICES).rev().map(|service| vec![service]).collect();
        assert!(groups == expected, "each service once, clients first");
    }

    #[test]
    fn a_cycle_whose_requests_do_not_settle_is_refused_by_name() {
        let graph = fleet(3, &[0], &[(0, 1, 1.0), (1, 2, 1.0), (2, 1, 0.999)]);
        let error = requests(&graph, 300).unwrap_err().to_string();
        assert!(error.contains("s00001, s00002"), "{error}");
    }
}
