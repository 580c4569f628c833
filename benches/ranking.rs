//! Figures of ten million scores.
//!
//! `benches/ranking.py` measures scikit-learn on scores of the same distribution, runs this bench, and prints ratios.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forewarn::eval::roc_auc;
use forewarn::{
    eval::{RankedWindows, best_f1_threshold, brier, log_loss, precision_recall_curve},
    prelude::*,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;

/// A year of twenty services, a score a minute.
const WINDOWS: usize = 10_000_000;
/// Share of positive windows.
const PREVALENCE: f64 = 0.02;

/// Scores that say something: positive windows score a little higher. As many are tied as 24 bits of mantissa make.
fn windows() -> (Vec<Score>, Vec<bool>) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let positive: Vec<bool> = (0..WINDOWS).map(|_| random.random_bool(PREVALENCE)).collect();
    let score = |&positive: &bool| {
        let shift = if positive { 0.3 } else { 0.0 };
        Score::new((random.random::<f32>() * 0.7 + shift).min(1.0)).expect("within 0..=1")
    };
    let scores = positive.iter().map(score).collect();
    (scores, positive)
}

fn ranking(c: &mut Criterion) {
    let (scores, positive) = windows();
    let mut group = c.benchmark_group("ranking");
    group.sample_size(10).throughput(Throughput::Elements(WINDOWS as u64));
    group.bench_function("average_precision", |b| {
        b.iter(|| average_precision(black_box(&scores), black_box(&positive)));
    });
    group.bench_function("roc_auc", |b| b.iter(|| roc_auc(black_box(&scores), black_box(&positive))));
    group.bench_function("precision_recall_curve", |b| {
        b.iter(|| precision_recall_curve(black_box(&scores), black_box(&positive)));
    });
    group.bench_function("best_f1_threshold", |b| {
        b.iter(|| best_f1_threshold(black_box(&scores), black_box(&positive)));
    });
    group.bench_function("brier", |b| b.iter(|| brier(black_box(&scores), black_box(&positive))));
    group.bench_function("log_loss", |b| b.iter(|| log_loss(black_box(&scores), black_box(&positive))));
    // Everything that one sort gives.
    group.bench_function("all_from_one_sort", |b| {
        b.iter(|| {
            let ranked = RankedWindows::new(black_box(&scores), black_box(&positive))?;
            let areas = (ranked.average_precision(), ranked.roc_auc(), ranked.partial_roc_auc(0.01)?);
            Ok::<_, forewarn::eval::EvalError>((areas, ranked.trapezoidal_pr_auc(), ranked.brier()))
        });
    });
    group.finish();
}

criterion_group!(benches, ranking);
criterion_main!(benches);
