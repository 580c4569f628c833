//! A minute of the engine of a live service: rows in, the minute closed, events out.
//!
//! `minute` is what has to fit into a second on one core for 100,000 services (10 metrics, 19 features, windows of ten
//! rows; an LSTM of 64, or 0.4 seconds by logistic regression or trees). Figures are time on the
//! processor of the one thread, so that a busy machine does not count. `snapshot` and `restore` save all that an engine
//! knows, and read it. Bytes a service are printed.
//!
//! Services fail as often as the stress walk, 8 times a day: warnings, evidence and incidents are a good part of a
//! minute. With `FOREWARN_CALM` set, none fails.
//!
//! `FOREWARN_SERVICES` sets another number of services than 10,000; `FOREWARN_MODEL` leaves out the other models, so
//! that the bytes of memory are those of one. With `--test` fleets are small: it shows that the
//! benchmark works.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forewarn::{
    core::FailureRule,
    experiment::{Data, Experiment, Progress, StandardModels},
    label::Rule,
    live::{Engine, EngineConfig, EngineModels, Input, ServedModel},
    schema::{Frame, Schema, Step, Timestamp},
    sim::StressWalk,
};
use std::{
    error::Error,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

/// Minutes before the measured ones, so that every window is full.
const WARM_UP: usize = 12;
const MODELS: [&str; 3] = ["logistic_window", "boosted_trees", "lstm"];

type Named = (&'static str, Arc<ServedModel>);

/// Fits the models on four days; how good they are is of no interest here.
fn models() -> Result<(Vec<Named>, Vec<f32>), Box<dyn Error>> {
    let run = StressWalk::new(4 * 1440, 7).run()?;
    let mut values = run.frame.view().values().to_vec();
    if std::env::var_os("FOREWARN_CALM").is_some() {
        values = calm(&values);
    }
    let standard = StandardModels { members: 1, ..StandardModels::new(Rule::v1(), Schema::v1()) };
    let mut experiment = Experiment::new(Rule::v1());
    let asked = std::env::var("FOREWARN_MODEL").ok();
    let names = || MODELS.into_iter().filter(|name| asked.as_deref().is_none_or(|asked| asked == *name));
    for name in names() {
        experiment = experiment.with_model(standard.get(name)?);
    }
    let trained = experiment.train(Data::from_stress_walk(run)?, &|_: Progress<'_>| {})?;
    let served = |name: &'static str| -> Result<_, Box<dyn Error>> {
        Ok((name, Arc::new(ServedModel::from_envelope(trained.to_envelope(name)?)?)))
    };
    Ok((names().map(served).collect::<Result<_, _>>()?, values))
}

/// The longest span in which nothing fails.
fn calm(values: &[f32]) -> Vec<f32> {
    let (schema, rows) = (Schema::v1(), values.len() / Schema::v1().len());
    let frame = Frame::new("walk", schema.clone(), Timestamp::EPOCH, Step::MINUTE, values.to_vec());
    let frame = frame.expect("the walk is a frame");
    let found = Rule::v1().assess(frame.view()).expect("the walk has what the rule reads").episodes;
    let row = |time: Timestamp| (time.millis() / Step::MINUTE.millis()) as usize;
    let ends = std::iter::once(0).chain(found.iter().map(|episode| row(episode.end())));
    let onsets = found.iter().map(|episode| row(episode.onset())).chain([rows]);
    let (from, to) = ends.zip(onsets).max_by_key(|(from, to)| to - from).unwrap_or((0, rows));
    values[from * schema.len()..to * schema.len()].to_vec()
}

/// The rows of a minute; each service is at another place of the walk.
fn minute(values: &[f32], services: usize, minute: usize) -> Vec<Input> {
    let (width, time) = (Schema::v1().len(), Timestamp::from_millis(minute as i64 * 60_000));
    let time = time.unwrap_or(Timestamp::EPOCH);
    let rows = values.len() / width;
    let row = |service: usize| {
        let place = (service * 17 + minute) % rows * width;
        let (service, values) = (format!("service-{service:06}"), values[place..place + width].to_vec());
        Input::Row { service, time, values }
    };
    let clock = std::iter::once(Input::Advance { now: time });
    (0..services).map(row).chain(clock).collect()
}

fn apply(engine: &mut Engine, inputs: Vec<Input>) -> usize {
    inputs.into_iter().map(|input| engine.apply(input).map_or(0, |events| events.len())).sum()
}

/// Time that this thread has had on a processor; the clock where the system does not say.
fn processor_time(start: Instant) -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = said.and_then(|said| said.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// Memory of the process, in bytes, where the system says it.
fn resident_bytes() -> usize {
    const PAGE: usize = 4096;
    let said = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    said.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * PAGE
}

fn engine(c: &mut Criterion) {
    let (served, values) = models().expect("the walk has failures");
    let config = EngineConfig { settle_secs: 0, ..EngineConfig::default() };
    let is_test = std::env::args().any(|argument| argument == "--test");
    let asked = std::env::var("FOREWARN_SERVICES").ok().and_then(|count| count.parse().ok());
    let services: usize = asked.unwrap_or(if is_test { 100 } else { 10_000 });
    let begun = Instant::now();
    let mut group = c.benchmark_group("engine");
    group.sample_size(10).throughput(Throughput::Elements(services as u64));
    for (name, model) in served {
        let models = || EngineModels::new(name, Arc::clone(&model));
        let before = resident_bytes();
        let mut engine = Engine::new(config.clone(), models()).expect("one model");
        for past in 1..=WARM_UP {
            apply(&mut engine, minute(&values, services, past));
        }
        let snapshot = engine.snapshot().expect("every feature can be saved");
        // With rows and events of a minute, which are not kept.
        let resident = resident_bytes().saturating_sub(before).saturating_sub(snapshot.len());
        eprintln!(
            "{name}: a snapshot takes {} bytes a service, the engine {} of memory",
            snapshot.len() / services,
            resident / services
        );
        let mut next = WARM_UP;
        group.bench_function(BenchmarkId::new("minute", name), |b| {
            b.iter_custom(|count| {
                let mut sum = Duration::ZERO;
                for _ in 0..count {
                    next += 1;
                    let inputs = minute(&values, services, next);
                    let before = processor_time(begun);
                    black_box(apply(&mut engine, inputs));
                    sum += processor_time(begun) - before;
                }
                sum
            });
        });
        if name != "logistic_window" {
            continue;
        }
        group.bench_function(BenchmarkId::new("snapshot", name), |b| {
            b.iter_custom(|count| {
                let before = processor_time(begun);
                (0..count).for_each(|_| drop(black_box(engine.snapshot().map(|bytes| bytes.len()))));
                processor_time(begun) - before
            });
        });
        group.bench_function(BenchmarkId::new("restore", name), |b| {
            b.iter_custom(|count| {
                let before = processor_time(begun);
                (0..count).for_each(|_| {
                    black_box(Engine::restore(config.clone(), models(), &snapshot).is_ok());
                });
                processor_time(begun) - before
            });
        });
    }
    group.finish();
}

criterion_group!(live, engine);
criterion_main!(live);
