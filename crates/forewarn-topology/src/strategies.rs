//! Strategies for property tests: service graphs of any shape, cycles included.

use crate::{Call, ServiceGraph};
use proptest::{collection::btree_map, prelude::*};

/// A graph of 1 to `max_services` services named `s00`, `s01`, ... and up to `max_calls` calls between any two of
/// them, each with 1 to 99 requests and a strength; one strength in five is 0 or 1.
pub fn graph(max_services: usize, max_calls: usize) -> impl Strategy<Value = ServiceGraph> {
    (1..=max_services.max(1)).prop_flat_map(move |services| {
        let ends = (0..services, 0..services);
        let strength = prop_oneof![1 => prop_oneof![Just(0.0), Just(1.0)], 4 => 0.0..=1.0];
        btree_map(ends, (1u8..100, strength), 0..=max_calls).prop_map(move |calls| {
            let name = |service: usize| format!("s{service:02}");
            let calls = calls.into_iter().filter(|((client, server), _)| client != server);
            let calls = calls.map(|((client, server), (requests, strength))| {
                Call::new(name(client), name(server))
                    .with_requests(f64::from(requests))
                    .with_strength(strength)
            });
            ServiceGraph::with_services((0..services).map(name), calls)
                .expect("no call is doubled or to itself")
        })
    })
}

/// A probability for each service of a graph with at most `services` of them.
pub fn probabilities(services: usize) -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec(0.0f64..=1.0, services)
}
