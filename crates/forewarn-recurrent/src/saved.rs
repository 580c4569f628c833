//! A model as a file, and back.

use crate::{
    Cell, Output, Pooling, RecurrentModel,
    input::services::Services,
    network::shape::{Embedding, Shape},
    settings::{EMBEDDING_LIMIT, LAYER_LIMIT, MEMBER_LIMIT, PERIOD_LIMIT, SIDE_LIMIT},
};
use forewarn_core::{CoreError, Envelope, ModelFileError, Registry, Save, Tensor, WindowSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Key of the [`History`](crate::History) in a saved model's metadata.
const HISTORY: &str = "history";

/// What decides the shapes of the tensors, beside the kind and the schema.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    hidden: usize,
    head: Option<usize>,
    members: usize,
    #[serde(default = "one")]
    layers: usize,
    #[serde(default)]
    pooling: Pooling,
    #[serde(default)]
    output: Output,
    #[serde(default)]
    services: Option<Described>,
}

/// The services that a network describes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    width: usize,
    /// In the order of their descriptions, after that of unknown services.
    names: Services,
}

fn one() -> usize {
    1
}

/// A tensor's name in the file: plain for a single network, so that PyTorch can load it as it is.
fn tensor_name(name: &str, member: usize, members: usize) -> String {
    if members == 1 { name.to_owned() } else { format!("members.{member}.{name}") }
}

impl RecurrentModel {
    /// The model in an envelope of kind `"lstm"` or `"gru"`.
    ///
    /// # Errors
    /// [`ModelFileError::WrongKind`]; [`ModelFileError::NotAModel`] for parameters that it cannot have or a tensor
    /// too many; [`ModelFileError::MissingTensor`], [`ModelFileError::TensorShape`], [`ModelFileError::NotFinite`]
    /// for its weights; in [`ModelFileError::Core`], [`CoreError::NotFinite`] or [`CoreError::TooLarge`] for sums of
    /// them, and [`CoreError::InvalidSetting`] for a window or a network beyond what fits into memory.
    pub fn from_envelope(mut envelope: Envelope) -> Result<Self, ModelFileError> {
        let cell = [Cell::Lstm, Cell::Gru].into_iter().find(|cell| cell.kind() == envelope.kind).ok_or_else(
            || ModelFileError::WrongKind { expected: "lstm or gru".to_owned(), got: envelope.kind.clone() },
        )?;
        let refuse = |reason: String| ModelFileError::not_a_model(reason);
        let Parameters { hidden, head, members, layers, pooling, output, services } =
            envelope.take_parameters()?;
        let outputs = match output {
            Output::Probability => 1,
            Output::Hazard => envelope.window.period(),
        };
        let has_services = services.is_some();
        let width = services.as_ref().map_or(1, |services| services.width);
        for (what, value, limit) in [
            ("hidden", hidden, SIDE_LIMIT),
            ("head", head.unwrap_or(1), SIDE_LIMIT),
            ("members", members, MEMBER_LIMIT),
            ("layers", layers, LAYER_LIMIT),
            ("service width", width, EMBEDDING_LIMIT),
            ("period of a hazard", outputs, PERIOD_LIMIT),
        ] {
            if !(1..=limit).contains(&value) {
                return Err(refuse(format!("{what} is {value}: expected 1 to {limit}")));
            }
        }
        let services = services.map_or_else(Services::default, |services| services.names);
        if !services.is_in_order() {
            return Err(refuse("names of services do not ascend".to_owned()));
        }
        let embedding = has_services.then_some(Embedding { services: services.len(), width });
        let inputs = envelope.schema.len();
        let shape = Shape { cell, inputs, embedding, hidden, layers, pooling, head, outputs };
        // Their numbers, and the same packed.
        Self::expect_size(shape, envelope.window.observation(), 1, 2 * members)?;
        let mut networks = Vec::new();
        for member in 0..members {
            let mut weights = Vec::new();
            for part in shape.parts() {
                weights.extend(envelope.take_tensor(&tensor_name(&part.name, member, members), &part.shape)?);
            }
            networks.push(weights);
        }
        if let Some(name) = envelope.tensors.keys().next() {
            return Err(refuse(format!("tensor {name:?} is not part of a {cell} of {members} networks")));
        }
        let history = match envelope.metadata.remove(HISTORY) {
            Some(history) => serde_json::from_value(history).map_err(|error| refuse(error.to_string()))?,
            None => Vec::new(),
        };
        let window = envelope.window;
        let model = Self::new(shape, output, envelope.schema, window.observation(), services, networks)?;
        Ok(Self { history, metadata: envelope.metadata, window: Some(window), ..model })
    }
}

/// As an envelope of kind `"lstm"` or `"gru"`, whose `metadata` holds settings and history: add what else should be
/// saved.
impl Save for RecurrentModel {
    /// The model as a saved one, for windows of `window`.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] when `window` observes another number of rows than the model was fitted on;
    /// [`CoreError::InvalidSetting`] when it has another lead time or period, where the windows of the fit knew
    /// theirs, or a period beyond 4096 steps for a hazard; both in [`ModelFileError::Core`].
    fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
        window.expect_observation(self.observation)?;
        let refuse = |error: serde_json::Error| ModelFileError::not_a_model(error.to_string());
        let Shape { hidden, head, layers, pooling, outputs, embedding, .. } = self.shape;
        let output = self.output;
        let other = self.window.is_some_and(|own| own != window);
        if other || (output == Output::Hazard && outputs != window.period()) {
            return Err(CoreError::InvalidSetting {
                name: "window",
                value: format!("{} steps ahead, {} long", window.lead(), window.period()),
                expected: "the lead time and period that the model was fitted for",
            }
            .into());
        }
        let services =
            embedding.map(|Embedding { width, .. }| Described { width, names: self.services.clone() });
        let members = self.members.len();
        let parameters = Parameters { hidden, head, members, layers, pooling, output, services };
        let mut metadata = self.metadata.clone();
        metadata.insert(HISTORY.to_owned(), serde_json::to_value(&self.history).map_err(refuse)?);
        let mut tensors = BTreeMap::new();
        for (member, weights) in self.members.iter().enumerate() {
            for part in self.shape.parts() {
                let tensor = Tensor::new(part.shape, weights[part.range].to_vec())?;
                tensors.insert(tensor_name(&part.name, member, members), tensor);
            }
        }
        let envelope = Envelope::new(self.shape.cell.kind(), self.schema.clone(), window);
        Ok(Envelope { metadata, tensors, ..envelope.with_parameters(&parameters)? })
    }
}

/// The registry with LSTM and GRU more.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    [Cell::Lstm, Cell::Gru].into_iter().fold(registry, |registry, cell| {
        registry
            .with_predictor(cell.kind(), |envelope, _| Ok(Box::new(RecurrentModel::from_envelope(envelope)?)))
    })
}
