mod components;
pub(crate) mod edge_columns;
pub(crate) mod edge_list;
pub(crate) mod file;
mod foreign;
pub(crate) mod learn;
pub(crate) mod names;
pub(crate) mod strengths;

use crate::{TopologyError, error::refuse_unless};
pub(crate) use components::Components;
use petgraph::graph::{DiGraph, NodeIndex};
use serde::Serialize;
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// One service calls another: an edge of the service graph, as lists and files have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Who calls.
    pub client: String,
    /// Who is called.
    pub server: String,
    /// How much passes between them, and how well.
    pub traffic: Traffic,
}

impl Call {
    /// A call of which nothing else is known.
    pub fn new(client: impl Into<String>, server: impl Into<String>) -> Self {
        Self { client: client.into(), server: server.into(), traffic: Traffic::default() }
    }

    /// The same with this number of requests.
    #[must_use]
    pub fn with_requests(mut self, requests: f64) -> Self {
        self.traffic.requests = requests;
        self
    }

    /// The same with this number of failed requests.
    #[must_use]
    pub fn with_failures(mut self, failures: f64) -> Self {
        self.traffic.failures = Some(failures);
        self
    }

    /// The same with this probability that a failure of the server brings the client down.
    #[must_use]
    pub fn with_strength(mut self, strength: f64) -> Self {
        self.traffic.strength = Some(strength);
        self
    }
}

/// What passes along a call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Traffic {
    /// Requests. Over which time does not matter: only ratios between calls count. 1 where nothing else is said.
    pub requests: f64,
    /// How many of them failed, as the client sees it.
    pub failures: Option<f64>,
    /// Mean latency of a request as the client sees it, in milliseconds.
    pub latency_millis: Option<f64>,
    /// Probability that a failure of the server brings the client down.
    pub strength: Option<f64>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self { requests: 1.0, failures: None, latency_millis: None, strength: None }
    }
}

impl Traffic {
    fn check(&self) -> Result<(), TopologyError> {
        let amount = |value: f64| (0.0..f64::INFINITY).contains(&value);
        refuse_unless(amount(self.requests), "requests", self.requests, "a finite number, 0 or more")?;
        if let Some(failures) = self.failures {
            let within = amount(failures) && failures <= self.requests;
            refuse_unless(within, "failures", failures, "0 to the number of requests")?;
        }
        if let Some(latency) = self.latency_millis {
            refuse_unless(amount(latency), "latency_millis", latency, "a finite number, 0 or more")?;
        }
        if let Some(strength) = self.strength {
            crate::error::probability("strength", strength)?;
        }
        Ok(())
    }
}

/// Which service calls which: any directed graph without self-loops and parallel edges, cycles included.
///
/// Services are in order of their names and calls in order of client and server, whatever the order in which they
/// were given. Wherever this crate speaks of a service as a number, that is its position in this order; lists of
/// scores have one entry for each service.
///
/// A handle: cloning it copies nothing.
#[derive(Clone, Debug)]
pub struct ServiceGraph(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    graph: DiGraph<String, Traffic>,
    /// Of each service: the numbers of the calls that it makes are `out[service]..out[service + 1]`, because calls
    /// are sorted by client.
    out: Vec<u32>,
    /// Of each service: where in `into` the calls are that it takes.
    into_at: Vec<u32>,
    into: Vec<u32>,
    ends: Vec<[u32; 2]>,
    excess_failures: f64,
}

impl ServiceGraph {
    /// The graph of these calls; its services are those that call or are called.
    ///
    /// Linear in services and calls but for sorting them.
    ///
    /// # Errors
    /// [`TopologyError::At`] with the call's place (`call 3`, from 1), and in it [`TopologyError::EmptyName`],
    /// [`TopologyError::SelfCall`], [`TopologyError::DuplicateCall`], or [`TopologyError::InvalidNumber`] for
    /// negative requests, more failures than requests, or a strength outside 0..=1.
    pub fn new(calls: impl IntoIterator<Item = Call>) -> Result<Self, TopologyError> {
        let placed = calls.into_iter().enumerate().map(|(index, call)| (format!("call {}", index + 1), call));
        Self::build(Vec::new(), Services::AsCalled, placed)
    }

    /// The graph of these services and the calls between them. Services without a call stand alone.
    ///
    /// # Errors
    /// As [`new`](Self::new), [`TopologyError::DuplicateService`], and [`TopologyError::UnknownService`] for a call
    /// of or to a service that is not in the list.
    pub fn with_services(
        services: impl IntoIterator<Item = impl Into<String>>,
        calls: impl IntoIterator<Item = Call>,
    ) -> Result<Self, TopologyError> {
        let services = services.into_iter().enumerate();
        let services = services.map(|(index, name)| (format!("service {}", index + 1), name.into()));
        let placed = calls.into_iter().enumerate().map(|(index, call)| (format!("call {}", index + 1), call));
        Self::build(services.collect(), Services::Listed, placed)
    }

    /// Puts a graph together; every service and call comes with its place, for errors.
    pub(crate) fn build(
        listed: Vec<(String, String)>,
        services: Services,
        calls: impl IntoIterator<Item = (String, Call)>,
    ) -> Result<Self, TopologyError> {
        let mut names: BTreeMap<String, u32> = BTreeMap::new();
        for (place, name) in listed {
            if name.trim().is_empty() {
                return Err(TopologyError::EmptyName.at(place));
            }
            if names.contains_key(&name) {
                return Err(TopologyError::DuplicateService { service: name }.at(place));
            }
            names.insert(name, 0);
        }
        let mut between: BTreeMap<(String, String), Traffic> = BTreeMap::new();
        for (place, call) in calls {
            add_call(&mut names, &mut between, services, call).map_err(|error| error.at(place))?;
        }
        let mut graph = DiGraph::with_capacity(names.len(), between.len());
        for (name, number) in &mut names {
            *number = graph.add_node(name.clone()).index() as u32;
        }
        let (mut out, mut into_at) = (vec![0u32; names.len() + 1], vec![0u32; names.len() + 1]);
        let mut ends = Vec::with_capacity(between.len());
        for ((client, server), traffic) in &between {
            let (client, server) = (names[client], names[server]);
            graph.add_edge(NodeIndex::from(client), NodeIndex::from(server), *traffic);
            out[client as usize + 1] += 1;
            into_at[server as usize + 1] += 1;
            ends.push([client, server]);
        }
        for service in 0..names.len() {
            out[service + 1] += out[service];
            into_at[service + 1] += into_at[service];
        }
        let (mut next, mut into) = (into_at.clone(), vec![0; ends.len()]);
        for (call, [_, server]) in ends.iter().enumerate() {
            into[next[*server as usize] as usize] = call as u32;
            next[*server as usize] += 1;
        }
        Ok(Self(Arc::new(Parts { graph, out, into_at, into, ends, excess_failures: 0.0 })))
    }

    /// The same, made of samples with this many failures beyond the requests of their calls.
    pub(crate) fn with_excess_failures(mut self, excess: f64) -> Self {
        if let Some(parts) = Arc::get_mut(&mut self.0) {
            parts.excess_failures = excess;
        }
        self
    }

    /// Failures beyond the requests of their calls in the samples that the graph was read from
    /// ([`CallSamples::excess_failures`](crate::CallSamples::excess_failures)); the graph has as many failures as
    /// requests there. 0 for a graph from anything else.
    #[must_use]
    pub fn excess_failures(&self) -> f64 {
        self.0.excess_failures
    }

    /// Number of services.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.graph.node_count()
    }

    /// Whether there is no service.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The services' names, in order.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.graph.raw_nodes().iter().map(|node| node.weight.as_str())
    }

    /// The name of a service, by its number.
    #[must_use]
    pub fn name(&self, service: usize) -> Option<&str> {
        self.0.graph.node_weight(NodeIndex::new(service)).map(String::as_str)
    }

    /// The number of the service called `name`.
    ///
    /// # Errors
    /// [`TopologyError::UnknownService`], which lists what there is.
    pub fn index_of(&self, name: &str) -> Result<usize, TopologyError> {
        self.find(name).ok_or_else(|| TopologyError::UnknownService {
            service: name.to_owned(),
            available: self.services().map(str::to_owned).collect(),
        })
    }

    /// The number of the service called `name`, if it is in the graph. Logarithmic.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        // Nodes were added in order of their names.
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.0.graph[NodeIndex::new(middle)].as_str().cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Number of calls.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.0.ends.len()
    }

    /// The calls in order, as numbers of client and server, with their traffic.
    pub fn edges(&self) -> impl ExactSizeIterator<Item = (usize, usize, &Traffic)> {
        let ends = self.0.ends.iter().map(|&[client, server]| (client as usize, server as usize));
        ends.zip(self.0.graph.raw_edges()).map(|((client, server), edge)| (client, server, &edge.weight))
    }

    /// The traffic of a call.
    ///
    /// # Errors
    /// [`TopologyError::UnknownCall`] where `client` does not call `server`.
    pub fn traffic(&self, client: usize, server: usize) -> Result<&Traffic, TopologyError> {
        Ok(&self.0.graph.raw_edges()[self.call_between(client, server)?].weight)
    }

    /// The services that `client` calls, with the traffic; none for a number that is no service.
    pub fn servers_of(&self, client: usize) -> impl ExactSizeIterator<Item = (usize, &Traffic)> {
        let calls = self.calls_by(client);
        calls.map(|call| (self.0.ends[call][1] as usize, &self.0.graph.raw_edges()[call].weight))
    }

    /// The services that call `server`, with the traffic; none for a number that is no service.
    pub fn clients_of(&self, server: usize) -> impl ExactSizeIterator<Item = (usize, &Traffic)> {
        let calls = self.calls_to(server).iter();
        calls.map(|&call| {
            (self.0.ends[call as usize][0] as usize, &self.0.graph.raw_edges()[call as usize].weight)
        })
    }

    /// The graph itself, for petgraph's algorithms. Node and edge indices are the numbers of services and calls.
    #[must_use]
    pub fn petgraph(&self) -> &DiGraph<String, Traffic> {
        &self.0.graph
    }

    /// The calls in order, as they are written to files.
    pub fn to_calls(&self) -> impl Iterator<Item = Call> + '_ {
        let name = |service: usize| self.0.graph[NodeIndex::new(service)].clone();
        self.edges().map(move |(client, server, traffic)| Call {
            client: name(client),
            server: name(server),
            traffic: *traffic,
        })
    }

    /// Share of the requests to a service that failed as its clients saw it; NaN for a service with no call whose
    /// failures are known.
    #[must_use]
    pub fn observed_error_rates(&self) -> Vec<f64> {
        self.over_clients(|traffic| traffic.failures.map(|failures| (failures, traffic.requests)))
    }

    /// Mean latency of a service as its clients saw it, in milliseconds; NaN for a service with no call whose latency
    /// is known.
    #[must_use]
    pub fn observed_latencies_millis(&self) -> Vec<f64> {
        self.over_clients(|traffic| {
            let latency = traffic.latency_millis?;
            Some((latency * traffic.requests, traffic.requests))
        })
    }

    fn over_clients(&self, part: impl Fn(&Traffic) -> Option<(f64, f64)>) -> Vec<f64> {
        let ratio = |server| {
            let parts = self.clients_of(server).filter_map(|(_, traffic)| part(traffic));
            let (sum, requests) = parts.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
            if requests > 0.0 { sum / requests } else { f64::NAN }
        };
        (0..self.len()).map(ratio).collect()
    }

    /// Numbers of the calls that a service makes.
    pub(crate) fn calls_by(&self, client: usize) -> Range<usize> {
        match (self.0.out.get(client), self.0.out.get(client + 1)) {
            (Some(&from), Some(&to)) => from as usize..to as usize,
            _ => 0..0,
        }
    }

    /// Numbers of the calls that a service takes.
    pub(crate) fn calls_to(&self, server: usize) -> &[u32] {
        match (self.0.into_at.get(server), self.0.into_at.get(server + 1)) {
            (Some(&from), Some(&to)) => &self.0.into[from as usize..to as usize],
            _ => &[],
        }
    }

    /// The same graph with other strengths, one for each call.
    pub(crate) fn with_strengths(&self, strengths: &[f64]) -> Self {
        let Parts { graph, out, into_at, into, ends, excess_failures } = &*self.0;
        let mut graph = graph.clone();
        for (traffic, &strength) in graph.edge_weights_mut().zip(strengths) {
            traffic.strength = Some(strength);
        }
        let (out, into_at, into, ends) = (out.clone(), into_at.clone(), into.clone(), ends.clone());
        let excess_failures = *excess_failures;
        Self(Arc::new(Parts { graph, out, into_at, into, ends, excess_failures }))
    }

    /// Client and server of a call.
    pub(crate) fn ends(&self, call: usize) -> [usize; 2] {
        self.0.ends[call].map(|service| service as usize)
    }

    /// The number of a call.
    pub(crate) fn call_between(&self, client: usize, server: usize) -> Result<usize, TopologyError> {
        let name = |service| self.name(service).map_or_else(|| format!("service {service}"), str::to_owned);
        self.calls_by(client)
            .find(|&call| self.0.ends[call][1] as usize == server)
            .ok_or_else(|| TopologyError::UnknownCall { client: name(client), server: name(server) })
    }

    /// Share of a client's requests that each of its calls makes up, by number of call; equal shares for a client
    /// whose calls all have no requests.
    pub(crate) fn shares(&self) -> Vec<f64> {
        let mut shares: Vec<f64> = self.edges().map(|(_, _, traffic)| traffic.requests).collect();
        for client in 0..self.len() {
            let shares = &mut shares[self.calls_by(client)];
            let (sum, count) = (shares.iter().sum::<f64>(), shares.len() as f64);
            shares.iter_mut().for_each(|share| *share = if sum > 0.0 { *share / sum } else { 1.0 / count });
        }
        shares
    }

    /// Its services, servers before their clients.
    pub(crate) fn servers_first(&self) -> Components {
        // Not Tarjan's algorithm, which recurses as deep as the graph.
        let components = petgraph::algo::kosaraju_scc(&self.0.graph);
        let (mut order, mut begins) = (Vec::with_capacity(self.len()), Vec::with_capacity(components.len()));
        for component in components {
            begins.push(order.len());
            order.extend(component.into_iter().map(NodeIndex::index));
        }
        Components { order, begins }
    }

    /// The entry services: those without a client, and all services of a cycle without a client outside of it.
    #[must_use]
    pub fn entries(&self) -> Vec<usize> {
        let component = self.servers_first().numbers();
        // There are no more components than services.
        let mut called = vec![false; self.len()];
        for &[client, server] in &self.0.ends {
            let (client, server) = (component[client as usize], component[server as usize]);
            called[server] |= client != server;
        }
        (0..self.len()).filter(|&service| !called[component[service]]).collect()
    }
}

/// Where a graph's services come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Services {
    /// From a list: a call of or to another one is an error.
    Listed,
    /// From a list that calls may add to.
    AsCalled,
}

fn add_call(
    names: &mut BTreeMap<String, u32>,
    between: &mut BTreeMap<(String, String), Traffic>,
    services: Services,
    call: Call,
) -> Result<(), TopologyError> {
    let Call { client, server, traffic } = call;
    for name in [&client, &server] {
        if name.trim().is_empty() {
            return Err(TopologyError::EmptyName);
        }
        if services == Services::Listed && !names.contains_key(name) {
            let available = names.keys().cloned().collect();
            return Err(TopologyError::UnknownService { service: name.clone(), available });
        }
    }
    if client == server {
        return Err(TopologyError::SelfCall { service: client });
    }
    traffic.check()?;
    for name in [&client, &server] {
        if !names.contains_key(name) {
            names.insert(name.clone(), 0);
        }
    }
    match between.entry((client, server)) {
        std::collections::btree_map::Entry::Occupied(taken) => {
            let (client, server) = taken.key().clone();
            Err(TopologyError::DuplicateCall { client, server })
        }
        std::collections::btree_map::Entry::Vacant(free) => {
            free.insert(traffic);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
