use crate::ExperimentError;
use forewarn_sim::fleet;
use forewarn_topology::{Call, ServiceGraph};

/// Who calls whom in a simulated fleet, with the requests of each call for one request at each entry service: what tracing such a fleet
/// would show.
///
/// # Errors
/// None for a fleet that can be simulated: its graph is checked when it is made.
pub fn fleet_graph(fleet: &fleet::Blueprint) -> Result<ServiceGraph, ExperimentError> {
    let calls = fleet.calls();
    let each =
        |call: &fleet::PlannedCall| call.probability * f64::from(call.fan_out) * (1.0 - call.cache_hit);
    // Requests that reach a service along ways of at most so many calls: a fleet's graph has no cycle, so they end.
    let mut requests = vec![0.0; fleet.services().len()];
    for _ in fleet.services() {
        let mut next: Vec<f64> = (0..requests.len())
            .map(|service| if fleet.ends().iter().any(|&(_, server)| server == service) { 0.0 } else { 1.0 })
            .collect();
        for (call, &(client, server)) in calls.iter().zip(fleet.ends()) {
            next[server] += requests[client] * each(call);
        }
        if next == requests {
            break;
        }
        requests = next;
    }
    let traced = calls.iter().zip(fleet.ends()).map(|(call, &(client, _))| {
        Call::new(&call.client, &call.server).requests(requests[client] * each(call))
    });
    let names = fleet.services().iter().map(|service| service.name.as_str());
    Ok(ServiceGraph::with_services(names, traced)?)
}
