//! From a frame to labelled, normalised windows: what a million rows cost.
//!
//! One service, ten metrics, the default window (10 minutes observed, 5 predicted).

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use forewarn::prelude::*;
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::{error::Error, hint::black_box};

/// Long enough that nothing fits into a cache, as a year of two services would not.
const ROWS: usize = 1_000_000;
/// A training batch of usual size.
const BATCH: usize = 256;

/// Ten metrics of noise, with an error rate that violates the rule in about one row of twelve.
fn frames() -> Result<FrameSet, Box<dyn Error>> {
    let schema = Schema::v1();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let values = (0..ROWS * schema.len()).map(|_| random.random::<f32>()).collect::<Vec<_>>();
    let frame = Frame::new("bench", schema.clone(), Timestamp::EPOCH, Step::MINUTE, values)?;
    let error_rate = schema.index_of("error_rate")?;
    Ok(FrameSet::from_frames(vec![frame])?
        .map_rows(schema, |_, row| row[error_rate] = row[error_rate].powi(30))?)
}

fn windows(c: &mut Criterion) {
    let frames = frames().expect("the bench's own frames are valid");
    let spec = WindowSpec::default();
    let rule = ThresholdRule::v1();
    let labels = label(&frames, &rule, spec, Target::Onset).expect("the schema has an error rate");
    let split = chronological(&labels, Fractions::default()).expect("a million rows can be split");
    let features = Features::default().apply(&frames).expect("deltas of any frame");
    let normaliser = ZScore::fit(split.train(), &features, Scope::Service).expect("same layout");
    let normalised = normaliser.apply(features.clone()).expect("same columns");

    let mut group = c.benchmark_group("windows");
    group.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("label", |b| b.iter(|| label(black_box(&frames), &rule, spec, Target::Onset)));
    group.bench_function("split", |b| b.iter(|| chronological(black_box(&labels), Fractions::default())));
    group.bench_function("deltas", |b| b.iter(|| Features::default().apply(black_box(&frames))));
    group.bench_function("zscore_fit", |b| b.iter(|| ZScore::fit(split.train(), &features, Scope::Service)));
    group.bench_function("zscore_apply", |b| {
        b.iter_batched(|| features.clone(), |features| normaliser.apply(features), BatchSize::LargeInput);
    });
    group.bench_function("index", |b| b.iter(|| black_box(split.train()).on(&normalised)));
    group.finish();

    let mut group = c.benchmark_group("batch");
    let train = split.train().on(&normalised).expect("same layout");
    let mut picks: Vec<u32> = (0..train.windows().len() as u32).collect();
    picks.shuffle(&mut ChaCha8Rng::seed_from_u64(7));
    let mut batch = vec![0.0; BATCH * spec.observation() * normalised.schema().len()];
    let mut batches = picks.chunks_exact(BATCH).cycle();
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("gather", |b| {
        b.iter(|| train.windows().gather(batches.next().expect("endless"), black_box(&mut batch)));
    });
    let mut rows = RowBuffer::new(normalised.schema().len(), spec.observation()).expect("a small buffer");
    let mut samples = normalised.values().chunks_exact(normalised.schema().len()).cycle();
    group.throughput(Throughput::Elements(1));
    group.bench_function("push_and_window", |b| {
        b.iter(|| {
            rows.push(samples.next().expect("endless")).expect("same width");
            black_box(rows.window().map(<[f32]>::len))
        });
    });
    group.finish();
}

criterion_group!(benches, windows);
criterion_main!(benches);
