//! What all baselines have in common: shapes that are checked, settings that are saved.

use forewarn_core::{CoreError, Envelope, WindowSpec};
use serde::{Serialize, de::DeserializeOwned};

/// Refuses to save a model with a window of another length than it was fitted for.
pub(crate) fn expect_rows(observation: usize, window: WindowSpec) -> Result<(), CoreError> {
    if window.observation() == observation {
        return Ok(());
    }
    Err(CoreError::LengthMismatch {
        what: "rows of a window",
        expected: observation,
        got: window.observation(),
    })
}

/// A model's settings as the envelope has them.
pub(crate) fn parameters(settings: &impl Serialize) -> Result<serde_json::Value, CoreError> {
    serde_json::to_value(settings).map_err(|error| CoreError::NotAModel { reason: error.to_string() })
}

/// The settings of the model in an envelope.
pub(crate) fn read_parameters<T: DeserializeOwned>(envelope: &mut Envelope) -> Result<T, CoreError> {
    serde_json::from_value(envelope.parameters.take())
        .map_err(|error| CoreError::NotAModel { reason: error.to_string() })
}
