//! A model from a file, with all that makes its rows.

use crate::{LiveError, Serving, serving::expect_columns, standard_registry};
use forewarn_core::{AlarmPolicy, Envelope, Feature, Fingerprint, Predictor, Registry, WindowSpec};
use forewarn_label::Rule;
use forewarn_schema::{Schema, Step};
use forewarn_topology::TopologyFeatures;
use forewarn_window::{BoundPipeline, Pipeline};
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, fmt, io::Read};

/// A fitted model and all that makes its rows from metrics: what a live service runs.
pub struct ServedModel {
    pub(crate) predictor: Box<dyn Predictor>,
    pub(crate) pipeline: Option<BoundPipeline>,
    pub(crate) graph: Option<ServedGraph>,
    window: WindowSpec,
    serving: Serving,
    rule: Option<Rule>,
    metadata: BTreeMap<String, Value>,
    fingerprint: Fingerprint,
}

/// Columns of a service graph, as they are made of live rows.
pub(crate) struct ServedGraph {
    pub(crate) filling: Box<dyn Feature>,
    pub(crate) features: TopologyFeatures,
}

impl fmt::Debug for ServedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedModel").field("serving", &self.serving).finish_non_exhaustive()
    }
}

impl ServedModel {
    /// Reads a file that [`Serving::add_to`] completed.
    ///
    /// # Errors
    /// [`LiveError::NotServable`] for a model without [`Serving`] beside it; [`LiveError::ModelFile`] for a file that
    /// is damaged, foreign or too large, or a kind of model that is not forewarn's; [`LiveError::Window`] for a
    /// pipeline that cannot be read.
    pub fn read(from: impl Read) -> Result<Self, LiveError> {
        Self::from_envelope(Envelope::read(from)?)
    }

    /// The same from an envelope that has been read, or just been made.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn from_envelope(envelope: Envelope) -> Result<Self, LiveError> {
        Self::from_envelope_with(envelope, &standard_registry())
    }

    /// The same where `registry` knows kinds of one's own: add them to a [`standard_registry`].
    ///
    /// # Errors
    /// As [`read`](Self::read), and those of the readers.
    pub fn from_envelope_with(mut envelope: Envelope, registry: &Registry) -> Result<Self, LiveError> {
        let mut file = Vec::new();
        envelope.write(&mut file)?;
        let fingerprint = Fingerprint::of("model").and(&file)?;
        let kind = envelope.kind.clone();
        let serving = envelope.metadata.remove(Serving::KEY);
        let serving = serving.ok_or_else(|| LiveError::NotServable { kind: kind.clone() })?;
        let unreadable = |source| LiveError::Unreadable { kind: kind.clone(), source };
        let mut serving = Serving::deserialize(serving).map_err(unreadable)?;
        if let Some(policy) = envelope.policy.take() {
            serving.policy = Some(AlarmPolicy::deserialize(policy).map_err(unreadable)?);
        }
        let rule = serving.rule.as_ref().map(Rule::deserialize).transpose().map_err(unreadable)?;
        let saved = envelope.pipeline.take();
        let pipeline = saved.map(|saved| Pipeline::from_saved(&saved, registry)).transpose()?;
        let (window, metadata) = (envelope.window, envelope.metadata.clone());
        let predictor = registry.predictor(envelope)?;
        let sources = serving.sources()?;
        expect_columns(predictor.input(), &sources, pipeline.as_ref())?;
        let bind = |pipeline: Pipeline| pipeline.bind(&sources, predictor.observation());
        let pipeline = pipeline.map(bind).transpose()?;
        let graph = serving.graph.as_ref().map(|saved| {
            let features = TopologyFeatures::from_saved(&saved.columns)?;
            Ok::<_, LiveError>(ServedGraph { filling: registry.feature(&saved.filling)?, features })
        });
        let graph = graph.transpose()?;
        Ok(Self { predictor, pipeline, graph, window, serving, rule, metadata, fingerprint })
    }

    /// The model itself, which reads rows as the pipeline makes them.
    #[must_use]
    pub fn predictor(&self) -> &dyn Predictor {
        &*self.predictor
    }

    /// Metrics of a row that is pushed, in order.
    #[must_use]
    pub fn metrics(&self) -> &Schema {
        &self.serving.metrics
    }

    /// Whether a row is made of those of other services too, by a service graph: all services then have to be scored
    /// together, by a [`LiveFleet`](crate::LiveFleet).
    #[must_use]
    pub fn reads_other_services(&self) -> bool {
        self.graph.is_some()
    }

    /// Time between rows.
    #[must_use]
    pub fn step(&self) -> Step {
        self.serving.step
    }

    /// What a score looks at and speaks about.
    #[must_use]
    pub fn window(&self) -> WindowSpec {
        self.window
    }

    /// How scores become alarms, where the file says so: for an [`AlarmMachine`](forewarn_core::AlarmMachine) of each
    /// service.
    #[must_use]
    pub fn policy(&self) -> Option<AlarmPolicy> {
        self.serving.policy
    }

    /// The failure rule that it was trained for, where the file has it as data.
    #[must_use]
    pub fn rule(&self) -> Option<&Rule> {
        self.rule.as_ref()
    }

    /// What else the file says.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, Value> {
        &self.metadata
    }

    /// Which model it is: equal for files of equal bytes, on every machine.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The first metric of a row that lies more than `factor` times beyond all that training has seen of it: larger
    /// than `factor` times the largest, or not 0 and smaller than the smallest over `factor`. Looks at metrics
    /// without an upper limit that were positive in training, where a wrong unit shows; a ratio out of its range is
    /// refused before. `None` where nothing is, or ranges are not known.
    #[must_use]
    pub fn far_from_training(&self, row: &[f32], factor: f32) -> Option<&str> {
        let metrics = self.serving.metrics.metrics();
        let beyond = metrics.iter().zip(&self.serving.ranges).zip(row).find(|((metric, range), value)| {
            let Some([least, most]) = **range else { return false };
            let value = **value;
            let is_unlimited = !metric.range.max().is_finite();
            is_unlimited
                && least >= 0.0
                && most > 0.0
                && (value > most * factor || (value > 0.0 && value < least / factor))
        });
        beyond.map(|((metric, _), _)| metric.name.as_str())
    }
}
