//! What each durability costs: a record of 64 bytes, alone and in groups, committed to the real disk under the
//! target folder.
//!
//! The group of 1,000 is a second of a service of 60,000 samples a minute, that of 10 a second of a small one.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails may panic")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forewarn_store::{Durability, Store, StoreOptions};
use std::{env, hint::black_box, io::Read, path::PathBuf};

/// Beside the benchmark's own file, because a temporary folder may be in memory, where a sync costs nothing.
fn folder() -> tempfile::TempDir {
    let beside = env::current_exe().ok().and_then(|exe| exe.parent().map(PathBuf::from)).unwrap_or_default();
    tempfile::tempdir_in(beside).unwrap()
}

fn commits(c: &mut Criterion) {
    let record = [7; 64];
    let mut group = c.benchmark_group("commit");
    for durability in [Durability::Each, Durability::Group, Durability::None] {
        for records in [1, 10, 1_000] {
            // A thousand syncs one by one take a second and more: the group of ten says it.
            if durability == Durability::Each && records > 10 {
                continue;
            }
            let folder = folder();
            let mut store =
                Store::open(folder.path(), &StoreOptions::default().with_durability(durability)).unwrap();
            group.throughput(Throughput::Elements(records));
            group.bench_function(BenchmarkId::new(format!("{durability:?}"), records), |b| {
                b.iter(|| {
                    for _ in 0..records {
                        store.append(black_box(&record)).unwrap();
                    }
                    store.commit().unwrap()
                });
            });
        }
    }
    group.finish();
}

/// A start: an hour of 1,000 services, as records of 64 bytes.
fn replay(c: &mut Criterion) {
    let folder = folder();
    let options = StoreOptions::default();
    let mut store = Store::open(folder.path(), &options).unwrap();
    for _ in 0..60_000 {
        store.append(&[7; 64]).unwrap();
    }
    store.commit().unwrap();
    drop(store);
    let mut group = c.benchmark_group("open and read the tail");
    group.throughput(Throughput::Elements(60_000));
    group.bench_function("60000 records", |b| {
        b.iter(|| {
            let store = Store::open(folder.path(), &options).unwrap();
            store.tail().unwrap().map(|record| record.unwrap().bytes.len()).sum::<usize>()
        });
    });
    group.finish();
}

/// A state of 64 MiB: 4 kB for each of 16,000 services.
fn checkpoints(c: &mut Criterion) {
    let folder = folder();
    let mut store = Store::open(folder.path(), &StoreOptions::default()).unwrap();
    let state = vec![7; 64 << 20];
    let mut group = c.benchmark_group("checkpoint of 64 MiB");
    group.sample_size(10).throughput(Throughput::Bytes(state.len() as u64));
    group.bench_function("write", |b| {
        b.iter(|| store.checkpoint(0, Default::default(), |out| out.write_all(&state)).unwrap());
    });
    let options = StoreOptions::default();
    drop(store);
    let mut read = Vec::with_capacity(state.len());
    group.bench_function("open and read", |b| {
        b.iter(|| {
            let store = Store::open(folder.path(), &options).unwrap();
            read.clear();
            store.recovery().checkpoint.as_ref().unwrap().state().unwrap().read_to_end(&mut read).unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, commits, replay, checkpoints);
criterion_main!(benches);
