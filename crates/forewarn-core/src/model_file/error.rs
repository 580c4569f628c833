use crate::{BoxError, CoreError};
use forewarn_schema::SchemaError;

/// Why a model could not be saved, or a model file not be read.
///
/// Names and reasons that come from a file are shortened, and shown without control characters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// The file is no saved forewarn model, or a damaged one.
    #[error("not a saved forewarn model: {reason}")]
    NotAModel {
        /// What is wrong with it.
        reason: String,
    },
    /// The file was written by a newer version of the format.
    #[error(
        "the model file has format version {got}, this program reads versions 1 to {supported}: update forewarn, or save \
         the model again with the version that is to read it"
    )]
    NewerVersion {
        /// Version in the file.
        got: u32,
        /// Newest version understood.
        supported: u32,
    },
    /// The file holds another kind of model than was asked for.
    #[error("the file holds a model of kind {got:?}, expected {expected:?}")]
    WrongKind {
        /// Kind asked for.
        expected: String,
        /// Kind found.
        got: String,
    },
    /// No reader is registered for a kind of model or feature.
    #[error(
        "unknown kind of {what} {got:?}: this program reads {}; register a reader for it with `Registry`",
        if known.is_empty() { "none".to_owned() } else { known.join(", ") }
    )]
    UnknownKind {
        /// `"model"` or `"feature"`.
        what: &'static str,
        /// Kind found.
        got: String,
        /// Kinds that are registered, in order.
        known: Vec<String>,
    },
    /// The file is larger than the reader allows.
    #[error("the model file is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Most bytes that are read or written.
        limit: u64,
    },
    /// Models or features lie in one another deeper than any that a program makes.
    #[error("{what} lie in one another more than {limit} deep: the file is damaged or hostile")]
    TooDeep {
        /// `"models"` or `"features"`.
        what: &'static str,
        /// Most that may lie around one.
        limit: usize,
    },
    /// A weight tensor is absent.
    #[error("the model file has no tensor {name:?}")]
    MissingTensor {
        /// Tensor.
        name: String,
    },
    /// A weight tensor has another shape than the model's parameters say.
    #[error("tensor {name:?} has shape {got:?}, expected {expected:?}")]
    TensorShape {
        /// Tensor.
        name: String,
        /// Shape by the parameters.
        expected: Vec<usize>,
        /// Shape in the file.
        got: Vec<usize>,
    },
    /// A weight is infinite or NaN.
    #[error("tensor {name:?} has a value that is not finite")]
    NotFinite {
        /// Tensor.
        name: String,
    },
    /// The model, or one inside it, has no way to be saved.
    #[error("{what} cannot be saved: implement `Save` for its type and return it from `Predictor::as_save`")]
    NotSavable {
        /// Which model.
        what: String,
    },
    /// What the file says does not go together, such as weights and schema.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A reader or writer of an outside crate failed.
    #[error("{what} failed: {source}")]
    Outside {
        /// Which one.
        what: String,
        /// Its own error.
        source: BoxError,
    },
    /// Reading or writing failed.
    #[error("model file: {0}")]
    Io(#[from] std::io::Error),
}

/// Most characters of a name, and of a reason, that come from a file and are shown.
const NAME_LIMIT: usize = 80;
const REASON_LIMIT: usize = 400;

impl ModelFileError {
    /// The file is damaged or foreign for this reason, which is shortened where it is long.
    #[must_use]
    pub fn not_a_model(reason: impl AsRef<str>) -> Self {
        Self::NotAModel { reason: brief(reason.as_ref(), REASON_LIMIT) }
    }

    /// Wraps the error of an outside implementation; `what` names it.
    pub fn outside(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Outside { what: what.into(), source: source.into() }
    }
}

impl From<SchemaError> for ModelFileError {
    fn from(error: SchemaError) -> Self {
        Self::Core(error.into())
    }
}

/// A name from a file as errors show it.
pub(super) fn name(text: &str) -> String {
    brief(text, NAME_LIMIT)
}

/// The beginning of a text, without control characters.
fn brief(text: &str, limit: usize) -> String {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut brief: String = text.chars().take(limit).map(shown).collect();
    if text.chars().nth(limit).is_some() {
        brief.push('…');
    }
    brief
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_files_are_short_and_printable() {
        let error = ModelFileError::not_a_model("\u{1b}[2J".to_owned() + &"x".repeat(1 << 20)).to_string();
        assert!(error.chars().count() < 500 && error.chars().all(|c| !c.is_control()), "{error}");
        assert_eq!(name("lstm"), "lstm");
        assert_eq!(name(&"é".repeat(81)), "é".repeat(80) + "…");
    }
}
