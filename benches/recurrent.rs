//! LSTM and GRU at work: a fit's step, scores of batches, windows, streams and a fleet.
//!
//! 10 steps of 19 features, 64 units and a head of 32, as `forewarn evaluate` has them. `beside_pytorch` measures
//! PyTorch on the same shapes in one run with ours;
//! `cargo test --release -p forewarn-recurrent --features libtorch -- --ignored --nocapture step_times` measures
//! libtorch beside the native trainer, without a line of Python.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forewarn::core::Split;
use forewarn::{
    core::{Label, Labels, Origin, PredictorState, Score, Windows},
    prelude::*,
    recurrent::{Cell, Instructions, Recurrent, RecurrentModel, Settings},
    schema::{Metric, Schema, Step, Timestamp},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;

const FEATURES: usize = 19;
/// Windows of a batch that is large enough for every fixed cost to vanish.
const WINDOWS: usize = 4096;
/// Services of a large company.
const FLEET: usize = 100_000;

/// One service of noise, with a label that a fit can follow.
fn task(rows: usize) -> (FrameSet, Split) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let values: Vec<f32> = (0..rows * FEATURES).map(|_| random.random::<f32>() * 2.0 - 1.0).collect();
    let label = |row: usize| if values[row * FEATURES] > 0.8 { Label::Positive } else { Label::Negative };
    let labels = (0..rows).map(label).collect();
    let schema = Schema::new((0..FEATURES).map(|i| Metric::gauge(format!("m{i}"))).collect())
        .expect("names that differ");
    let frame = Frame::new("bench", schema, Timestamp::EPOCH, Step::MINUTE, values).expect("whole rows");
    let frames = FrameSet::from_frames(vec![frame]).expect("one frame");
    let spec = WindowSpec::default();
    let none = vec![Default::default()];
    let labels =
        Labels::new(frames.layout().clone(), spec, Target::Onset, 1, labels, none).expect("one label a row");
    let split = chronological(&labels, Fractions::default()).expect("enough rows");
    (frames, split)
}

fn settings(cell: Cell) -> Settings {
    Settings { cell, max_epochs: 1, patience: 1, seed: 7, ..Settings::default() }
}

fn fitted(settings: Settings, frames: &FrameSet, split: &Split) -> RecurrentModel {
    let train = split.train().on(frames).expect("same layout");
    let validation = split.validation().on(frames).expect("same layout");
    Recurrent::new(settings)
        .and_then(|recurrent| recurrent.fit(train, validation, &mut Silent))
        .expect("the bench's own data can be fitted")
}

/// A whole epoch with its validation, by threads.
fn fit(c: &mut Criterion) {
    let (frames, split) = task(12_000);
    let windows = split.train().len() as u64;
    let mut group = c.benchmark_group("recurrent_fit_epoch");
    group.sample_size(10).throughput(Throughput::Elements(windows));
    for cell in [Cell::Lstm, Cell::Gru] {
        for threads in [1, 2] {
            let settings = Settings { threads, ..settings(cell) };
            group.bench_function(BenchmarkId::new(cell.kind(), threads), |b| {
                b.iter(|| fitted(settings.clone(), &frames, &split));
            });
        }
    }
    group.finish();
}

fn score(c: &mut Criterion) {
    let (frames, split) = task(42_000);
    let following = split.train().on(&frames).expect("same layout").windows();
    let following = following.slice(0..WINDOWS).expect("enough windows");
    let rows = WindowSpec::default().observation();
    let ends: Vec<u32> = (1..=WINDOWS).map(|window| (window * rows - 1) as u32).collect();
    let apart = Windows::new(frames.schema(), frames.values(), rows, &ends);
    let apart = apart.expect("enough rows for windows that share none");
    for cell in [Cell::Lstm, Cell::Gru] {
        let model = fitted(Settings { windows_per_epoch: 1000, ..settings(cell) }, &frames, &split);
        let name = cell.kind();
        let mut group = c.benchmark_group("recurrent_score");
        group.throughput(Throughput::Elements(WINDOWS as u64));
        for instructions in Instructions::available() {
            let model = model.clone().with_instructions(instructions).expect("available");
            for (batch, which) in [(following, "following"), (apart, "apart")] {
                let id = BenchmarkId::new(format!("{name}_batch_{which}"), format!("{instructions:?}"));
                group.bench_function(id, |b| b.iter(|| model.score_all(black_box(batch))));
            }
        }
        group.throughput(Throughput::Elements(1));
        let one = following.slice(0..1).expect("a window");
        let mut score = [Score::ZERO];
        group.bench_function(format!("{name}_window"), |b| {
            b.iter(|| model.score(black_box(one), &mut score));
        });
        let mut rows = frames.values().chunks_exact(FEATURES).cycle();
        let origin = Origin { service: "bench", start: Timestamp::EPOCH, step: Step::MINUTE };
        let mut live = PredictorState::start(model.clone(), origin).expect("a small window");
        group.bench_function(format!("{name}_stream_of_windows"), |b| {
            b.iter(|| live.push_at(live.next(), rows.next().expect("endless")));
        });
        let mut state = model.start();
        group.bench_function(format!("{name}_state"), |b| {
            b.iter(|| model.step(&mut state, rows.next().expect("endless")));
        });
        group.finish();
    }
}

/// A minute of a fleet: one row from every service, by its state; and every service's last ten minutes again, as a
/// plain batch, in which no two windows share a row.
fn fleet(c: &mut Criterion) {
    let (frames, split) = task(12_000);
    let names: Vec<String> = (0..FLEET).map(|service| format!("service{service}")).collect();
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let rows: Vec<f32> = (0..FLEET * FEATURES).map(|_| random.random::<f32>()).collect();
    let minutes = WindowSpec::default().observation();
    // One service after another, its last minutes: 76 MB.
    let histories: Vec<f32> = (0..FLEET * minutes * FEATURES).map(|_| random.random::<f32>()).collect();
    let ends: Vec<u32> = (1..=FLEET as u32).map(|service| service * minutes as u32 - 1).collect();
    let (mut scores, mut of_states) = (vec![Score::ZERO; FLEET], vec![None; FLEET]);
    let mut group = c.benchmark_group("recurrent_fleet");
    group.sample_size(10).throughput(Throughput::Elements(FLEET as u64));
    for cell in [Cell::Lstm, Cell::Gru] {
        let model = fitted(Settings { windows_per_epoch: 1000, ..settings(cell) }, &frames, &split);
        let mut fleet = model.fleet(names.iter().map(String::as_str));
        eprintln!("{cell}: {FLEET} states take {} bytes each", fleet.bytes() / FLEET);
        group.bench_function(format!("{}_states", cell.kind()), |b| {
            b.iter(|| model.step_fleet(&mut fleet, black_box(&rows), &mut of_states).expect("its own fleet"));
        });
        let windows = Windows::new(frames.schema(), &histories, minutes, &ends).expect("rows that are there");
        group.bench_function(format!("{}_windows", cell.kind()), |b| {
            b.iter_batched(|| (), |()| model.score(black_box(windows), &mut scores), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, fit, score, fleet);
criterion_main!(benches);
