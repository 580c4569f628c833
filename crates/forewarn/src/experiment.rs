//! Experiments: fit every model of a list on the same windows, choose thresholds on validation, evaluate on test, compare.
//!
//! What joins the stages lives here, so that examples, a command line and a live service share it. An [`Experiment`] is the question (failure
//! rule, target, window, split) and the models; [`Data`] is the metrics; [`Experiment::run`] gives [`Results`]: a
//! [`Report`](forewarn_eval::Report), the pictures that go with it, and every score of the test span.

mod data;
mod error;
mod fit;
mod fleet_graph;
mod model;
mod observer;
mod report;
mod results;
mod root_cases;
mod standard;
mod topology;
mod truth;

pub use data::Data;
pub use error::ExperimentError;
pub use fleet_graph::fleet_graph;
pub use model::{Model, Rows};
pub use observer::{Event, Observer, TextObserver};
pub use results::{Results, make_folder};
pub use root_cases::RootCase;
pub use standard::StandardModels;

use fit::Material;
use forewarn_core::{FailureRule, Samples, Split, Target, WindowSpec};
use forewarn_label::label;
use forewarn_schema::{FrameSet, Kind};
use forewarn_topology::TopologyFeatures;
use forewarn_window::{Carried, Features, Fractions, Method, Pipeline, Scope, carry_forward, chronological};
use topology::{Columns, OfMetrics};

/// A question and the models that are to answer it.
pub struct Experiment {
    rule: Box<dyn FailureRule + Sync>,
    target: Target,
    spec: WindowSpec,
    fractions: Fractions,
    features: Features,
    scope: Scope,
    carry_steps: usize,
    topology: Option<TopologyFeatures>,
    models: Vec<Model>,
}

impl Experiment {
    /// Steps for which a gap in the metrics takes the last value before it, unless [`carry_steps`](Self::carry_steps) says otherwise.
    pub const CARRY_STEPS: usize = 5;

    /// Deviations at which normalised features are cut off, so that a metric that never moved in training cannot drown the others.
    pub const DEVIATION_LIMIT: f32 = 20.0;

    /// An experiment on failures by `rule`, with no models yet; target, window, split and features are the defaults of their types.
    pub fn new(rule: impl FailureRule + Sync + 'static) -> Self {
        Self {
            rule: Box::new(rule),
            target: Target::default(),
            spec: WindowSpec::default(),
            fractions: Fractions::default(),
            features: Features::default(),
            scope: Scope::default(),
            carry_steps: Self::CARRY_STEPS,
            topology: None,
            models: Vec::new(),
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

    /// Columns that fitted models see.
    #[must_use]
    pub fn features(mut self, features: Features) -> Self {
        self.features = features;
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
        let metrics = frames.retain_metrics(|metric| metric.kind != Kind::Outcome)?;
        let (features, carried) = self.prepare(&metrics, &split)?;
        stage(format!(
            "{} train, {} validation and {} test windows of {} features",
            split.train().len(),
            split.validation().len(),
            split.test().len(),
            features.schema().len()
        ));

        let material = Material { metrics: &metrics, features: &features, split: &split };
        let scores = fit::fit_all(&mut self.models, &material, observer)?;
        stage("evaluating".to_owned());
        let data = Data { frames: metrics, ..data };
        self.report(&data, &labels, &split, &features, carried, scores)
    }

    fn check_models(&self) -> Result<(), ExperimentError> {
        if self.models.is_empty() {
            return Err(ExperimentError::NoModels);
        }
        for (index, model) in self.models.iter().enumerate() {
            if self.models[..index].iter().any(|earlier| earlier.name == model.name) {
                return Err(ExperimentError::DuplicateModel { name: model.name.clone() });
            }
        }
        Ok(())
    }

    /// Features of every row, normalised by training rows, and what became of missing cells.
    fn prepare(&mut self, metrics: &FrameSet, split: &Split) -> Result<(FrameSet, Carried), ExperimentError> {
        let (mut filled, carried) = carry_forward(metrics.clone(), self.carry_steps)?;
        let mut features = std::mem::take(&mut self.features);
        if let Some(topology) = &self.topology {
            let metrics = filled.schema().clone();
            filled = topology.append(&filled)?;
            // Features of the metrics stay what they are without a graph, so that with and without differ by its columns alone.
            features = Features::new()
                .with(OfMetrics { features, metrics })
                .with(Columns { metrics: topology.columns() });
        }
        let pipeline = Pipeline::fit(features, split.train(), &filled, Method::ZScore, self.scope, 1)?
            .with_limit(Self::DEVIATION_LIMIT)?;
        Ok((pipeline.apply(&filled)?, carried))
    }
}

/// Refuses a split in which some part lacks positive or negative windows, with what that part is for.
fn check_classes(split: &Split) -> Result<(), ExperimentError> {
    let parts: [(&'static str, &Samples, &'static str); 3] = [
        ("train", split.train(), "learnt"),
        ("validation", split.validation(), "chosen by it"),
        ("test", split.test(), "measured on it"),
    ];
    for (part, samples, used) in parts {
        let (positives, windows) = (samples.positives(), samples.len());
        if let Some((from, to)) = samples.time_span().filter(|_| positives == 0 || positives == windows) {
            return Err(ExperimentError::SingleClass { part, from, to, positives, windows, used });
        }
    }
    Ok(())
}
