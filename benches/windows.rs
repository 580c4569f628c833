//! From a frame to labelled, normalised windows: what a million rows cost.
//!
//! One service, ten metrics, the default window (10 minutes observed, 5 predicted). `benches/windows.py` measures
//! NumPy and pandas on arrays of the same shape, runs this bench, and prints ratios.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use forewarn::core::RowBuffer;
use forewarn::window::Normalisation;
use forewarn::{
    core::{InPieces, Origin},
    label::label_pieces,
    prelude::*,
};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::{error::Error, hint::black_box};

/// Long enough that nothing fits into a cache, as a year of two services would not.
const ROWS: usize = 1_000_000;
/// A training batch of usual size.
const BATCH: usize = 256;
/// Services of the fleet that is shared out to threads, with as many rows together.
const SERVICES: usize = 16;

/// Ten metrics of noise, with an error rate that violates the rule in about one row of twelve.
fn frames(services: usize) -> Result<FrameSet, Box<dyn Error>> {
    let schema = Schema::v1();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let frame = |service| {
        let values = (0..ROWS / services * schema.len()).map(|_| random.random::<f32>()).collect::<Vec<_>>();
        Frame::new(format!("bench{service:02}"), schema.clone(), Timestamp::EPOCH, Step::MINUTE, values)
    };
    let frames = (0..services).map(frame).collect::<Result<Vec<_>, _>>()?;
    let error_rate = schema.index_of("error_rate")?;
    Ok(FrameSet::from_frames(frames)?
        .map_rows(schema, |_, row| row[error_rate] = row[error_rate].powi(30))?)
}

/// Everything up to the index that batches are gathered by; nothing is copied per window.
fn data_set(
    frames: &FrameSet,
    rule: &ThresholdRule,
    memory: Vec<f32>,
) -> Result<(usize, Vec<f32>), Box<dyn Error>> {
    let labels = label(frames, rule, WindowSpec::default(), Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;
    let pipeline =
        Pipeline::fit(Features::default(), split.train(), frames, Normalisation::ZScore, Scope::Service, 1)?;
    let columns = pipeline.apply_in(memory, frames)?;
    let windows = split.train().on(&columns)?.windows().len()
        + split.validation().on(&columns)?.windows().len()
        + split.test().on(&columns)?.windows().len();
    Ok((windows, columns.into_values()))
}

/// The columns in the memory of those before.
fn apply_again(pipeline: &Pipeline, frames: &FrameSet, memory: &mut Vec<f32>) {
    let columns = pipeline.apply_in(std::mem::take(memory), black_box(frames));
    *memory = columns.map(FrameSet::into_values).expect("same columns");
}

fn stages(c: &mut Criterion) {
    let frames = frames(1).expect("the bench's own frames are valid");
    let spec = WindowSpec::default();
    let rule = ThresholdRule::v1();
    let labels = label(&frames, &rule, spec, Target::Onset).expect("the schema has an error rate");
    let split = chronological(&labels, Fractions::default()).expect("a million rows can be split");
    let features = Features::default().apply(&frames).expect("deltas of any frame");
    let normaliser = ZScore::fit(split.train(), &features, Scope::Service).expect("same layout");
    let pipeline = Pipeline::new(Features::default(), normaliser.clone());

    let mut group = c.benchmark_group("windows");
    group.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("label", |b| b.iter(|| label(black_box(&frames), &rule, spec, Target::Onset)));
    // An allocator that has seen a large block freed keeps memory for the next, as in a program that has run for a
    // while: the labels then do not come in pages that the system has to make first.
    drop(black_box(vec![0u8; 30 << 20]));
    group.bench_function("label_again", |b| b.iter(|| label(black_box(&frames), &rule, spec, Target::Onset)));
    group.bench_function("split", |b| b.iter(|| chronological(black_box(&labels), Fractions::default())));
    group.bench_function("deltas", |b| b.iter(|| Features::default().apply(black_box(&frames))));
    group.bench_function("zscore_fit", |b| b.iter(|| ZScore::fit(split.train(), &features, Scope::Service)));
    group.bench_function("zscore_apply", |b| {
        b.iter_batched(|| features.clone(), |features| normaliser.apply(features), BatchSize::LargeInput);
    });
    let fit = |threads| {
        let (train, features) = (split.train(), Features::default());
        Pipeline::fit(features, train, &frames, Normalisation::ZScore, Scope::Service, threads)
    };
    group.bench_function("deltas_and_zscore_fit", |b| b.iter(|| fit(1)));
    group.bench_function("deltas_and_zscore", |b| b.iter(|| pipeline.apply(black_box(&frames))));
    let mut memory = pipeline.apply(&frames).map(FrameSet::into_values).expect("same columns");
    group.bench_function("deltas_and_zscore_again", |b| {
        b.iter(|| apply_again(&pipeline, &frames, &mut memory));
    });
    group.bench_function("index", |b| b.iter(|| black_box(split.train()).on(&features)));
    group.bench_function("data_set", |b| {
        b.iter(|| data_set(black_box(&frames), &rule, Vec::new()).expect("as above"));
    });
    group.bench_function("data_set_again", |b| {
        b.iter(|| {
            memory = data_set(black_box(&frames), &rule, std::mem::take(&mut memory)).expect("as above").1;
        });
    });
    group.finish();
}

fn fleet(c: &mut Criterion) {
    let frames = frames(SERVICES).expect("the bench's own frames are valid");
    let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset)
        .expect("the schema has an error rate");
    let split = chronological(&labels, Fractions::default()).expect("many rows can be split");
    let mut group = c.benchmark_group("fleet");
    group.sample_size(10).throughput(Throughput::Elements(ROWS as u64));
    for threads in [1, 2] {
        let fit = || {
            let (train, features) = (split.train(), Features::default());
            Pipeline::fit(features, train, &frames, Normalisation::ZScore, Scope::Service, threads)
                .expect("as above")
        };
        let pipeline = fit();
        group.bench_function(format!("fit_{threads}_threads"), |b| b.iter(fit));
        group.bench_function(format!("apply_{threads}_threads"), |b| {
            b.iter(|| pipeline.apply(black_box(&frames)));
        });
        let mut memory = pipeline.apply(&frames).map(FrameSet::into_values).expect("as above");
        group.bench_function(format!("apply_again_{threads}_threads"), |b| {
            b.iter(|| apply_again(&pipeline, &frames, &mut memory));
        });
    }
    // The same piece by piece, as from a file that does not fit into memory. Columns lie in memory that is used again.
    let mut stream = InPieces::new(&frames, 1 << 16);
    let (rule, spec) = (Rule::v1(), WindowSpec::default());
    group.bench_function("label_pieces", |b| {
        b.iter(|| label_pieces(&mut stream, &rule, spec, Target::Onset).expect("there is an error rate"));
    });
    let mut fit = || {
        let (train, features) = (split.train(), Features::default());
        Pipeline::fit_pieces(features, train, &mut stream, Normalisation::ZScore, Scope::Service)
            .expect("as above")
    };
    let pipeline = fit();
    group.bench_function("fit_pieces", |b| b.iter(&mut fit));
    let all = labels.samples(|_, _| true);
    group.bench_function("windows_of_pieces", |b| {
        b.iter(|| {
            let mut windows = pipeline.windows(&mut stream, &all).expect("same columns");
            let mut count = 0;
            while let Some(piece) = windows.next_piece().expect("the bench's own frames are valid") {
                count += black_box(piece.windows()).len();
            }
            count
        });
    });
    group.finish();
}

fn batches(c: &mut Criterion) {
    let frames = frames(1).expect("the bench's own frames are valid");
    let spec = WindowSpec::default();
    let labels = label(&frames, &ThresholdRule::v1(), spec, Target::Onset).expect("there is an error rate");
    let split = chronological(&labels, Fractions::default()).expect("a million rows can be split");
    let pipeline =
        Pipeline::fit(Features::default(), split.train(), &frames, Normalisation::ZScore, Scope::Service, 1)
            .expect("same layout");
    let normalised = pipeline.apply(&frames).expect("same columns");
    let width = normalised.schema().len();

    let mut group = c.benchmark_group("batch");
    let train = split.train().on(&normalised).expect("same layout");
    let mut picks: Vec<u32> = (0..train.windows().len() as u32).collect();
    picks.shuffle(&mut ChaCha8Rng::seed_from_u64(7));
    let size = spec.observation() * width;
    let mut batch = vec![0.0; BATCH * size];
    let mut batches = picks.chunks_exact(BATCH).cycle();
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("gather", |b| {
        b.iter(|| train.windows().gather(batches.next().expect("endless"), black_box(&mut batch)));
    });
    // The same bytes in the same order by bare copies, with the places looked up beforehand.
    let rows = train.windows().last_rows();
    let starts: Vec<usize> =
        picks.iter().map(|&pick| (rows[pick as usize] as usize + 1) * width - size).collect();
    let mut places = starts.chunks_exact(BATCH).cycle();
    group.bench_function("memcpy_of_the_same_bytes", |b| {
        b.iter(|| {
            let batch = black_box(&mut batch);
            for (window, &start) in batch.chunks_exact_mut(size).zip(places.next().expect("endless")) {
                window.copy_from_slice(&normalised.values()[start..start + size]);
            }
        });
    });
    // As many bytes in one piece, from further on in the block each time.
    let mut pieces = normalised.values().chunks_exact(batch.len()).cycle();
    group.bench_function("memcpy_in_one_piece", |b| {
        b.iter(|| black_box(&mut batch).copy_from_slice(pieces.next().expect("endless")));
    });

    group.throughput(Throughput::Elements(1));
    let mut rows = RowBuffer::new(width, spec.observation()).expect("a small buffer");
    let mut samples = normalised.values().chunks_exact(width).cycle();
    group.bench_function("push_and_window", |b| {
        b.iter(|| {
            rows.push(samples.next().expect("endless")).expect("same width");
            black_box(rows.window().map(<[f32]>::len))
        });
    });
    let origin = Origin { service: "bench00", start: Timestamp::EPOCH, step: Step::MINUTE };
    let bound = pipeline.bind(frames.schema(), spec.observation()).expect("same columns as in the fit");
    let mut live = bound.start(origin).expect("a small window");
    let mut samples = frames.values().chunks_exact(frames.schema().len()).cycle();
    group.bench_function("push_features_and_window", |b| {
        b.iter(|| {
            let pushed = live.push_at(live.next(), samples.next().expect("endless")).expect("same width");
            black_box(pushed.result.map(|window| window.len()))
        });
    });
    group.finish();
}

criterion_group!(benches, stages, fleet, batches);
criterion_main!(benches);
