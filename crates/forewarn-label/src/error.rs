use forewarn_core::CoreError;
use forewarn_schema::{SchemaError, Timestamp};

/// Why a failure rule or its labels were refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// A frame lacks a metric, or a rule failed.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A limit that is NaN or infinite.
    #[error("{metric} cannot be compared with {limit}")]
    InvalidLimit {
        /// The metric of the rule.
        metric: String,
        /// Its limit.
        limit: f32,
    },
    /// A rule that is satisfied by no sample at all.
    #[error("a rule on {metric} must hold for at least one step")]
    NeverSustained {
        /// The metric of the rule.
        metric: String,
    },
    /// A text that is no rule.
    #[error("{text:?} is no failure rule: {reason}")]
    UnreadableRule {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A rule gave an episode with a time that is no row of the frame.
    #[error("{rule:?} found an episode of {service} at {time}, which is no row of its frame")]
    OffClock {
        /// The rule's sentence.
        rule: String,
        /// Service.
        service: String,
        /// The time in question.
        time: Timestamp,
    },
    /// A rule called rows unknown that the frame does not have.
    #[error("{rule:?} says that rows up to {end} of {service} are unknown, it has {rows}")]
    UnknownRows {
        /// The rule's sentence.
        rule: String,
        /// Service.
        service: String,
        /// End of the range.
        end: usize,
        /// Rows of the frame.
        rows: usize,
    },
}

impl From<SchemaError> for LabelError {
    fn from(error: SchemaError) -> Self {
        Self::Core(error.into())
    }
}
