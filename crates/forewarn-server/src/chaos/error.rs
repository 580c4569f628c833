use std::{io, path::PathBuf};

/// Why something cannot be broken, or mended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChaosError {
    /// A kind that there is not.
    #[error("there is no fault {kind:?}: expected one of {}", expected.join(", "))]
    UnknownKind {
        /// What was asked for.
        kind: String,
        /// The kinds there are.
        expected: Vec<String>,
    },
    /// A service that there is not.
    #[error("there is no service {service:?}: expected one of {}", expected.join(", "))]
    UnknownService {
        /// What was asked for.
        service: String,
        /// The services there are.
        expected: Vec<String>,
    },
    /// A fault that cannot strike this service.
    #[error("{kind} cannot strike {service:?}: {reason}")]
    Misplaced {
        /// The fault.
        kind: String,
        /// The service.
        service: String,
        /// Why not.
        reason: String,
    },
    /// A number that is out of its range.
    #[error("{field} is {value}: expected {expected}")]
    OutOfRange {
        /// `severity` or `seconds`.
        field: &'static str,
        /// What was asked for.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// More side by side than are allowed.
    #[error("{most} faults are active already: stop one of them first")]
    TooMany {
        /// Most that there can be.
        most: usize,
    },
    /// An id that was never given.
    #[error("there is no fault with the id {id}")]
    NotFound {
        /// The id.
        id: u32,
    },
    /// The simulation refused it for another reason.
    #[error(transparent)]
    Simulate(#[from] forewarn_sim::SimError),
    /// The target refused it.
    #[error("the target answered with status {status}{}", said(text))]
    Refused {
        /// The status.
        status: u16,
        /// What else it said, without control characters.
        text: String,
    },
    /// The target gave no answer, or one that does not say whether the fault has begun. It is told to end it.
    #[error("whether it began is not known, and the target is told to end it: {reason}")]
    Unanswered {
        /// What it answered, or why it did not.
        reason: String,
    },
    /// It cannot be kept on disk, so it was not done.
    #[error("{}: cannot be kept, so nothing was done: {source}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
