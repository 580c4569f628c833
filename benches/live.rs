//! A minute of the engine of a live service: rows in, the minute closed, events out.
//!
//! `minute` is what has to fit into a second on one core for 100,000 services (10 metrics, 19 features, a logistic regression on windows of ten
//! rows); the smaller fleet shows that it is linear. `snapshot` and `restore` save all that the engine knows, and read it. With `--test` fleets
//! are small: it shows that the benchmark works.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use forewarn::{
    baseline::{Input as Reads, LogisticRegression},
    core::{AlarmPolicy, Estimator, FailureRule, Save, Score, Silent, Target, WindowSpec},
    label::{Rule, label},
    live::{Engine, EngineConfig, EngineModels, Input, ServedModel, Serving},
    schema::{FrameSet, Schema, Step, Timestamp},
    sim::StressWalk,
    window::{Features, Fractions, Normalisation, Pipeline, Scope, chronological},
};
use std::{error::Error, hint::black_box, sync::Arc};

/// Minutes before the measured ones, so that every window is full.
const WARM_UP: usize = 12;

fn model() -> Result<(Arc<ServedModel>, Vec<f32>), Box<dyn Error>> {
    let frames = FrameSet::from_frames(vec![StressWalk::new(3 * 1440, 7)?.run().frame])?;
    let (rule, spec) = (Rule::v1(), WindowSpec::default());
    let labels = label(&frames, &rule, spec, Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;
    let (train, method) = (split.train(), Normalisation::ZScore);
    let pipeline = Pipeline::fit(Features::default(), train, &frames, method, Scope::Global, 1)?;
    let made = pipeline.apply(&frames)?;
    let model = LogisticRegression::new(Reads::Aggregates);
    let model = model.fit(train.on(&made)?, split.validation().on(&made)?, &mut Silent)?;
    let mut envelope = model.to_envelope(spec)?;
    let policy = Some(AlarmPolicy::for_window(Score::new(0.5)?, spec));
    let serving = Serving { policy, rule: rule.saved(), ..Serving::new(Schema::v1(), Step::MINUTE) };
    serving.add_to(&mut envelope, Some(&pipeline))?;
    Ok((Arc::new(ServedModel::from_envelope(envelope)?), frames.values().to_vec()))
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

fn engine(c: &mut Criterion) {
    let (model, values) = model().expect("the walk has failures");
    let config = EngineConfig { settle_secs: 0, ..EngineConfig::default() };
    let models = || EngineModels::new("line", Arc::clone(&model));
    let is_test = std::env::args().any(|argument| argument == "--test");
    let mut group = c.benchmark_group("engine");
    group.sample_size(10);
    for services in if is_test { [10, 100] } else { [10_000, 100_000] } {
        let mut engine = Engine::new(config.clone(), models()).expect("one model");
        for past in 1..=WARM_UP {
            apply(&mut engine, minute(&values, services, past));
        }
        let snapshot = engine.snapshot().expect("every feature can be saved");
        eprintln!("{services} services: a snapshot takes {} bytes each", snapshot.len() / services);
        group.throughput(Throughput::Elements(services as u64));
        let mut next = WARM_UP;
        group.bench_with_input(BenchmarkId::new("minute", services), &services, |b, &services| {
            b.iter_batched(
                || {
                    next += 1;
                    minute(&values, services, next)
                },
                |inputs| black_box(apply(&mut engine, inputs)),
                BatchSize::PerIteration,
            );
        });
        group.bench_with_input(BenchmarkId::new("snapshot", services), &services, |b, _| {
            b.iter(|| black_box(engine.snapshot().map(|bytes| bytes.len())));
        });
        group.bench_with_input(BenchmarkId::new("restore", services), &services, |b, _| {
            b.iter(|| black_box(Engine::restore(config.clone(), models(), &snapshot).is_ok()));
        });
    }
    group.finish();
}

criterion_group!(live, engine);
criterion_main!(live);
