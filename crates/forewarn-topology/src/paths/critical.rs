use crate::{
    ServiceGraph, TopologyError,
    error::{refuse_unless, same_length},
    paths::amplification::calls_per_request,
};
use serde::Serialize;

/// What the latency of a service includes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LatencyKind {
    /// The time in which it waits for its servers too: what a service, or its client, measures of a request.
    #[default]
    Inclusive,
    /// Its own work alone, as tracing tools' "self time".
    Exclusive,
}

/// The path of calls that determines the end-to-end latency, and what each service contributes.
///
/// The wait of a client for a server is the server's latency times the calls that a request makes to it. Servers of
/// one client are taken to be called side by side, so the longest wait decides: a client that calls them one after
/// another waits for all of them, and its own share is then too large. Tools that read traces, such as CRISP, know the
/// order of calls and give another path there; a service graph does not hold it.
///
/// - With [`LatencyKind::Inclusive`] latencies the path follows the longest wait; the share of the wait in the
///   client's latency (no more than all of it) goes down the path, the rest is the client's own.
/// - With [`LatencyKind::Exclusive`] ones a service's end-to-end latency is its own plus its longest wait for
///   end-to-end latencies, and the path is the longest.
///
/// A request that would come back to a service on its path is not followed there: calls that close a cycle (met in a
/// depth-first walk that begins at the entry services, in order of name) are left out. A service of unknown latency
/// (NaN) is taken to do no work of its own; where no latency is known at all, neither is the path.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CriticalPath {
    /// The services, the first of the path first; none where the latency is unknown.
    pub stops: Vec<Stop>,
    /// Latency of the first service with all it waits for, in milliseconds, as far as latencies are known; `None`
    /// where none is.
    pub latency_millis: Option<f64>,
}

/// One service of a critical path.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stop {
    /// Number of the service.
    pub service: usize,
    /// What it contributes to the end-to-end latency, in milliseconds.
    pub own_millis: f64,
    /// The same as a share of it; all shares add up to 1 (0 where the latency is 0).
    pub share: f64,
}

impl CriticalPath {
    /// The service with the largest share, the first of equals.
    #[must_use]
    pub fn bottleneck(&self) -> Option<Stop> {
        self.stops.iter().copied().reduce(|most, stop| if stop.share > most.share { stop } else { most })
    }
}

/// Critical paths of one graph; see [`CriticalPath`].
#[derive(Clone, Debug)]
pub struct CriticalPaths {
    kind: LatencyKind,
    /// Services, each after all servers that it waits for.
    order: Vec<usize>,
    /// Of each service: servers that it waits for, with calls a request.
    waits: Vec<Vec<(usize, f64)>>,
}

impl CriticalPaths {
    /// Prepares a graph. Linear in services and calls.
    #[must_use]
    pub fn new(graph: &ServiceGraph, kind: LatencyKind) -> Self {
        let (order, followed) = walk(graph);
        let waits = (0..graph.len()).map(|client| {
            let calls = graph.calls_by(client).zip(graph.servers_of(client));
            let calls = calls
                .filter(|(call, _)| followed[*call])
                .map(|(_, (server, traffic))| (server, calls_per_request(graph, client, traffic.requests)));
            calls.collect()
        });
        Self { kind, waits: waits.collect(), order }
    }

    /// The latency with all waiting of every service, in milliseconds, from the latency of every service in
    /// milliseconds (NaN where unknown). For [`LatencyKind::Inclusive`] that is what was given, where it is known.
    /// `None` for a service of which no latency is known, nor of any that it waits for.
    ///
    /// # Errors
    /// [`TopologyError::LengthMismatch`], [`TopologyError::InvalidNumber`] for a negative or infinite latency.
    pub fn latencies(&self, latencies_millis: &[f64]) -> Result<Vec<Option<f64>>, TopologyError> {
        let own = self.check(latencies_millis)?;
        let known = self.known(&own);
        let latencies = self.end_to_end(own).into_iter().zip(known);
        Ok(latencies.map(|(latency, known)| known.then_some(latency)).collect())
    }

    /// Of which services a latency is known: their own, or that of one they wait for.
    fn known(&self, own: &[f64]) -> Vec<bool> {
        let mut known: Vec<bool> = own.iter().map(|latency| !latency.is_nan()).collect();
        for &service in &self.order {
            known[service] |= self.waits[service].iter().any(|&(server, _)| known[server]);
        }
        known
    }

    /// The critical path of a request that comes in at `entry`.
    ///
    /// # Errors
    /// As [`latencies`](Self::latencies), and [`TopologyError::InvalidNumber`] for an entry that is no service.
    pub fn from(&self, entry: usize, latencies_millis: &[f64]) -> Result<CriticalPath, TopologyError> {
        let known = entry < self.waits.len();
        refuse_unless(known, "number of the entry service", entry as f64, "less than there are services")?;
        let own = self.check(latencies_millis)?;
        if !self.known(&own)[entry] {
            return Ok(CriticalPath { stops: Vec::new(), latency_millis: None });
        }
        let end_to_end = self.end_to_end(own);
        let latency_millis = end_to_end[entry];
        let (mut stops, mut service, mut left) = (Vec::new(), entry, 1.0);
        loop {
            let next = self.longest_wait(service, &end_to_end);
            // What part of the time that is left goes by while the service waits.
            let waiting = match next {
                Some((_, wait)) if wait > 0.0 && end_to_end[service] > 0.0 => {
                    (wait / end_to_end[service]).min(1.0)
                }
                _ => 0.0,
            };
            let share = if latency_millis > 0.0 { left * (1.0 - waiting) } else { 0.0 };
            stops.push(Stop { service, own_millis: share * latency_millis, share });
            match next {
                Some((server, _)) if waiting > 0.0 => service = server,
                _ => return Ok(CriticalPath { stops, latency_millis: Some(latency_millis) }),
            }
            left *= waiting;
        }
    }

    fn check(&self, latencies_millis: &[f64]) -> Result<Vec<f64>, TopologyError> {
        same_length("latencies", self.waits.len(), latencies_millis.len())?;
        for &latency in latencies_millis {
            let fine = latency.is_nan() || (0.0..f64::INFINITY).contains(&latency);
            refuse_unless(fine, "latency in milliseconds", latency, "a finite number, 0 or more, or NaN")?;
        }
        Ok(latencies_millis.to_vec())
    }

    /// [`latencies`](Self::latencies) of as many as there are services, each NaN or finite and at least 0.
    pub(crate) fn end_to_end(&self, mut latencies: Vec<f64>) -> Vec<f64> {
        for &service in &self.order {
            let own = latencies[service];
            if self.kind == LatencyKind::Exclusive || own.is_nan() {
                let wait = self.longest_wait(service, &latencies).map_or(0.0, |(_, wait)| wait);
                let own = if own.is_nan() { 0.0 } else { own };
                // A product of many fan-outs may pass what a number can hold.
                latencies[service] = (own + wait).min(f64::MAX);
            }
        }
        latencies
    }

    /// For whom a service waits longest, the first of equals.
    fn longest_wait(&self, service: usize, latencies: &[f64]) -> Option<(usize, f64)> {
        // Never NaN: servers come before their clients in `order`.
        let waits = self.waits[service].iter().map(|&(server, calls)| (server, calls * latencies[server]));
        waits.reduce(|longest, wait| if wait.1 > longest.1 { wait } else { longest })
    }
}

/// Walks the graph depth first from its entry services: services in the order in which they are left, and for each
/// call whether it is followed. One that leads to a service that is still being visited closes a cycle.
fn walk(graph: &ServiceGraph) -> (Vec<usize>, Vec<bool>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        Not,
        Open,
        Done,
    }
    let mut visits = vec![Visit::Not; graph.len()];
    let (mut order, mut followed) = (Vec::with_capacity(graph.len()), vec![true; graph.calls()]);
    // Entry services reach all others.
    for entry in graph.entries() {
        if visits[entry] != Visit::Not {
            continue;
        }
        visits[entry] = Visit::Open;
        let mut stack = vec![(entry, graph.calls_by(entry))];
        while let Some((service, calls)) = stack.last_mut() {
            let Some(call) = calls.next() else {
                visits[*service] = Visit::Done;
                order.push(*service);
                stack.pop();
                continue;
            };
            let server = graph.ends(call)[1];
            match visits[server] {
                Visit::Open => followed[call] = false,
                Visit::Done => {}
                Visit::Not => {
                    visits[server] = Visit::Open;
                    stack.push((server, graph.calls_by(server)));
                }
            }
        }
    }
    (order, followed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, strategies};
    use proptest::prelude::*;

    fn shop() -> ServiceGraph {
        // auth 0, database 1, gateway 2, user 3.
        ServiceGraph::new([
            Call::new("gateway", "auth").with_requests(100.0),
            Call::new("gateway", "user").with_requests(100.0),
            Call::new("user", "database").with_requests(200.0),
        ])
        .unwrap()
    }

    fn services(path: &CriticalPath) -> Vec<usize> {
        path.stops.iter().map(|stop| stop.service).collect()
    }

    #[test]
    fn inclusive_latencies_are_shared_out_along_the_longest_wait() {
        let paths = CriticalPaths::new(&shop(), LatencyKind::Inclusive);
        let path = paths.from(2, &[20.0, 30.0, 100.0, 80.0]).unwrap();
        assert_eq!(services(&path), [2, 3, 1]);
        // The gateway waits 80 of 100 ms for user, which waits 2 * 30 of 80 for the database.
        let own: Vec<f64> = path.stops.iter().map(|stop| stop.own_millis.round()).collect();
        assert_eq!((own, path.latency_millis), (vec![20.0, 20.0, 60.0], Some(100.0)));
        assert_eq!(path.bottleneck().unwrap().service, 1);
        let unknown = paths.from(2, &[20.0, 30.0, f64::NAN, 80.0]).unwrap();
        assert_eq!((unknown.latency_millis, unknown.stops[0].share), (Some(80.0), 0.0));
        let nothing = paths.from(2, &[f64::NAN; 4]).unwrap();
        assert_eq!(nothing, CriticalPath { stops: Vec::new(), latency_millis: None });
        let nan = f64::NAN;
        assert_eq!(
            paths.latencies(&[nan, 30.0, nan, nan]).unwrap(),
            [None, Some(30.0), Some(60.0), Some(60.0)]
        );
    }

    #[test]
    fn exclusive_latencies_add_up() {
        let paths = CriticalPaths::new(&shop(), LatencyKind::Exclusive);
        let path = paths.from(2, &[200.0, 30.0, 10.0, 20.0]).unwrap();
        assert_eq!((services(&path), path.latency_millis), (vec![2, 0], Some(210.0)));
        let path = paths.from(2, &[50.0, 30.0, 10.0, 20.0]).unwrap();
        assert_eq!((services(&path), path.latency_millis), (vec![2, 3, 1], Some(90.0)));
        assert!((path.stops[2].own_millis - 60.0).abs() < 1e-9);
        assert_eq!(
            paths.latencies(&[50.0, 30.0, 10.0, f64::NAN]).unwrap(),
            [50.0, 30.0, 70.0, 60.0].map(Some)
        );
        assert!(paths.from(4, &[0.0; 4]).is_err() && paths.from(0, &[0.0; 3]).is_err());
        assert!(paths.from(0, &[-1.0, 0.0, 0.0, 0.0]).is_err());
    }

    proptest! {
        #[test]
        fn paths_end_and_shares_add_up(
            graph in strategies::graph(8, 24),
            latencies in proptest::collection::vec(prop_oneof![Just(f64::NAN), 0.0f64..1e3], 8),
            exclusive: bool,
        ) {
            let kind = if exclusive { LatencyKind::Exclusive } else { LatencyKind::Inclusive };
            let paths = CriticalPaths::new(&graph, kind);
            let latencies = &latencies[..graph.len()];
            for entry in 0..graph.len() {
                let path = paths.from(entry, latencies).unwrap();
                let total: f64 = path.stops.iter().map(|stop| stop.share).sum();
                prop_assert!((total - 1.0).abs() < 1e-9 || (path.latency_millis.is_none_or(|latency| latency == 0.0) && total == 0.0));
                let mut seen = services(&path);
                prop_assert!(path.stops.windows(2).all(|pair| graph.traffic(pair[0].service, pair[1].service).is_ok()));
                seen.sort_unstable();
                seen.dedup();
                prop_assert_eq!(seen.len(), path.stops.len());
            }
        }

        #[test]
        fn without_cycles_the_longest_path_is_found(calls in proptest::collection::btree_set((0usize..6, 0usize..6), 0..15), own in proptest::collection::vec(0.0f64..10.0, 6)) {
            // From lower to higher numbers only; one call a request.
            let calls: Vec<_> = calls.into_iter().filter(|(a, b)| a < b).collect();
            let names = (0..6).map(|i| format!("s{i}"));
            let graph = ServiceGraph::with_services(names, calls.iter().map(|(a, b)| Call::new(format!("s{a}"), format!("s{b}")))).unwrap();
            let paths = CriticalPaths::new(&graph, LatencyKind::Exclusive);
            let found = paths.latencies(&own).unwrap();
            // All paths, by recursion.
            fn longest(graph: &ServiceGraph, own: &[f64], from: usize) -> f64 {
                let taken = graph.clients_of(from).len().max(1) as f64;
                let wait = graph.servers_of(from).map(|(server, _)| longest(graph, own, server) / taken).fold(0.0, f64::max);
                own[from] + wait
            }
            for (from, found) in found.into_iter().flatten().enumerate() {
                prop_assert!((found - longest(&graph, &own, from)).abs() < 1e-9);
            }
        }
    }
}
