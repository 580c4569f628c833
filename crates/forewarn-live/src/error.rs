use forewarn_core::{CoreError, ModelFileError};
use forewarn_window::WindowError;

/// Why a model cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The file cannot be read as that of a model.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// The model and its rows do not fit.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The pipeline cannot be read, or does not fit the metrics.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// A model was saved without what a program needs to serve it.
    #[error(
        "the file holds a model of kind {kind:?}, and not of which metrics its rows are made: save it with `Serving::add_to`"
    )]
    NotServable {
        /// Which model it is.
        kind: String,
    },
    /// What stands beside the model cannot be read.
    #[error("what the file of a model of kind {kind:?} says of serving it cannot be read: {source}")]
    Unreadable {
        /// Which model it is.
        kind: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The pipeline cannot be saved.
    #[error("what makes the rows of the model cannot be saved: {source}")]
    Unwritable {
        /// Why.
        source: serde_json::Error,
    },
}
