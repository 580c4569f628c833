#![doc = include_str!("../README.md")]

mod audit;
mod classes;
mod data;
mod error;
mod fit;
mod fitted_model;
mod fleet_graph;
mod ground_truth;
mod model;
mod models;
mod observer;
mod prepare;
mod report;
mod results;
mod root_cases;
mod running;
mod simulated;
mod standard;
mod truth;
mod walk;

pub use data::Data;
pub use error::ExperimentError;
pub use fleet_graph::fleet_graph;
pub use ground_truth::{GroundTruth, TrueFailure};
pub use model::{Blending, Model, Rows};
pub use models::NotSaved;
pub use observer::{Event, Observer, TextObserver};
pub use results::{Results, make_folder};
pub use root_cases::RootCase;
pub use simulated::Simulated;
pub use standard::StandardModels;

use classes::ClassRule;
use fit::Material;
use forewarn_core::{FailureRule, Feature, Samples, Split, Target, WindowSpec};
use forewarn_eval::Delays;
use forewarn_label::label;
use forewarn_schema::Kind;
use forewarn_topology::TopologyFeatures;
use forewarn_window::{Features, Fractions, Pipeline, Scope, chronological};
use model::{Origin, position_of_states, positions};
use models::Models;
use prepare::Prepared;
use report::{Found, Reported};
use walk::Ground;

/// A question and the models that are to answer it.
pub struct Experiment {
    rule: Box<dyn FailureRule>,
    target: Target,
    spec: WindowSpec,
    fractions: Fractions,
    features: Features,
    /// Whether models see what the rule says of each row; `None` leaves it to the target.
    verdicts: Option<bool>,
    /// What the rule says of each row, once it is known that models see it.
    shown: Option<Box<dyn Feature>>,
    scope: Scope,
    carry_steps: usize,
    topology: Option<TopologyFeatures>,
    models: Vec<Model>,
    class_rules: Vec<ClassRule>,
    delays: Delays,
    refit_days: Option<usize>,
}

impl Experiment {
    /// Steps for which a gap in the metrics takes the last value before it, unless [`carry_steps`](Self::carry_steps) says otherwise.
    pub const CARRY_STEPS: usize = 5;

    /// Deviations at which normalised features are cut off, so that a metric that never moved in training cannot drown the others.
    pub const DEVIATION_LIMIT: f32 = 20.0;

    /// An experiment on failures by `rule`, with no models yet; target, window, split and features are the defaults of their types.
    pub fn new(rule: impl FailureRule + 'static) -> Self {
        Self {
            rule: Box::new(rule),
            target: Target::default(),
            spec: WindowSpec::default(),
            fractions: Fractions::default(),
            features: Features::default(),
            verdicts: None,
            shown: None,
            scope: Scope::default(),
            carry_steps: Self::CARRY_STEPS,
            topology: None,
            models: Vec::new(),
            class_rules: Vec::new(),
            delays: Delays::default(),
            refit_days: None,
        }
    }

    /// What a positive label states.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// What a prediction looks at and speaks about.
    #[must_use]
    pub fn window(mut self, spec: WindowSpec) -> Self {
        self.spec = spec;
        self
    }

    /// How the time is split.
    #[must_use]
    pub fn split(mut self, fractions: Fractions) -> Self {
        self.fractions = fractions;
        self
    }

    /// Columns that fitted models see, before the [verdicts](Self::with_verdicts) of the failure rule, if they see these.
    #[must_use]
    pub fn features(mut self, features: Features) -> Self {
        self.features = features;
        self
    }

    /// Shows fitted models what the failure rule's conditions say of each row as well ([`FailureRule::verdicts`]).
    ///
    /// Unless told they see them for [`Target::Active`], whose windows may end in a failure: whether they do is much of the answer, and where the
    /// limits lie is hard to learn from examples. For [`Target::Onset`] such windows are left out, and the columns, nearly always 0, are worth
    /// nothing, unless conditions look back further than the window, such as those of a burn rate.
    ///
    /// They are those of the metrics as they were measured: nothing is carried over a gap. [`features`](Self::features) need not, and cannot,
    /// name them as well.
    #[must_use]
    pub fn with_verdicts(mut self) -> Self {
        self.verdicts = Some(true);
        self
    }

    /// Does not show them: models have to learn where the limits lie.
    #[must_use]
    pub fn without_verdicts(mut self) -> Self {
        self.verdicts = Some(false);
        self
    }

    /// Whose mean and deviation features are measured against.
    #[must_use]
    pub fn normalise(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Steps for which a gap takes the last value before it; 0 to leave gaps as they are.
    #[must_use]
    pub fn carry_steps(mut self, steps: usize) -> Self {
        self.carry_steps = steps;
        self
    }

    /// Columns of the service graph, which fitted models then see beside the metrics, as they are: for each service, trouble in the services
    /// that it calls. Baselines that watch one metric do not see them.
    #[must_use]
    pub fn topology(mut self, topology: TopologyFeatures) -> Self {
        self.topology = Some(topology);
        self
    }

    /// What stands between an alarm and a person who can act on it: net lead times have it taken off.
    #[must_use]
    pub fn delays(mut self, delays: Delays) -> Self {
        self.delays = delays;
        self
    }

    /// One more model. They are fitted in the order in which they are added, as many at a time as there are processors.
    #[must_use]
    pub fn model(mut self, model: Model) -> Self {
        self.models.push(model);
        self
    }

    /// Runs the experiment.
    ///
    /// Memory: the frames, their features, and what the models need.
    ///
    /// # Errors
    /// [`ExperimentError::NoFailures`] when the rule is never satisfied, [`ExperimentError::SingleClass`] when a part of the split lacks a
    /// class, [`ExperimentError::Model`] for the first model that fails, and the stages' own.
    pub fn run(mut self, data: Data, observer: &dyn Observer) -> Result<Results, ExperimentError> {
        self.check_models()?;
        let stage = |text: String| observer.event(Event::Stage(&text));
        let (rows, services) = (data.frames.layout().rows(), data.frames.layout().services().len());
        stage(format!(
            "{}: {rows} rows, services: {services}, columns: {}",
            data.description,
            data.frames.schema().len()
        ));

        let labels = label(&data.frames, &*self.rule, self.spec, self.target)?;
        let episodes: usize = labels.episodes().iter().map(|episodes| episodes.len()).sum();
        if episodes == 0 {
            return Err(ExperimentError::NoFailures { rule: self.rule.describe(), rows, services });
        }
        stage(format!("{episodes} failure episodes by the rule: {}", self.rule.describe()));

        let split = chronological(&labels, self.fractions)?;
        check_classes(&split)?;
        let Data { frames, .. } = data;
        if self.verdicts.unwrap_or(self.target == Target::Active) {
            self.shown = self.rule.verdicts(frames.schema());
        }
        let mut classes = data.classes;
        classes.push(classes::by_rule(&self.class_rules, &frames)?);
        if let Some(truth) = &data.truth {
            classes.extend(truth.classes(&*self.rule)?);
        }
        let metrics = frames.retain_metrics(|metric| metric.kind != Kind::Outcome)?;
        let features = self.take_features(metrics.schema())?;
        let prepared = self.prepare(features, &metrics, &split)?;
        stage(format!(
            "{} train, {} validation and {} test windows of {} features",
            split.train().len(),
            split.validation().len(),
            split.test().len(),
            prepared.derived.features.schema().len()
        ));

        let material = Material { metrics: &metrics, derived: &prepared.derived, split: &split };
        let fitted = fit::fit_all(&mut self.models, &material, observer)?;
        stage("evaluating".to_owned());
        let data = Data { frames: metrics, classes, ..data };
        let found = Found { labels: &labels, split: &split, prepared: &prepared, fitted: &fitted };
        let Reported { mut report, pictures, scored } = self.report(&data, &found)?;
        let Prepared { mut pipeline, derived } = prepared;
        drop(derived);
        if let Some(days) = self.refit_days {
            let ground = Ground { metrics: &data.frames, labels: &labels, split: &split };
            let normaliser = pipeline.normaliser().clone();
            let walk = self.walk(days, pipeline.into_features(), &ground, &report, &scored, observer)?;
            report.walk_forward = Some(walk.report);
            pipeline = Pipeline::new(walk.features, normaliser);
        }
        let models = Models {
            fitted,
            pipeline,
            metrics: data.frames.schema().clone(),
            step: data.frames.layout().step(),
            window: self.spec,
            has_topology: self.topology.is_some(),
        };
        Ok(Results { report, pictures, scored, models })
    }

    fn check_models(&self) -> Result<(), ExperimentError> {
        if self.models.is_empty() {
            return Err(ExperimentError::NoModels);
        }
        for (index, model) in self.models.iter().enumerate() {
            if self.models[..index].iter().any(|earlier| earlier.name == model.name) {
                return Err(ExperimentError::DuplicateModel { name: model.name.clone() });
            }
            match &model.origin {
                Origin::Fit { .. } => {}
                Origin::Blend { members, .. } => {
                    positions(&self.models, &model.name, members)?;
                }
                Origin::Running { of } => {
                    position_of_states(&self.models, &model.name, of)?;
                }
            }
        }
        Ok(())
    }
}

/// Refuses a split in which some part lacks positive or negative windows, with what that part is for.
fn check_classes(split: &Split) -> Result<(), ExperimentError> {
    check_part("train", split.train(), "learnt")?;
    check_part("validation", split.validation(), "chosen by it")?;
    check_part("test", split.test(), "measured on it")
}

fn check_part(part: &'static str, samples: &Samples, used: &'static str) -> Result<(), ExperimentError> {
    let (positives, windows) = (samples.positives(), samples.len());
    match samples.time_span().filter(|_| positives == 0 || positives == windows) {
        Some((from, to)) => Err(ExperimentError::SingleClass { part, from, to, positives, windows, used }),
        None => Ok(()),
    }
}
