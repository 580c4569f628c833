//! From an experiment to a file to live rows.

use crate::prelude::*;
use forewarn_baseline::Input;
use forewarn_core::{Envelope, FeatureState, ModelFileError, Origin};
use forewarn_eval::ScoredSet;
use forewarn_experiment::{ExperimentError, NotSaved, Progress, Results, StandardModels};
use forewarn_live::{LiveError, LiveFleet, ServedModel, Serving};
use forewarn_recurrent::{Settings, Trainer};
use forewarn_schema::SchemaError;
use forewarn_topology::ServiceGraph;
use std::sync::{Arc, OnceLock};

type BoxError = Box<dyn std::error::Error>;

/// Ten days of two services. Samples are missing now and then: a value, a row, and an hour of one metric, longer than
/// a gap is carried.
fn frames() -> &'static FrameSet {
    static FRAMES: OnceLock<FrameSet> = OnceLock::new();
    FRAMES.get_or_init(|| {
        let service = |name: &str, seed: u64| {
            let run = StressWalk::new(10 * 1440, seed).with_service(name).run().unwrap();
            let (view, width) = (run.frame.view(), run.frame.view().schema().len());
            let mut values = view.values().to_vec();
            for row in (0..view.rows()).step_by(97) {
                values[row * width + row % width] = f32::NAN;
            }
            for row in (0..view.rows()).step_by(1500) {
                values[row * width..(row + 1) * width].fill(f32::NAN);
                (row + 40..row + 100).for_each(|row| values[row * width] = f32::NAN);
            }
            Frame::new(name, view.schema().clone(), view.start(), view.step(), values).unwrap()
        };
        FrameSet::from_frames(vec![service("cart", 7), service("login", 8)]).unwrap()
    })
}

/// Failing is an error rate, or that requests are not counted: which is to be seen in metrics as they were measured
/// only.
fn rule() -> Rule {
    Rule::new(Rule::v1().when().clone().or(Condition::absent("request_count"))).unwrap()
}

fn standard() -> StandardModels {
    StandardModels {
        rule: Rule::v1(),
        schema: Schema::v1(),
        spec: WindowSpec::default(),
        seed: 7,
        trainer: Trainer::Native,
        members: 1,
    }
}

fn line(name: &str) -> Model {
    Model::new(name, "a line", ModelRows::Features, LogisticRegression::new(Input::Aggregates))
}

fn run(experiment: Experiment) -> Result<Results, ExperimentError> {
    experiment.run(Data::from_source(&mut Memory(frames().clone()))?, &|_: Progress<'_>| {})
}

/// The scores that a file gives when each service's rows are pushed one after another, against those of the experiment.
fn assert_served(envelope: &Envelope, expected: &ScoredSet) -> Result<ServedModel, BoxError> {
    let mut file = Vec::new();
    envelope.write(&mut file)?;
    let model = ServedModel::read(&file[..])?;
    let mut compared = 0;
    for frame in frames().frames() {
        let series = expected.series().iter().find(|series| series.service() == frame.service());
        let mut expected = series.ok_or("a service")?.scored().peekable();
        let mut live = model.start(frame.service(), frame.start())?;
        let infinite = vec![f32::INFINITY; frame.schema().len()];
        for (row, values) in frame.values().chunks_exact(frame.schema().len()).enumerate() {
            if row % 1000 == 7 {
                assert!(
                    model.push_at(&mut live, frame.time(row), &infinite).is_err(),
                    "{}: no frame could hold it",
                    envelope.kind
                );
            }
            if row % 1000 == 999 {
                let mut saved = Vec::new();
                live.save(&mut saved)?;
                live = model.start(frame.service(), frame.start())?;
                live.restore(&mut &saved[..])?;
            }
            let score = model.push_at(&mut live, frame.time(row), values)?.result;
            assert_eq!(score.is_some(), row + 1 >= model.window().observation());
            if let Some((time, expected)) = expected.next_if(|&(time, _)| time == frame.time(row)) {
                let bits = |score: Score| score.get().to_bits();
                assert_eq!(score.map(bits), Some(bits(expected)), "{} at {time}", envelope.kind);
                compared += 1;
            }
        }
        assert_eq!(expected.next(), None);
    }
    assert!(compared > 2_000, "{compared}");
    Ok(model)
}

#[test]
fn every_saved_model_gives_the_scores_of_its_experiment() -> Result<(), BoxError> {
    let trees = BoostedTrees::default().with_trees(20, 20).with_leaves(&[4]);
    let settings = Settings { cell: Cell::Gru, hidden: 8, max_epochs: 1, seed: 7, ..Settings::default() };
    let mut experiment = Experiment::new(rule()).with_target(Target::Active);
    for name in [
        "static_threshold",
        "rolling_mean",
        "trend",
        "ewma",
        "rolling_z_score",
        "cusum",
        "theil_sen",
        "double_exponential",
        "logistic_snapshot",
        "novelty",
    ] {
        experiment = experiment.with_model(standard().get(name)?);
    }
    let results = run(experiment
        .with_model(line("line"))
        .with_model(Model::new("trees", "few", ModelRows::Features, trees))
        .with_model(Model::new("gru", "small", ModelRows::Features, Recurrent::new(settings)?))
        .with_model(Model::blend("mean", ["trees", "gru"], Blending::Average))
        .with_model(Model::blend("stack", ["line", "trees"], Blending::Stacked))
        .with_model(Model::blend("rules", ["ewma", "trend"], Blending::Stacked)))?;
    for (name, expected) in results.sets() {
        let envelope = results.to_envelope(name)?;
        assert_eq!(envelope.metadata["model"], name);
        let model = assert_served(&envelope, expected)?;
        assert_eq!((model.metrics(), model.step()), (&Schema::v1(), Step::MINUTE));
        let report = results.report().models.iter().find(|model| model.name == name).ok_or("a report")?;
        let operation = report.operation.as_ref().ok_or("an operation")?;
        assert_eq!(model.policy(), Some(operation.policy_at_budget()));
        let outcome = operation.headline.as_ref().and_then(|headline| headline.outcome.as_ref());
        let chosen = outcome.map_or(report.threshold, |outcome| outcome.choice.threshold);
        assert!(model.policy().is_some_and(|policy| policy.threshold() == chosen));
    }
    // What the rule says of metrics as they were measured is in the file.
    let saved = results.to_envelope("line")?.pipeline.ok_or("a pipeline")?.to_string();
    assert!(saved.contains("request_count is absent"), "{saved}");
    let chosen = results.report().chosen().ok_or("a model")?;
    assert!(results.predictor(&chosen.name).is_some() || ["mean", "stack"].contains(&chosen.name.as_str()));
    Ok(())
}

#[test]
fn a_walk_forward_leaves_models_and_pipeline_as_they_were() -> Result<(), BoxError> {
    let trees = BoostedTrees::default().with_trees(10, 10).with_leaves(&[4]);
    let calibrated = Calibrate::new(trees, CalibrationMethod::Platt);
    let results = run(Experiment::new(Rule::v1())
        .with_walk_forward(1)
        .with_carry_steps(0)
        .with_model(Model::new("calibrated", "few trees", ModelRows::Features, calibrated))
        .with_model(standard().get("logistic_window")?))?;
    assert!(results.report().walk_forward.is_some());
    for (name, expected) in results.sets() {
        assert_served(&results.to_envelope(name)?, expected)?;
    }
    Ok(())
}

/// A feature that cannot be saved.
struct Twice;

impl Feature for Twice {
    fn outputs(&self, _: &Schema) -> Result<Vec<Metric>, SchemaError> {
        Ok(vec![Metric::gauge("twice")])
    }

    fn start(&self, _: &Schema, _: Origin<'_>) -> Result<Box<dyn FeatureState>, SchemaError> {
        #[derive(Clone, Debug)]
        struct State;
        impl FeatureState for State {
            fn push(&mut self, row: &[f32], out: &mut [f32]) {
                out[0] = 2.0 * row[0];
            }

            fn save(&self, _: &mut Vec<u8>) -> Result<(), CoreError> {
                Ok(())
            }

            fn restore(&mut self, _: &mut &[u8]) -> Result<(), CoreError> {
                Ok(())
            }
        }
        Ok(Box::new(State))
    }
}

/// A model that cannot be saved.
struct Own;

impl Estimator for Own {
    type Fitted = Unsaved;

    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        _: Validation<LabelledWindows<'_>>,
        _: &mut dyn Monitor,
    ) -> Result<Unsaved, CoreError> {
        Ok(Unsaved(train.windows().schema().clone(), train.windows().observation()))
    }
}

struct Unsaved(Schema, usize);

impl Predictor for Unsaved {
    fn input(&self) -> &Schema {
        &self.0
    }

    fn observation(&self) -> usize {
        self.1
    }

    /// By the first column of the last row.
    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        for (score, row) in scores.iter_mut().zip(windows.iter_last()) {
            *score = Score::from_logit(if row[0].is_nan() { 0.0 } else { f64::from(row[0]) })?;
        }
        Ok(())
    }
}

#[test]
fn what_cannot_be_served_says_so_by_name() -> Result<(), BoxError> {
    let refused = |results: &Results, name: &str| match results.to_envelope(name) {
        Err(ExperimentError::NotSaved { name: found, source }) if found == name => Ok(*source),
        Err(other) => Err(format!("{name}: {other}")),
        Ok(_) => Err(format!("{name} was saved")),
    };
    let results = run(Experiment::new(Rule::v1())
        .with_model(Model::new("own", "it has no save function", ModelRows::Features, Own))
        .with_model(standard().get("seasonal_band")?)
        .with_model(standard().get("rolling_mean")?)
        .with_model(line("line"))
        .with_model(Model::blend("mixed", ["rolling_mean", "line"], Blending::Average))
        .with_model(Model::blend("part", ["own", "line"], Blending::Average)))?;
    assert!(matches!(refused(&results, "own")?, NotSaved::Unknown));
    assert!(matches!(refused(&results, "part")?, NotSaved::Unknown));
    let band = results.to_envelope("seasonal_band")?;
    assert_served(&band, results.scores("seasonal_band").ok_or("scores")?)?;
    assert!(matches!(refused(&results, "mixed")?, NotSaved::MixedRows));
    let error = results.to_envelope("own").err().ok_or("refused")?.to_string();
    assert_eq!(
        error,
        "own cannot be saved: the model has no save function: implement `Save` for it, and return it from `Predictor::as_save`"
    );
    let error = results.to_envelope("lstm").err().ok_or("not fitted")?.to_string();
    assert!(error.contains("\"lstm\"") && error.contains("it fitted own, seasonal_band"), "{error}");

    let results = run(Experiment::new(Rule::v1())
        .with_features(Features::default().with(Twice))
        .with_model(line("line")))?;
    let error = refused(&results, "line")?;
    assert!(matches!(error, NotSaved::Serve(LiveError::Unwritable { .. })), "{error}");
    Ok(())
}

#[test]
fn files_that_do_not_say_how_they_are_served_are_refused() -> Result<(), BoxError> {
    let results = run(Experiment::new(Rule::v1()).with_model(line("line")))?;
    let whole = results.to_envelope("line")?;
    let mut bare = whole.clone();
    bare.metadata.remove(Serving::KEY);
    let error = ServedModel::from_envelope(bare).err().ok_or("refused")?;
    assert!(matches!(&error, LiveError::NotServable { kind } if kind == "logistic_regression"), "{error}");

    let mut damaged = whole.clone();
    damaged.metadata.insert(Serving::KEY.to_owned(), "cart".into());
    assert!(matches!(ServedModel::from_envelope(damaged), Err(LiveError::Unreadable { .. })));
    let mut without = whole.clone();
    without.pipeline = None;
    let error = ServedModel::from_envelope(without).err().ok_or("refused")?;
    assert!(matches!(error, LiveError::Core(CoreError::FeatureMismatch { .. })), "{error}");
    let mut foreign = whole.clone();
    foreign.kind = "prophet".to_owned();
    let error = ServedModel::from_envelope(foreign).err().ok_or("refused")?;
    assert!(matches!(error, LiveError::ModelFile(ModelFileError::UnknownKind { .. })), "{error}");

    // Version 1 had the policy in the metadata.
    let mut old = whole.clone();
    let policy = old.policy.take().ok_or("a policy")?;
    old.metadata.get_mut(Serving::KEY).ok_or("serving")?["policy"] = policy;
    let model = ServedModel::from_envelope(whole)?;
    assert!(model.policy().is_some() && ServedModel::from_envelope(old)?.policy() == model.policy());
    let mut live = model.start("cart", Timestamp::EPOCH)?;
    assert!(matches!(model.push_at(&mut live, Timestamp::EPOCH, &[0.0; 3]), Err(LiveError::Core(_))));
    assert!(model.start("", Timestamp::EPOCH).is_err());
    Ok(())
}

/// The scores of a whole fleet, minute by minute, against those of the experiment; saved and restored on the way.
fn assert_fleet(envelope: &Envelope, expected: &ScoredSet) -> Result<(), BoxError> {
    let mut file = Vec::new();
    envelope.write(&mut file)?;
    let model = Arc::new(ServedModel::read(&file[..])?);
    let frames: Vec<_> = frames().frames().collect();
    let mut fleet = LiveFleet::start(Arc::clone(&model), frames[0].start())?;
    frames.iter().try_for_each(|frame| fleet.join(frame.service()))?;
    let width = model.metrics().len();
    let mut expected: Vec<_> = frames
        .iter()
        .map(|frame| {
            let series = expected.series().iter().find(|series| series.service() == frame.service());
            series.map(|series| series.scored().peekable()).ok_or("a service")
        })
        .collect::<Result<_, _>>()?;
    let mut compared = 0;
    for row in 0..frames[0].rows() {
        let rows: Vec<f32> =
            frames.iter().flat_map(|frame| &frame.values()[row * width..][..width]).copied().collect();
        if row % 1000 == 999 {
            let mut saved = Vec::new();
            fleet.save(&mut saved)?;
            fleet = LiveFleet::start(Arc::clone(&model), frames[0].start())?;
            fleet.restore(&mut &saved[..])?;
            assert!(fleet.push_minute(&rows[1..]).is_err());
        }
        let time = frames[0].time(row);
        for (score, expected) in fleet.push_minute(&rows)?.iter().zip(&mut expected) {
            if let Some((_, expected)) = expected.next_if(|&(at, _)| at == time) {
                let bits = |score: Score| score.get().to_bits();
                assert_eq!(score.map(bits), Some(bits(expected)), "{} at {time}", envelope.kind);
                compared += 1;
            }
        }
    }
    assert!(compared > 2_000, "{compared}");
    Ok(())
}

#[test]
fn a_fleet_gives_the_scores_of_its_experiment() -> Result<(), BoxError> {
    let graph = ServiceGraph::from_edge_list("cart login")?;
    let results = run(Experiment::new(Rule::v1())
        .with_topology(TopologyFeatures::new(&graph))
        .with_model(line("line"))
        .with_model(standard().get("service_rate")?)
        .with_model(standard().get("seasonal_band")?)
        .with_model(standard().get("trend")?))?;
    for (name, expected) in results.sets() {
        assert_fleet(&results.to_envelope(name)?, expected)?;
    }
    let model = ServedModel::from_envelope(results.to_envelope("line")?)?;
    assert!(matches!(model.start("cart", Timestamp::EPOCH), Err(LiveError::NeedsFleet)));
    // A rule on one metric does not see the graph.
    assert_served(&results.to_envelope("trend")?, results.scores("trend").ok_or("scores")?)?;
    Ok(())
}

#[test]
fn a_file_has_the_rule_and_the_ranges_of_training() -> Result<(), BoxError> {
    let results = run(Experiment::new(rule()).with_model(line("line")).with_model(standard().get("trend")?))?;
    let model = ServedModel::from_envelope(results.to_envelope("line")?)?;
    assert_eq!(model.rule(), Some(&rule()));
    let other = ServedModel::from_envelope(results.to_envelope("trend")?)?;
    let mut live = model.start("cart", Timestamp::EPOCH)?;
    assert!(matches!(other.push_at(&mut live, Timestamp::EPOCH, &[0.0; 10]), Err(LiveError::OtherModel)));
    // Usual values are near; latencies in seconds or microseconds are far, and an outage is not.
    let cart = frames().frames().next().ok_or("a frame")?;
    let usual = &cart.values()[10..20];
    assert_eq!(model.far_from_training(usual, 10.0), None);
    let latency = model.metrics().index_of("p50_latency")?;
    for (factor, far) in [(1e-3, Some("p50_latency")), (1e3, Some("p50_latency")), (0.0, None), (1.1, None)] {
        let mut row = usual.to_vec();
        row[latency] *= factor;
        assert_eq!(model.far_from_training(&row, 10.0), far, "{factor}");
    }
    Ok(())
}

#[test]
fn wide_models_and_their_blend_by_folds_are_served() -> Result<(), BoxError> {
    let results = run(Experiment::new(Rule::v1())
        .with_model(line("line"))
        .with_model(standard().get("boosted_trees_wide")?)
        .with_model(standard().get("logistic_wide")?)
        .with_model(Model::blend(
            "by folds",
            ["line", "boosted_trees_wide", "logistic_wide"],
            Blending::Folds,
        )))?;
    for (name, expected) in results.sets() {
        assert_fleet(&results.to_envelope(name)?, expected)?;
    }
    // The other service, hours before, and failures so far are among the columns; no future is.
    let saved = results.to_envelope("by folds")?.pipeline.ok_or("a pipeline")?.to_string();
    for part in ["last(login.error_rate)", "failure_history", "recent_normal", "calendar"] {
        assert!(saved.contains(part), "{part}");
    }
    let is_future = |check: &&forewarn_eval::LeakCheck| check.name.contains("future");
    let checks: Vec<_> = results.report().audit.iter().filter(is_future).collect();
    assert_eq!(checks.len(), 4);
    let leaks: Vec<_> =
        checks.iter().filter(|check| check.finding != forewarn_eval::Finding::Clean).collect();
    assert!(leaks.is_empty(), "{leaks:?}");
    Ok(())
}

#[test]
fn wide_models_that_know_who_calls_whom_are_served() -> Result<(), BoxError> {
    let wide = |graph: Option<&str>| -> Result<_, BoxError> {
        let experiment =
            Experiment::new(Rule::v1()).with_model(line("line")).with_model(standard().get("logistic_wide")?);
        let graph = graph.map(ServiceGraph::from_edge_list).transpose()?;
        Ok(run(match graph {
            Some(graph) => experiment.with_graph(graph),
            None => experiment,
        })?)
    };
    let with = wide(Some("cart login\nlogin accounts"))?;
    for (name, expected) in with.sets() {
        assert_fleet(&with.to_envelope(name)?, expected)?;
    }
    let pipeline = |results: &Results| -> Result<_, BoxError> {
        Ok(results.to_envelope("logistic_wide")?.pipeline.ok_or("a pipeline")?.to_string())
    };
    assert!(pipeline(&with)?.contains("dependencies"));
    // A graph that joins none of the services tells less than their names.
    for graph in [None, Some("login accounts")] {
        let results = wide(graph)?;
        let saved = pipeline(&results)?;
        assert!(!saved.contains("dependencies") && saved.contains("last(login.error_rate)"), "{graph:?}");
        // Models that are not wide do not change.
        assert_eq!(results.sets().next(), with.sets().next());
    }
    Ok(())
}
