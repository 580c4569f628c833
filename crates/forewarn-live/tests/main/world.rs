//! A small model on simulated walks, and what it is shown.

use forewarn_baseline::{Input as Reads, LogisticRegression};
use forewarn_core::{AlarmPolicy, Envelope, Estimator, FailureRule, Save, Score, Silent, Target, WindowSpec};
use forewarn_label::{Rule, label};
use forewarn_live::{Engine, EngineConfig, EngineModels, Event, Input, ServedModel, Serving};
use forewarn_schema::{Frame, FrameSet, Schema, Step, Timestamp};
use forewarn_sim::StressWalk;
use forewarn_window::{Features, Fractions, Normalisation, Pipeline, Scope, chronological};
use std::sync::{Arc, OnceLock};

pub(crate) type BoxError = Box<dyn std::error::Error>;

pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000).unwrap()
}

/// A walk of one service, from minute 0 on.
pub(crate) fn walk(service: &str, minutes: usize, seed: u64) -> Frame {
    let run = StressWalk::new(minutes, seed).with_service(service).run().unwrap();
    let view = run.frame.view();
    Frame::new(service, view.schema().clone(), at(0), Step::MINUTE, view.values().to_vec()).unwrap()
}

/// A logistic regression that alarms from `threshold` on, trained for `rule`.
fn fit(threshold: f32, rule: &Rule, reads: Reads) -> Result<ServedModel, BoxError> {
    Ok(ServedModel::from_envelope(envelope(threshold, rule, reads)?)?)
}

/// The model of the golden journal.
pub(crate) fn golden_envelope() -> Result<Envelope, BoxError> {
    envelope(0.15, &Rule::v1(), Reads::Snapshot)
}

fn envelope(threshold: f32, rule: &Rule, reads: Reads) -> Result<Envelope, BoxError> {
    let frames = FrameSet::from_frames(vec![walk("cart", 3 * 1440, 7), walk("login", 3 * 1440, 8)])?;
    let spec = WindowSpec::default();
    let labels = label(&frames, rule, spec, Target::Onset)?;
    let split = chronological(&labels, Fractions::default())?;
    let features = Features::default();
    let pipeline = Pipeline::fit(features, split.train(), &frames, Normalisation::ZScore, Scope::Global, 1)?;
    let made = pipeline.apply(&frames)?;
    let (train, validation) = (split.train().on(&made)?, split.validation().on(&made)?);
    let model = LogisticRegression::new(reads).fit(train, validation, &mut Silent)?;
    let mut envelope = model.to_envelope(spec)?;
    let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; Schema::v1().len()];
    for row in frames.values().chunks_exact(ranges.len()) {
        for (range, value) in ranges.iter_mut().zip(row) {
            *range = [range[0].min(*value), range[1].max(*value)];
        }
    }
    let serving = Serving {
        policy: Some(AlarmPolicy::for_window(Score::new(threshold)?, spec)),
        rule: rule.saved(),
        ranges: ranges.into_iter().map(Some).collect(),
        ..Serving::new(Schema::v1(), Step::MINUTE)
    };
    serving.add_to(&mut envelope, Some(&pipeline))?;
    Ok(envelope)
}

pub(crate) fn model() -> Arc<ServedModel> {
    static MODEL: OnceLock<Arc<ServedModel>> = OnceLock::new();
    Arc::clone(MODEL.get_or_init(|| Arc::new(fit(0.15, &Rule::v1(), Reads::Snapshot).unwrap())))
}

/// One that alarms more often.
pub(crate) fn other_model() -> Arc<ServedModel> {
    static MODEL: OnceLock<Arc<ServedModel>> = OnceLock::new();
    Arc::clone(MODEL.get_or_init(|| Arc::new(fit(0.05, &Rule::v1(), Reads::Aggregates).unwrap())))
}

pub(crate) fn models() -> EngineModels {
    EngineModels::new("main", model()).with_shadow("shadow", other_model())
}

pub(crate) fn engine(config: EngineConfig) -> Engine {
    Engine::new(config, models()).unwrap()
}

/// The rows of frames that begin together, minute by minute.
pub(crate) fn rows(frames: &[Frame]) -> Vec<Input> {
    let minutes = frames.iter().map(|frame| frame.view().rows()).max().unwrap_or(0);
    let width = Schema::v1().len();
    let row = |frame: &Frame, minute: usize| {
        let view = frame.view();
        (minute < view.rows()).then(|| Input::Row {
            service: view.service().to_owned(),
            time: view.time(minute),
            values: view.values()[minute * width..][..width].to_vec(),
        })
    };
    (0..minutes).flat_map(|minute| frames.iter().filter_map(move |frame| row(frame, minute))).collect()
}

pub(crate) fn apply_all(
    engine: &mut Engine,
    inputs: impl IntoIterator<Item = Input>,
) -> Result<Vec<Event>, BoxError> {
    let mut events = Vec::new();
    for input in inputs {
        events.extend(engine.apply(input)?);
    }
    Ok(events)
}
