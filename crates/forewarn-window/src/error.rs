use crate::normaliser::Normalisation;
use forewarn_core::{CoreError, ModelFileError};
use forewarn_schema::{SchemaError, Timestamp, name_difference, printable_names};

/// Why features, a normaliser or a split could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// A normaliser by quantiles on frames that come piece by piece.
    #[error(
        "a normaliser by {method:?} needs every training value in memory: use ZScore or MinMax for frames in pieces"
    )]
    NeedsEveryValue {
        /// The method.
        method: Normalisation,
    },
    /// Frames, samples or parts of a split do not fit.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// No window is long enough ago and complete enough to be labelled, so there is nothing to split.
    #[error(
        "no service has a whole window: {needed} consecutive steps are needed, the longest service has {longest}"
    )]
    TooShort {
        /// Steps that a window, its period and the confirmation of an onset take.
        needed: usize,
        /// Rows of the longest service.
        longest: usize,
    },
    /// One fold of several could not be made.
    #[error("fold {fold} of {folds}: {source}")]
    Fold {
        /// Which, from 1.
        fold: usize,
        /// How many were asked for.
        folds: usize,
        /// Why not.
        source: CoreError,
    },
    /// A service that the labels do not have.
    #[error("there is no service {service:?}: the labels have {}", printable_names(available))]
    UnknownService {
        /// The service asked for.
        service: String,
        /// The services there are.
        available: Vec<String>,
    },
    /// Fewer incidents than parts to share them out to.
    #[error("{incidents} incidents are too few for {folds} folds: each needs one at least")]
    TooFewIncidents {
        /// Incidents there are; failures of several services at about one time are one.
        incidents: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// A service without a single raw sample.
    #[error("{service}: no samples, so there is no time to begin at")]
    NoSamples {
        /// Service.
        service: String,
    },
    /// Two raw samples of one metric and moment, where that is refused.
    #[error("{service}: metric {metric} has two samples at {time}")]
    DuplicateSample {
        /// Service.
        service: String,
        /// Position of the metric, from 0.
        metric: usize,
        /// The moment.
        time: Timestamp,
    },
    /// Raw samples too far apart for rows in between.
    #[error("{service}: samples at {from} and {to} are more than {longest_steps} steps apart")]
    GapTooLong {
        /// Service.
        service: String,
        /// Where the gap begins.
        from: Timestamp,
        /// Where it ends.
        to: Timestamp,
        /// Longest gap allowed.
        longest_steps: usize,
    },
    /// A normaliser that was fitted on other columns.
    #[error("these are other columns than the normaliser was fitted on: {}", name_difference(expected, got))]
    ColumnMismatch {
        /// Columns at fit.
        expected: Vec<String>,
        /// Columns now.
        got: Vec<String>,
    },
    /// A text that is no three shares.
    #[error("{text:?} is not a split: expected three numbers, such as 0.70,0.15,0.15")]
    UnreadableFractions {
        /// The text.
        text: String,
    },
    /// A cut-off that is not positive.
    #[error("standard scores cannot be cut off at {limit} deviations: expected a positive number")]
    InvalidLimit {
        /// The limit asked for.
        limit: f32,
    },
    /// Saved features that no feature can be made of.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// A saved pipeline that is none.
    #[error("a saved pipeline cannot be read: {reason}")]
    UnreadablePipeline {
        /// What is wrong.
        reason: String,
    },
    /// A saved normaliser whose numbers cannot be used.
    #[error("the saved normaliser is damaged: {reason}")]
    DamagedNormaliser {
        /// What is wrong.
        reason: String,
    },
}

impl From<SchemaError> for WindowError {
    fn from(error: SchemaError) -> Self {
        Self::Core(error.into())
    }
}
