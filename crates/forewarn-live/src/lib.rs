#![doc = include_str!("../README.md")]

mod error;
mod live;
mod registry;

pub use error::LiveError;
pub use live::LiveService;
pub use registry::standard_registry;

use forewarn_core::{AlarmPolicy, CoreError, Envelope, Predictor, Pushed, Registry, Score, WindowSpec};
use forewarn_schema::{Schema, Step, Timestamp};
use forewarn_window::{BoundPipeline, Pipeline};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, io::Read};

/// What a program has to know to serve a model, beside the model and the pipeline that makes its rows.
///
/// It lies in the metadata of an [`Envelope`], under [`KEY`](Self::KEY), the policy beside the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serving {
    /// Metrics of a row as it is measured, in order.
    pub metrics: Schema,
    /// Time between rows.
    pub step: Step,
    /// How scores become alarms. Written as the envelope's own [`policy`](Envelope::policy); files of version 1 have it here.
    #[serde(default, skip_serializing)]
    pub policy: Option<AlarmPolicy>,
}

impl Serving {
    /// Where it lies in the metadata.
    pub const KEY: &str = "serving";

    /// Makes `envelope` a file that can be served: puts this, and the pipeline that makes rows of the model from rows of metrics, beside the
    /// model. Without a pipeline the model reads the metrics as they are.
    ///
    /// # Errors
    /// [`LiveError::Unwritable`] for a feature that cannot be saved; [`LiveError::Window`] for a pipeline that cannot work on these metrics,
    /// and [`LiveError::Core`] where the model reads other columns than are made.
    pub fn add_to(&self, envelope: &mut Envelope, pipeline: Option<&Pipeline>) -> Result<(), LiveError> {
        expect_columns(&envelope.schema, &self.metrics, pipeline)?;
        let unwritable = |source| LiveError::Unwritable { source };
        envelope.pipeline = pipeline.map(serde_json::to_value).transpose().map_err(unwritable)?;
        envelope.policy = self.policy.map(serde_json::to_value).transpose().map_err(unwritable)?;
        let value = serde_json::to_value(self).map_err(unwritable)?;
        envelope.metadata.insert(Self::KEY.to_owned(), value);
        Ok(())
    }
}

/// Refuses a model that reads other columns than are made of the metrics.
fn expect_columns(model: &Schema, metrics: &Schema, pipeline: Option<&Pipeline>) -> Result<(), LiveError> {
    let made = pipeline.map(|pipeline| pipeline.schema(metrics)).transpose()?;
    let made = made.as_ref().unwrap_or(metrics);
    if model.names().eq(made.names()) {
        return Ok(());
    }
    let names = |schema: &Schema| schema.names().map(str::to_owned).collect();
    Err(CoreError::FeatureMismatch { expected: names(model), got: names(made) }.into())
}

/// A fitted model and all that makes its rows from metrics: what a live service runs.
pub struct ServedModel {
    predictor: Box<dyn Predictor>,
    pipeline: Option<BoundPipeline>,
    window: WindowSpec,
    serving: Serving,
    metadata: BTreeMap<String, Value>,
}

impl ServedModel {
    /// Reads a file that [`Serving::add_to`] completed.
    ///
    /// # Errors
    /// [`LiveError::NotServable`] for a model without [`Serving`] beside it; [`LiveError::ModelFile`] for a file that is damaged, foreign or too
    /// large, or a kind of model that is not forewarn's; [`LiveError::Window`] for a pipeline that cannot be read.
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
        let kind = envelope.kind.clone();
        let serving = envelope.metadata.remove(Serving::KEY);
        let serving = serving.ok_or_else(|| LiveError::NotServable { kind: kind.clone() })?;
        let unreadable = |source| LiveError::Unreadable { kind: kind.clone(), source };
        let mut serving = Serving::deserialize(serving).map_err(unreadable)?;
        if let Some(policy) = envelope.policy.take() {
            serving.policy = Some(AlarmPolicy::deserialize(policy).map_err(unreadable)?);
        }
        let saved = envelope.pipeline.take();
        let pipeline = saved.map(|saved| Pipeline::from_saved(&saved, registry)).transpose()?;
        let (window, metadata) = (envelope.window, envelope.metadata.clone());
        let predictor = registry.predictor(envelope)?;
        expect_columns(predictor.input(), &serving.metrics, pipeline.as_ref())?;
        let bind = |pipeline: Pipeline| pipeline.bind(&serving.metrics, predictor.observation());
        let pipeline = pipeline.map(bind).transpose()?;
        Ok(Self { predictor, pipeline, window, serving, metadata })
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

    /// What else the file says.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, Value> {
        &self.metadata
    }

    /// A service of which nothing has been seen; its first row will be that of `start`.
    ///
    /// # Errors
    /// [`LiveError::Core`] for a service without a name.
    pub fn start(&self, service: &str, start: Timestamp) -> Result<LiveService, LiveError> {
        LiveService::new(self, service, start)
    }

    /// Takes the row of a service at `time` and gives the score of the window that ends in it; `None` until there are
    /// enough rows. Rows that never
    /// came count as missing, and are counted.
    ///
    /// The score is that of the same window in a batch, bit for bit. Features that remember longer than a window are
    /// those of a service whose
    /// rows began at the start: let a service go through some of its past first, where there is some.
    ///
    /// # Errors
    /// [`LiveError::Core`] for a row that is late, repeated, off the clock, or that no frame could hold, such as one
    /// of another width or with an
    /// infinity, which leaves the service as it was; and the predictor's own.
    pub fn push_at(
        &self,
        service: &mut LiveService,
        time: Timestamp,
        row: &[f32],
    ) -> Result<Pushed<Option<Score>>, LiveError> {
        service.push_at(self, time, row)
    }
}
