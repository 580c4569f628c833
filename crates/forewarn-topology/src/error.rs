use forewarn_core::CoreError;
use forewarn_schema::{SchemaError, Timestamp};
use std::path::PathBuf;

/// Why a service graph, a setting or a question about them was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TopologyError {
    /// A frame lacks a metric, or columns do not fit their schema.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// An error with its place in a text or a list.
    #[error("{}: {source}", forewarn_schema::printable(place))]
    At {
        /// Where, such as `line 3` or `calls[2]`.
        place: String,
        /// What is wrong there.
        source: Box<TopologyError>,
    },
    /// A service's name is empty or only blanks.
    #[error("a service needs a name")]
    EmptyName,
    /// A service is listed twice.
    #[error("service {service:?} appears twice")]
    DuplicateService {
        /// The repeated name.
        service: String,
    },
    /// A service calls itself.
    #[error("{service:?} calls itself: a call needs two services")]
    SelfCall {
        /// The service.
        service: String,
    },
    /// The same two services are joined twice.
    #[error("the call from {client:?} to {server:?} appears twice")]
    DuplicateCall {
        /// Who calls.
        client: String,
        /// Who is called.
        server: String,
    },
    /// A service that the graph does not have.
    #[error("there is no service {service:?}: {}", known(available))]
    UnknownService {
        /// The name asked for.
        service: String,
        /// The services there are.
        available: Vec<String>,
    },
    /// A call that the graph does not have.
    #[error("{client:?} does not call {server:?}")]
    UnknownCall {
        /// Who should call.
        client: String,
        /// Who should be called.
        server: String,
    },
    /// A number out of its range (NaN always is).
    #[error("{} is {value}: expected {expected}", forewarn_schema::printable(what))]
    InvalidNumber {
        /// Which number.
        what: String,
        /// What it is.
        value: f64,
        /// What is allowed.
        expected: &'static str,
    },
    /// A list with one entry for each service (or each call) has another length.
    #[error("{what}: expected {expected}, got {got}")]
    LengthMismatch {
        /// What was counted.
        what: &'static str,
        /// Length needed.
        expected: usize,
        /// Length given.
        got: usize,
    },
    /// A line of an edge list with too few or too many fields, or a header that makes no sense.
    #[error("{text:?} is not a call: {reason}")]
    UnreadableCall {
        /// The line.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that cannot be read.
    #[error("{}: {source}", forewarn_schema::printable(&path.display().to_string()))]
    UnreadablePath {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file that is no service graph, or no rules.
    #[error("no {what} in this {format}, at {field}: {reason}")]
    UnreadableFile {
        /// What was expected: `"service graph"`.
        what: &'static str,
        /// `"JSON"` or `"TOML"`.
        format: &'static str,
        /// Path of the field, such as `calls[1].strength`; `.` for the whole.
        field: String,
        /// What is wrong with it, with line and column where known.
        reason: String,
    },
    /// A graph or rules that a format cannot express.
    #[error("cannot be written as {format}: {reason}")]
    Unwritable {
        /// `"JSON"` or `"TOML"`.
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// A line of metrics in the text format that is none.
    #[error("{text:?} is not a sample: {reason}")]
    UnreadableSample {
        /// The line.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Samples of a service graph without any call.
    #[error("no call in these samples: expected the metric {expected} with the labels client and server")]
    NoCalls {
        /// The metric that counts calls.
        expected: &'static str,
    },
    /// A graph and metrics that have no service in common, so that nothing could be said of either.
    #[error(
        "the graph and the metrics have no service in common: the graph has {}; the metrics have {}",
        shown(graph),
        shown(metrics)
    )]
    NoSharedName {
        /// Services of the graph.
        graph: Vec<String>,
        /// Services of the metrics.
        metrics: Vec<String>,
    },
    /// More ways for a failure to spread than can be enumerated.
    #[error(
        "an exact answer for {service:?} takes more than {limit} steps: ask for worlds (Monte-Carlo) instead"
    )]
    TooManyOutcomes {
        /// The service that the question is about.
        service: String,
        /// Steps that were allowed.
        limit: usize,
    },
    /// Services whose rows are not at the same times.
    #[error(
        "rows of {service:?} begin at {start}, which is no whole number of steps after {first}, when others begin"
    )]
    OffClock {
        /// The service.
        service: String,
        /// Its first row's time.
        start: Timestamp,
        /// The earliest service's.
        first: Timestamp,
    },
    /// Metrics that say nothing of a service at the time asked about.
    #[error(
        "{service:?} has no row at {at} or just after: the metrics go from {start} to {end}; give a time within, \
         the onset of the failure"
    )]
    NoRowAt {
        /// The service.
        service: String,
        /// The time asked about.
        at: Timestamp,
        /// First time of the metrics.
        start: Timestamp,
        /// First time after them.
        end: Timestamp,
    },
    /// A setting of a list is empty.
    #[error("{what} is empty: expected at least one")]
    Empty {
        /// Which list.
        what: &'static str,
    },
}

impl From<SchemaError> for TopologyError {
    fn from(error: SchemaError) -> Self {
        Self::Core(error.into())
    }
}

impl TopologyError {
    /// Says where it happened.
    pub(crate) fn at(self, place: impl Into<String>) -> Self {
        Self::At { place: place.into(), source: Box::new(self) }
    }
}

fn known(available: &[String]) -> String {
    format!("there are {}", shown(available))
}

/// The first few names, so that a message about a fleet stays readable.
fn shown(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| forewarn_schema::printable(name)).collect();
    let shown = shown.join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ if names.is_empty() => "none".to_owned(),
        _ => shown,
    }
}

/// Refuses a number that does not fulfil its condition.
pub(crate) fn refuse_unless(
    fine: bool,
    what: impl Into<String>,
    value: f64,
    expected: &'static str,
) -> Result<(), TopologyError> {
    if fine { Ok(()) } else { Err(TopologyError::InvalidNumber { what: what.into(), value, expected }) }
}

/// Refuses what is not a probability.
pub(crate) fn probability(what: impl Into<String>, value: f64) -> Result<f64, TopologyError> {
    refuse_unless((0.0..=1.0).contains(&value), what, value, "a probability, 0 to 1")?;
    Ok(value)
}

/// Refuses a list of another length than the graph has services (or calls).
pub(crate) fn same_length(what: &'static str, expected: usize, got: usize) -> Result<(), TopologyError> {
    if expected == got { Ok(()) } else { Err(TopologyError::LengthMismatch { what, expected, got }) }
}
