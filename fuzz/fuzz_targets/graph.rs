//! Whatever is in a service graph, as an edge list, TOML, JSON or samples, reading it ends in an error or in a graph
//! that can be written and read again, and of which health and cascades can be told.
//!
//! `cargo +nightly fuzz run graph fuzz/corpus/graph fuzz/seeds_graph -- -max_total_time=600`

#![no_main]

use forewarn_topology::{CallSamples, DependencyHealth, HealthRules, ServiceGraph};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let samples = CallSamples::recognises(text).then(|| CallSamples::parse(text).and_then(|found| found.graph()));
    let graphs = [
        ServiceGraph::from_edge_list(text),
        ServiceGraph::from_toml(text),
        ServiceGraph::from_json(text),
    ];
    for graph in graphs.into_iter().chain(samples).flatten() {
        let written = graph.to_json().expect("a graph can be written");
        assert_eq!(ServiceGraph::from_json(&written).expect("and read again").to_json().ok(), Some(written));
        let unknown = vec![f64::NAN; graph.len()];
        let _ = DependencyHealth::new(&graph).evaluate(&unknown);
        assert_eq!(graph.observed_error_rates().len(), graph.len());
    }
    for rules in [HealthRules::from_toml(text), HealthRules::from_json(text)].into_iter().flatten() {
        assert!(!rules.watches().is_empty());
    }
});
