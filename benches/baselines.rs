//! What a score of a baseline costs, and how boosted trees do beside others on the same table.
//!
//! Alone, it measures scoring on one thread: ten metrics with their deltas, windows of ten minutes, in batches.
//! `benches/baselines.py` calls it with `--table FOLDER` and settings: it then fits boosted trees on a table that
//! lies there as raw numbers, and writes their scores for the script to compare with XGBoost's and LightGBM's.

use criterion::{Criterion, Throughput};
use forewarn::core::Explain;
use forewarn::core::{Snapshots, Split};
use forewarn::window::Normalisation;
use forewarn::{
    baseline::{Input, View},
    prelude::*,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{collections::BTreeMap, error::Error, fs, hint::black_box, path::Path, time::Instant};

/// Windows of a batch: what a fleet of some hundred services is in ten minutes.
const BATCH: usize = 4096;

/// A service of ten metrics with failures, as normalised features.
fn features() -> Result<(FrameSet, Split), Box<dyn Error>> {
    let schema = Schema::v1();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let values: Vec<f32> = (0..60_000 * schema.len()).map(|_| random.random::<f32>()).collect();
    let error_rate = schema.index_of("error_rate")?;
    let frame = Frame::new("bench", schema.clone(), Timestamp::EPOCH, Step::MINUTE, values)?;
    let frames = FrameSet::from_frames(vec![frame])?
        .map_rows(schema, |_, row| row[error_rate] = row[error_rate].powi(30))?;
    let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Active)?;
    let split = chronological(&labels, Fractions::default())?;
    let pipeline =
        Pipeline::fit(Features::default(), split.train(), &frames, Normalisation::ZScore, Scope::Service, 1)?;
    let features = pipeline.apply(&frames)?;
    Ok((features, split))
}

fn scoring(c: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let (features, split) = features()?;
    let (train, validation) = (split.train().on(&features)?, split.validation().on(&features)?);
    let snapshot = LogisticRegression::new(Input::Snapshot).fit(train, validation, &mut Silent)?;
    let aggregates = LogisticRegression::new(Input::Aggregates).fit(train, validation, &mut Silent)?;
    // As many trees of as many leaves as real data asks for.
    let trees = BoostedTrees::default().with_trees(200, 200).with_leaves(&[8]);
    let by_views = trees.clone().fit(train, validation, &mut Silent)?;
    let by_rows = trees.with_views(View::rows(10)).fit(train, validation, &mut Silent)?;
    let windows = train.windows().slice(0..BATCH)?;
    let mut scores = vec![Score::ZERO; BATCH];
    let mut group = c.benchmark_group("baselines");
    group.throughput(Throughput::Elements(BATCH as u64));
    let models: [(&str, &dyn Predictor); 4] = [
        ("logistic_snapshot", &snapshot),
        ("logistic_window", &aggregates),
        ("trees_on_views", &by_views),
        ("trees_on_rows", &by_rows),
    ];
    for (name, model) in models {
        group.bench_function(name, |b| b.iter(|| model.score(black_box(windows), &mut scores)));
    }
    let window = windows.get(0).ok_or("there is a window")?;
    group.throughput(Throughput::Elements(1));
    group.bench_function("explain_trees", |b| b.iter(|| by_views.explain(black_box(window))));
    group.finish();
    Ok(())
}

/// A part of the table: `NAME.f32`, row-major, and `NAME.u8`, an outcome a row.
fn part(folder: &Path, name: &str) -> Result<Snapshots, Box<dyn Error>> {
    let positive: Vec<bool> =
        fs::read(folder.join(name).with_extension("u8"))?.into_iter().map(|byte| byte != 0).collect();
    let bytes = fs::read(folder.join(name).with_extension("f32"))?;
    let (values, _) = bytes.as_chunks::<4>();
    let columns = values.len() / positive.len().max(1);
    let schema = Schema::new((0..columns).map(|column| Metric::gauge(format!("c{column}"))).collect())?;
    Ok(Snapshots::new(schema, values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(), positive)?)
}

/// Fits on `train`, stops by `validation`, writes the scores of `validation` and `test` beside them; prints seconds
/// and trees as JSON.
fn on_table(folder: &Path, settings: &BTreeMap<String, f64>) -> Result<(), Box<dyn Error>> {
    let [train, validation, test] = ["train", "validation", "test"].map(|name| part(folder, name));
    let (train, validation, test) = (train?, validation?, test?);
    let number = |name: &str, default: f64| settings.get(name).copied().unwrap_or(default);
    let mut trees = BoostedTrees::default()
        .with_learning_rate(number("rate", 0.05))
        .with_trees(number("trees", 2000.0) as usize, number("patience", 100.0) as usize)
        .with_shrinkage(number("l2", 10.0), number("curvature", 2.0))
        .with_threads(number("threads", 1.0) as usize);
    if let (Some(&rows), Some(&columns)) = (settings.get("rows"), settings.get("columns")) {
        trees = trees.with_shares(rows, columns);
    }
    if let Some(&leaves) = settings.get("leaves") {
        trees = trees.with_leaves(&[leaves as usize]);
    }
    let started = Instant::now();
    let model = trees.fit_snapshots(&train, &validation, &mut Silent)?;
    let fit_seconds = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let scores = model.score_all(test.labelled().windows())?;
    let score_nanos = started.elapsed().as_secs_f64() * 1e9 / scores.len() as f64;
    let held_out = model.score_all(validation.labelled().windows())?;
    for (name, scores) in [("test", scores), ("validation", held_out)] {
        let bytes: Vec<u8> = scores.iter().flat_map(|score| score.get().to_le_bytes()).collect();
        fs::write(folder.join(format!("{name}.scores.f32")), bytes)?;
    }
    let leaves = model.fit_summary().map_or(0, |fit| fit.leaves);
    println!(
        r#"{{"fit_seconds":{fit_seconds},"score_nanos":{score_nanos},"trees":{},"leaves":{leaves}}}"#,
        model.trees()
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--table") {
        let folder = arguments.get(at + 1).ok_or("--table needs a folder")?;
        let mut settings = BTreeMap::new();
        for setting in arguments[at + 2..].iter().filter(|argument| !argument.starts_with("--")) {
            let (name, value) = setting.split_once('=').ok_or("settings are NAME=NUMBER")?;
            settings.insert(name.to_owned(), value.parse()?);
        }
        return on_table(Path::new(folder), &settings);
    }
    let mut criterion = Criterion::default().configure_from_args();
    scoring(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
