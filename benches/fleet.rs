//! What a simulated minute of a service costs, and whether that stays so as fleets grow.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forewarn::sim::Fleet;
use forewarn::{
    prelude::*,
    sim::fleet::{Blueprint, RollOuts, Simulation},
};
use std::hint::black_box;

/// A morning, so that load moves and faults come and go.
const MINUTES: usize = 240;

fn graph(services: usize) -> Blueprint {
    match services {
        4 => Blueprint::shop(),
        12 => Blueprint::twelve(),
        _ => Blueprint::layered(1, services).expect("a size that can be made"),
    }
}

/// The shops, and generated graphs of growing size: services a second should stay the same.
fn minutes(c: &mut Criterion) {
    let mut group = c.benchmark_group("fleet");
    group.sample_size(10);
    for services in [4, 12, 100, 1_000] {
        let mut fleet = Fleet::new(graph(services), MINUTES, 7);
        group.throughput(Throughput::Elements((services * MINUTES) as u64));
        group.bench_with_input(BenchmarkId::new("service_minutes", services), &services, |b, _| {
            b.iter(|| black_box(fleet.frames()));
        });
    }
    group.finish();
}

/// The present of a simulation is cloned for every future that is looked at.
fn futures(c: &mut Criterion) {
    let fleet = Fleet::new(graph(4), 480, 7);
    let mut simulation: Simulation = fleet.simulation().expect("its settings are in range");
    (0..300).for_each(|_| simulation.step());
    let mut group = c.benchmark_group("ceiling");
    group.bench_function("fork", |b| b.iter(|| black_box(&simulation).fork(3)));
    let roll_outs = RollOuts { futures: 64, block: 1, every: 1, past: 10, threads: 1 };
    group.throughput(Throughput::Elements(64 * 10));
    group.sample_size(10).bench_function("futures_of_ten_minutes", |b| {
        let rule = ThresholdRule::v1();
        b.iter(|| fleet.ceiling(&rule, WindowSpec::default(), Target::Onset, 300..310, roll_outs));
    });
    group.finish();
}

criterion_group!(benches, minutes, futures);
criterion_main!(benches);
