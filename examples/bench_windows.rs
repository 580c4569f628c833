//! A benchmark of windows in a program of one's own: `cargo bench -p forewarn-examples`. `cargo test` runs each once.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forewarn::{core::Windows, prelude::*};
use std::hint::black_box;

/// A day of ten metrics.
const ROWS: usize = 1440;

fn day() -> FrameSet {
    let values = (0..ROWS * 10).map(|at| (at * 7919 % 1000) as f32 / 1000.0).collect();
    let frame = Frame::new("shop", Schema::v1(), Timestamp::EPOCH, Step::MINUTE, values).expect("a day");
    FrameSet::from_frames(vec![frame]).expect("one service")
}

/// The sum of all values of all windows: what a model that reads everything costs at least.
fn read_all(windows: Windows<'_>) -> f32 {
    windows.iter().map(|window| window.iter().sum::<f32>()).sum()
}

fn windows(criterion: &mut Criterion) {
    let frames = day();
    let mut group = criterion.benchmark_group("own windows");
    // The default, and an hour.
    for observation in [10, 60] {
        let ends: Vec<u32> = (observation as u32 - 1..ROWS as u32).collect();
        group.throughput(Throughput::Elements(ends.len() as u64));
        let windows =
            Windows::new(frames.schema(), frames.values(), observation, &ends).expect("within the day");
        assert_eq!(windows.len(), ROWS + 1 - observation);
        group.bench_function(BenchmarkId::new("read", observation), |bencher| {
            bencher.iter(|| read_all(black_box(windows)));
        });
    }
    group.finish();
}

criterion_group!(benches, windows);
criterion_main!(benches);
