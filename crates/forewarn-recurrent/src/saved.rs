//! A model as a file, and back.

use crate::{
    Cell, RecurrentModel,
    settings::{MEMBER_LIMIT, SIDE_LIMIT},
    shape::Shape,
};
use forewarn_core::{CoreError, Envelope, Tensor, WindowSpec};
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
}

/// A tensor's name in the file: plain for a single network, so that PyTorch can load it as it is.
fn tensor_name(name: &str, member: usize, members: usize) -> String {
    if members == 1 { name.to_owned() } else { format!("members.{member}.{name}") }
}

impl RecurrentModel {
    /// The model as an envelope of kind `"lstm"` or `"gru"`, for windows of `window`. Its `normaliser` is empty and its `metadata`
    /// hold settings and history: add what else should be saved.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] when `window` observes another number of rows than the model was fitted on.
    pub fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, CoreError> {
        if window.observation() != self.observation {
            return Err(CoreError::LengthMismatch {
                what: "rows of a window",
                expected: self.observation,
                got: window.observation(),
            });
        }
        let refuse = |error: serde_json::Error| CoreError::NotAModel { reason: error.to_string() };
        let parameters =
            Parameters { hidden: self.shape.hidden, head: self.shape.head, members: self.members.len() };
        let mut metadata = self.metadata.clone();
        metadata.insert(HISTORY.to_owned(), serde_json::to_value(&self.history).map_err(refuse)?);
        let mut tensors = BTreeMap::new();
        for (member, weights) in self.members.iter().enumerate() {
            for part in self.shape.parts() {
                let tensor = Tensor::new(part.shape, weights[part.range].to_vec())?;
                tensors.insert(tensor_name(part.name, member, self.members.len()), tensor);
            }
        }
        Ok(Envelope {
            kind: self.shape.cell.kind().to_owned(),
            schema: self.schema.clone(),
            window,
            normaliser: None,
            parameters: serde_json::to_value(parameters).map_err(refuse)?,
            metadata,
            tensors,
        })
    }

    /// The model in an envelope of kind `"lstm"` or `"gru"`.
    ///
    /// # Errors
    /// [`CoreError::WrongModelKind`]; [`CoreError::NotAModel`] for parameters that it cannot have or a tensor too many;
    /// [`CoreError::MissingTensor`], [`CoreError::TensorShape`], [`CoreError::NotFinite`] for its weights;
    /// [`CoreError::InvalidSetting`] for a window beyond what fits into memory.
    pub fn from_envelope(mut envelope: Envelope) -> Result<Self, CoreError> {
        let cell = [Cell::Lstm, Cell::Gru].into_iter().find(|cell| cell.kind() == envelope.kind).ok_or_else(
            || CoreError::WrongModelKind { expected: "lstm or gru".to_owned(), got: envelope.kind.clone() },
        )?;
        let refuse = |reason: String| CoreError::NotAModel { reason };
        let Parameters { hidden, head, members } =
            serde_json::from_value(envelope.parameters.take()).map_err(|error| refuse(error.to_string()))?;
        for (what, value, limit) in [
            ("hidden", hidden, SIDE_LIMIT),
            ("head", head.unwrap_or(1), SIDE_LIMIT),
            ("members", members, MEMBER_LIMIT),
        ] {
            if !(1..=limit).contains(&value) {
                return Err(refuse(format!("{what} is {value}: expected 1 to {limit}")));
            }
        }
        let shape = Shape { cell, inputs: envelope.schema.len(), hidden, head };
        Self::expect_size(shape, envelope.window.observation(), 1)?;
        let mut networks = Vec::new();
        for member in 0..members {
            let mut weights = Vec::new();
            for part in shape.parts() {
                weights.extend(envelope.take_tensor(&tensor_name(part.name, member, members), &part.shape)?);
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
        Ok(Self {
            shape,
            schema: envelope.schema,
            observation: envelope.window.observation(),
            members: networks,
            history,
            metadata: envelope.metadata,
        })
    }
}
