//! What lies in a model's file so that it can be served.

use crate::LiveError;
use forewarn_core::{AlarmPolicy, CoreError, Envelope, Feature};
use forewarn_schema::{Schema, Step};
use forewarn_topology::TopologyFeatures;
use forewarn_window::Pipeline;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Columns of a service graph that the pipeline reads behind the metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<GraphColumns>,
    /// The failure rule that the model was trained for, as a rule file in JSON has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Value>,
    /// Smallest and largest value of each metric in the training rows, `None` for one that has none; empty where they are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Option<[f32; 2]>>,
}

/// Columns of a service graph that a model reads, as they are saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphColumns {
    /// What fills short gaps of the metrics before the columns are made of them: a saved feature.
    pub filling: Value,
    /// The graph and its settings: [`TopologyFeatures::saved`].
    pub columns: Value,
}

impl GraphColumns {
    /// Of these features, made of metrics whose gaps `filling` fills.
    ///
    /// # Errors
    /// [`LiveError::UnsavedFeature`] for a filling that cannot be saved, [`LiveError::Topology`].
    pub fn new(filling: &dyn Feature, features: &TopologyFeatures) -> Result<Self, LiveError> {
        let filling = filling.saved().ok_or(LiveError::UnsavedFeature { what: "the filling of gaps" })?;
        Ok(Self { filling, columns: features.saved()? })
    }
}

impl Serving {
    /// Where it lies in the metadata.
    pub const KEY: &str = "serving";

    /// Rows of these metrics at this step, and nothing else.
    #[must_use]
    pub fn new(metrics: Schema, step: Step) -> Self {
        Self { metrics, step, policy: None, graph: None, rule: None, ranges: Vec::new() }
    }

    /// Makes `envelope` a file that can be served: puts this, and the pipeline that makes rows of the model from rows of metrics, beside the
    /// model. Without a pipeline the model reads the metrics as they are.
    ///
    /// # Errors
    /// [`LiveError::Unwritable`] for a feature that cannot be saved; [`LiveError::Window`] for a pipeline that cannot work on these metrics,
    /// and [`LiveError::Core`] where the model reads other columns than are made.
    pub fn add_to(&self, envelope: &mut Envelope, pipeline: Option<&Pipeline>) -> Result<(), LiveError> {
        expect_columns(&envelope.schema, &self.sources()?, pipeline)?;
        let unwritable = |source| LiveError::Unwritable { source };
        envelope.pipeline = pipeline.map(serde_json::to_value).transpose().map_err(unwritable)?;
        envelope.policy = self.policy.map(serde_json::to_value).transpose().map_err(unwritable)?;
        let value = serde_json::to_value(self).map_err(unwritable)?;
        envelope.metadata.insert(Self::KEY.to_owned(), value);
        Ok(())
    }

    /// What the pipeline reads: the metrics, and the columns of the service graph behind them.
    pub(crate) fn sources(&self) -> Result<Schema, LiveError> {
        let Some(graph) = &self.graph else { return Ok(self.metrics.clone()) };
        let columns = TopologyFeatures::from_saved(&graph.columns)?.columns();
        Ok(Schema::new([self.metrics.metrics(), &columns].concat()).map_err(CoreError::from)?)
    }
}

/// Refuses a model that reads other columns than are made of the sources.
pub(crate) fn expect_columns(
    model: &Schema,
    sources: &Schema,
    pipeline: Option<&Pipeline>,
) -> Result<(), LiveError> {
    let made = pipeline.map(|pipeline| pipeline.schema(sources)).transpose()?;
    let made = made.as_ref().unwrap_or(sources);
    if model.names().eq(made.names()) {
        return Ok(());
    }
    let names = |schema: &Schema| schema.names().map(str::to_owned).collect();
    Err(CoreError::FeatureMismatch { expected: names(model), got: names(made) }.into())
}
