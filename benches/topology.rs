//! Scores of a large service graph: 10,000 services and 100,000 calls, cycles included.
//!
//! `all` is what has to fit into a second on one core: everything that depends on the graph, and every score of one
//! moment. The others are its parts. Strengths are such that a failure is followed by 1.5 others in the mean, so that
//! cascades can grow large: the costly case.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forewarn::topology::{
    Call, Cascade, CascadeMethod, CriticalPaths, DependencyHealth, LatencyKind, Overview, RootRanking,
    ServiceGraph, Strengths, Worlds,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{collections::BTreeSet, error::Error, hint::black_box};

const SERVICES: usize = 10_000;
const CALLS: usize = 100_000;

/// Nine calls of ten go from lower to higher numbers, as in layers; the others may close cycles.
fn graph(random: &mut ChaCha8Rng) -> Result<ServiceGraph, Box<dyn Error>> {
    let mut ends = BTreeSet::new();
    while ends.len() < CALLS {
        let (a, b) = (random.random_range(0..SERVICES), random.random_range(0..SERVICES));
        let forward = random.random_bool(0.9);
        if a != b {
            ends.insert(if forward { (a.min(b), a.max(b)) } else { (a, b) });
        }
    }
    let name = |service: usize| format!("service-{service:05}");
    let calls = ends.into_iter().map(|(client, server)| {
        let (requests, strength) = (random.random_range(1..10_000), random.random_range(0.0..0.3));
        Call::new(name(client), name(server)).with_requests(f64::from(requests)).with_strength(strength)
    });
    Ok(ServiceGraph::with_services((0..SERVICES).map(name), calls.collect::<Vec<_>>())?)
}

fn scores(c: &mut Criterion) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let graph = graph(&mut random).expect("no call is doubled or to itself");
    let strengths = Strengths::given(&graph, 0.0).expect("0 is a probability");
    let health: Vec<f64> =
        (0..SERVICES).map(|_| if random.random_bool(0.05) { random.random() } else { 1.0 }).collect();
    let own: Vec<f64> = health.iter().map(|health| 0.1 * (1.0 - health)).collect();
    let latencies: Vec<f64> = (0..SERVICES).map(|_| random.random_range(1.0..500.0)).collect();
    let worlds = |count| CascadeMethod::Worlds(Worlds::new(count, 7).expect("a few worlds"));
    let (failing, radii) = (worlds(1024), worlds(128));

    let mut group = c.benchmark_group("topology");
    group.sample_size(10).throughput(Throughput::Elements(CALLS as u64));
    group.bench_function("all", |b| {
        b.iter(|| {
            let overview = Overview::new(&graph, &strengths, LatencyKind::Exclusive, failing, radii)?;
            overview.update(black_box(&health), &own, &latencies)
        });
    });
    let overview = Overview::new(&graph, &strengths, LatencyKind::Exclusive, failing, radii);
    let overview = overview.expect("strengths are of this graph");
    group.bench_function("update", |b| b.iter(|| overview.update(black_box(&health), &own, &latencies)));
    let dependency = DependencyHealth::new(&graph);
    group.bench_function("dependency_health", |b| b.iter(|| dependency.evaluate(black_box(&health))));
    let cascade = Cascade::new(&graph, &strengths).expect("strengths are of this graph");
    group.bench_function("failing_1024_worlds", |b| {
        b.iter(|| cascade.failure_probabilities(black_box(&own), failing));
    });
    group.bench_function("failing_bound", |b| b.iter(|| cascade.failure_bounds(black_box(&own))));
    group.bench_function("blast_radii_128_worlds", |b| b.iter(|| cascade.blast_radii(black_box(radii))));
    group.bench_function("root_ranking", |b| {
        b.iter(|| RootRanking::default().rank(&graph, black_box(&own)));
    });
    group.bench_function("critical_paths", |b| {
        b.iter(|| CriticalPaths::new(&graph, LatencyKind::Exclusive).latencies(black_box(&latencies)));
    });
    group.finish();
}

criterion_group!(benches, scores);
criterion_main!(benches);
