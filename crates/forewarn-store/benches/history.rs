//! A day of 10,000 services in the history: what an hour costs to write, the day to join, and a query of one service.
//!
//! A query is to take at most 50 ms: it opens the day's file, finds the group of rows and decodes the service's.
//! The query's figure is time on the processor, so that a busy machine does not count. `FOREWARN_SERVICES` sets another
//! number of services; with `--test` there are 50.

#![allow(clippy::unwrap_used, reason = "a benchmark that fails may panic")]

use criterion::{Criterion, criterion_group, criterion_main};
use forewarn_store::{History, HistoryOptions, HistoryRow, HistoryTable};
use std::{
    env,
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

const MINUTE: i64 = 60_000;
const DAY: i64 = 1440 * MINUTE;

/// Beside the benchmark's own file, because a temporary folder may be in memory.
fn folder() -> tempfile::TempDir {
    let beside = env::current_exe().ok().and_then(|exe| exe.parent().map(PathBuf::from)).unwrap_or_default();
    tempfile::tempdir_in(beside).unwrap()
}

/// Time that this thread has had on a processor; the clock where the system does not say.
fn processor_time(start: Instant) -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = said.and_then(|said| said.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

fn day(c: &mut Criterion) {
    let asked = env::var("FOREWARN_SERVICES").ok().and_then(|count| count.parse().ok());
    let is_test = env::args().any(|argument| argument == "--test");
    let services = asked.unwrap_or(if is_test { 50 } else { 10_000 });
    let begun = Instant::now();
    let numbers: Vec<String> = (0..10).map(|metric| format!("metric_{metric}")).collect();
    let table = HistoryTable { name: "rows".into(), numbers, texts: Vec::new() };
    let folder = folder();
    let mut history = History::open(folder.path(), vec![table], HistoryOptions::default()).unwrap();
    let mut noise = 1_u32;
    let mut written = 0.0;
    for minute in 0..1440 {
        for service in 0..services {
            let mut number = || {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // A few thousand different values, as gauges have.
                ((noise >> 20) as f32) / 4096.0
            };
            let numbers = (0..10).map(|_| number()).collect();
            let row = HistoryRow {
                time_millis: minute * MINUTE,
                service: format!("service-{service:05}"),
                numbers,
                texts: Vec::new(),
            };
            history.push(0, row).unwrap();
        }
        if minute % 60 == 59 {
            let start = processor_time(begun);
            // The last flush joins the day.
            history.flush((minute + 1) * MINUTE).unwrap();
            let seconds = (processor_time(begun) - start).as_secs_f64();
            if minute == 1439 {
                eprintln!(
                    "{services} services: an hour is written in {:.2} s, the day joined in {seconds:.1} s",
                    written / 23.0
                );
            } else {
                written += seconds;
            }
        }
    }
    eprintln!("{} bytes a row", history.bytes().unwrap() as f64 / (1440 * services) as f64);
    let mut service = 0;
    let mut group = c.benchmark_group("query");
    group.sample_size(10);
    group.bench_function("a day of one service", |b| {
        b.iter_custom(|count| {
            // Many, because the system counts in ticks that are about as long as a query.
            const MANY: u32 = 50;
            let before = processor_time(begun);
            for _ in 0..count * u64::from(MANY) {
                service = (service + 7919) % services;
                let rows = history.query(0, &format!("service-{service:05}"), (0, DAY)).unwrap();
                assert_eq!(black_box(rows).len(), 1440);
            }
            (processor_time(begun) - before) / MANY
        });
    });
    group.finish();
}

criterion_group!(history, day);
criterion_main!(history);
