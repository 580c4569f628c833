//! What depends on the service graph alone, kept until the graph changes.

use forewarn_topology::{
    Call, Cascade, CascadeMethod, CriticalPaths, LatencyKind, ServiceGraph, Strengths, TopologyError,
};
use std::collections::VecDeque;

/// A service graph and what is worked out of it.
#[derive(Debug)]
pub(crate) struct Graphs {
    pub(crate) calls: Vec<(String, String)>,
    pub(crate) graph: ServiceGraph,
    pub(crate) cascade: Cascade,
    pub(crate) paths: CriticalPaths,
    /// Services that the failure of each is expected to bring down, without itself.
    pub(crate) blast_radii: Vec<f64>,
}

impl Graphs {
    /// Works out paths and blast radii: milliseconds for dozens of services, some hundred for thousands.
    ///
    /// # Errors
    /// As those of [`ServiceGraph::new`], for calls that are none.
    pub(crate) fn new(calls: &[(String, String)]) -> Result<Self, TopologyError> {
        let graph = ServiceGraph::new(calls.iter().map(|(client, server)| Call::new(client, server)))?;
        let strengths = Strengths::given(&graph, Strengths::USUAL)?;
        let cascade = Cascade::new(&graph, &strengths)?;
        let radii = cascade.blast_radii(CascadeMethod::default())?;
        Ok(Self {
            calls: calls.to_vec(),
            paths: CriticalPaths::new(&graph, LatencyKind::Inclusive),
            blast_radii: radii.into_iter().map(|radius| radius.value).collect(),
            cascade,
            graph,
        })
    }

    /// Expected number of services that the failure of one brings down.
    pub(crate) fn blast_radius(&self, service: &str) -> Option<f64> {
        self.graph.find(service).and_then(|place| self.blast_radii.get(place).copied())
    }

    /// Services that may fail with one, with the probability that they do, the likeliest first.
    pub(crate) fn victims(&self, root: usize) -> Vec<(usize, f64)> {
        let risks = self.cascade.risk_of(root, CascadeMethod::default()).unwrap_or_default();
        let others = risks.iter().enumerate().filter(|(place, risk)| *place != root && risk.value >= LEAST);
        let mut victims: Vec<(usize, f64)> = others.map(|(place, risk)| (place, risk.value)).collect();
        victims.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        victims.truncate(MOST_NAMED);
        victims
    }

    /// Services within `depth` calls of one, in either direction.
    pub(crate) fn around(&self, centre: usize, depth: u32) -> Vec<usize> {
        let mut seen = vec![None; self.graph.len()];
        let mut queue = VecDeque::from([(centre, 0)]);
        while let Some((place, distance)) = queue.pop_front() {
            if seen[place].is_some() {
                continue;
            }
            seen[place] = Some(distance);
            if distance < depth {
                let servers = self.graph.servers_of(place).map(|(other, _)| other);
                let clients = self.graph.clients_of(place).map(|(other, _)| other);
                queue.extend(servers.chain(clients).map(|other| (other, distance + 1)));
            }
        }
        (0..seen.len()).filter(|&place| seen[place].is_some()).collect()
    }

    /// How trouble comes from a service to the farthest of some others: from server to client, by the fewest calls.
    /// Only the service itself where it reaches none of them.
    pub(crate) fn spread(&self, root: &str, others: &[String]) -> Vec<String> {
        let Some(start) = self.graph.find(root) else { return vec![root.to_owned()] };
        let mut before = vec![None; self.graph.len()];
        let (mut order, mut queue) = (vec![start], VecDeque::from([start]));
        before[start] = Some(start);
        while let Some(place) = queue.pop_front() {
            for (client, _) in self.graph.clients_of(place) {
                if before[client].is_none() {
                    before[client] = Some(place);
                    order.push(client);
                    queue.push_back(client);
                }
            }
        }
        let is_asked = |place: &usize| {
            self.graph.name(*place).is_some_and(|name| others.iter().any(|other| other == name))
        };
        let mut place = order.into_iter().rev().find(is_asked).unwrap_or(start);
        let mut path = Vec::new();
        loop {
            path.push(self.graph.name(place).unwrap_or_default().to_owned());
            match before[place] {
                Some(earlier) if earlier != place => place = earlier,
                _ => break,
            }
        }
        path.reverse();
        path
    }
}

/// Probability from which on a service counts as one that may follow.
const LEAST: f64 = 0.05;
/// Victims that are named.
const MOST_NAMED: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn graphs() -> Graphs {
        let calls = [("gateway", "cart"), ("gateway", "login"), ("cart", "database"), ("login", "database")];
        Graphs::new(&calls.map(|(client, server)| (client.to_owned(), server.to_owned()))).unwrap()
    }

    #[test]
    fn trouble_spreads_from_servers_to_clients() {
        let graphs = graphs();
        let names =
            |places: Vec<usize>| places.iter().map(|&p| graphs.graph.name(p).unwrap()).collect::<Vec<_>>();
        let database = graphs.graph.find("database").unwrap();
        // 0.3 each for cart and login; 1 - (1 - 0.3²)² for gateway.
        let victims = graphs.victims(database);
        assert_eq!(names(victims.iter().map(|victim| victim.0).collect()), ["cart", "login", "gateway"]);
        assert!((victims[2].1 - (1.0 - 0.91 * 0.91)).abs() < 1e-9);
        assert!(
            (graphs.blast_radius("database").unwrap() - victims.iter().map(|v| v.1).sum::<f64>()).abs()
                < 1e-9
        );
        assert_eq!(graphs.blast_radius("gateway"), Some(0.0));
        assert_eq!(graphs.blast_radius("none"), None);
        let path = graphs.spread("database", &["gateway".to_owned(), "cart".to_owned()]);
        assert_eq!(path, ["database", "cart", "gateway"]);
        assert_eq!(graphs.spread("gateway", &["database".to_owned()]), ["gateway"]);
        assert_eq!(names(graphs.around(database, 1)), ["cart", "database", "login"]);
        assert_eq!(graphs.around(database, 2).len(), 4);
    }
}
