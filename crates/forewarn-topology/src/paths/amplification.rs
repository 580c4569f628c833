use crate::{
    ServiceGraph, Strengths, TopologyError,
    error::{probability, same_length},
};
use serde::Serialize;

/// How the errors of a server grow, or shrink, on their way along a path of calls to its distant clients.
///
/// At each hop a request of the client makes *f* calls to the server (requests of the call over requests that reach
/// the client), each of which fails with the server's error rate *e* and then fails the client's request with the
/// strength *s* of the call:
///
/// ```text
/// e(client) = 1 - (1 - s * e(server)) ^ f
/// ```
///
/// A fan-out above 1 amplifies errors, a strength below 1 (a fallback, a retry that helps) damps them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Amplification {
    /// The hops, from the last service of the path back to the first.
    pub hops: Vec<Hop>,
    /// Error rate at the first service of the path over that at the last.
    pub factor: f64,
}

/// One call of the path.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Hop {
    /// Number of the service that calls.
    pub client: usize,
    /// Number of the service that is called.
    pub server: usize,
    /// Calls that a request of the client makes.
    pub calls_per_request: f64,
    /// Probability that a failed call fails the request.
    pub strength: f64,
    /// Error rate of the client that comes of it.
    pub error_rate: f64,
}

impl Amplification {
    /// Follows an error rate along `path`, which begins at a client and ends at the service that errs.
    ///
    /// Requests that reach a service are those of all calls to it; a service without clients is taken to make its
    /// most frequent call once a request.
    ///
    /// # Errors
    /// [`TopologyError::Empty`] for a path of fewer than two services, [`TopologyError::UnknownCall`] where one does
    /// not call the next, [`TopologyError::InvalidNumber`] unless `error_rate` is above 0 and at most 1,
    /// [`TopologyError::LengthMismatch`] for strengths of another graph.
    pub fn along(
        graph: &ServiceGraph,
        strengths: &Strengths,
        path: &[usize],
        error_rate: f64,
    ) -> Result<Self, TopologyError> {
        same_length("strengths", graph.calls(), strengths.as_slice().len())?;
        if path.len() < 2 {
            return Err(TopologyError::Empty { what: "the path's list of calls" });
        }
        probability("error rate", if error_rate > 0.0 { error_rate } else { f64::NAN }).map_err(|_| {
            TopologyError::InvalidNumber {
                what: "error rate".to_owned(),
                value: error_rate,
                expected: "above 0 and at most 1",
            }
        })?;
        let (mut hops, mut error) = (Vec::new(), error_rate);
        for ends in path.windows(2).rev() {
            let (client, server) = (ends[0], ends[1]);
            let strength = strengths.as_slice()[graph.call_between(client, server)?];
            let calls_per_request = calls_per_request(graph, client, graph.traffic(client, server)?.requests);
            error = 1.0 - (1.0 - strength * error).powf(calls_per_request);
            hops.push(Hop { client, server, calls_per_request, strength, error_rate: error });
        }
        Ok(Self { hops, factor: error / error_rate })
    }
}

/// How many calls a request of `client` makes along a call with `requests` requests.
pub(crate) fn calls_per_request(graph: &ServiceGraph, client: usize, requests: f64) -> f64 {
    let taken: f64 = graph.clients_of(client).map(|(_, traffic)| traffic.requests).sum();
    let most = || graph.servers_of(client).map(|(_, traffic)| traffic.requests).fold(0.0, f64::max);
    let reach = if taken > 0.0 { taken } else { most() };
    if reach > 0.0 { requests / reach } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;

    #[test]
    fn errors_grow_with_fan_out_and_shrink_with_strength() {
        let graph = ServiceGraph::new([
            Call::new("gateway", "user").with_requests(100.0).with_strength(0.5),
            Call::new("user", "database").with_requests(300.0).with_strength(1.0),
        ])
        .unwrap();
        let strengths = Strengths::given(&graph, 0.0).unwrap();
        // database 0, gateway 1, user 2. Three queries a request: 1 - 0.9^3; half of the errors get through the
        // gateway.
        let found = Amplification::along(&graph, &strengths, &[1, 2, 0], 0.1).unwrap();
        assert_eq!(found.hops.iter().map(|hop| hop.calls_per_request).collect::<Vec<_>>(), [3.0, 1.0]);
        assert!((found.hops[0].error_rate - 0.271).abs() < 1e-12);
        assert!((found.factor - 0.1355 / 0.1).abs() < 1e-12);
        let refused =
            |path: &[usize], rate| Amplification::along(&graph, &strengths, path, rate).unwrap_err();
        assert_eq!(refused(&[0, 2], 0.1).to_string(), "\"database\" does not call \"user\"");
        assert!(refused(&[0], 0.1).to_string().contains("is empty"));
        assert_eq!(refused(&[1, 2], 0.0).to_string(), "error rate is 0: expected above 0 and at most 1");
        assert_eq!(refused(&[1, 2], 1.2).to_string(), "error rate is 1.2: expected above 0 and at most 1");
    }
}
