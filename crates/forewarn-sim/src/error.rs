use forewarn_core::CoreError;
use forewarn_schema::{SchemaError, Timestamp};

/// Why a simulation, or a ceiling for one, was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// A service's name, a start or a column was wrong.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A score could not be made.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A simulation of no time, or of more than is allowed.
    #[error("a simulation has 1 to {max} minutes, got {minutes}")]
    Minutes {
        /// Minutes asked for.
        minutes: usize,
        /// Most that there can be.
        max: usize,
    },
    /// A prediction period that ends further ahead than is computed.
    #[error(
        "a ceiling looks at most {max} minutes ahead, the window and what confirms a failure end {horizon} minutes ahead"
    )]
    HorizonTooLong {
        /// Minutes from the last observed row to the end of the period and of what confirms an onset in it.
        horizon: usize,
        /// Most that is computed.
        max: usize,
    },
    /// The process goes by the minute; a frame on another clock is not of it.
    #[error("{service} has one row in {got_millis} ms: the process has one in {expected_millis} ms")]
    WrongStep {
        /// Service.
        service: String,
        /// The process's step, in milliseconds.
        expected_millis: i64,
        /// The frame's step, in milliseconds.
        got_millis: i64,
    },
    /// The parts of a run do not have one entry for each row of its frame.
    #[error("{what} of a run: expected {expected}, got {got}")]
    LengthMismatch {
        /// `"stress values"` or `"rule states"`.
        what: &'static str,
        /// Rows of the frame.
        expected: usize,
        /// Entries found.
        got: usize,
    },
    /// A hidden stress that is not in 0..=1.
    #[error("row {row}: stress is {value}, outside 0..=1")]
    StressOutOfRange {
        /// Row of the run.
        row: usize,
        /// The value.
        value: f64,
    },
    /// No hidden state that was possible until then explains a row, so the frame is not of this process.
    #[error("{service} at {time} (row {row}): the process cannot have made these metrics")]
    ImpossibleRow {
        /// Service.
        service: String,
        /// When.
        time: Timestamp,
        /// Row of the frame.
        row: usize,
    },
    /// A number of a scenario that makes no sense.
    #[error("{place}: {field} is {value}, expected {expected}")]
    InvalidField {
        /// Which service, call, fault or setting.
        place: String,
        /// The field.
        field: &'static str,
        /// What it is.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// A service that is not in the graph.
    #[error("{place}: there is no service {name:?}, only {}", available.join(", "))]
    UnknownService {
        /// Who names it.
        place: String,
        /// The name.
        name: String,
        /// Services there are.
        available: Vec<String>,
    },
    /// Two services of one name.
    #[error("service {name:?} appears twice")]
    DuplicateService {
        /// The repeated name.
        name: String,
    },
    /// Two calls with the same ends.
    #[error("call {client} -> {server} appears twice")]
    DuplicateCall {
        /// Who calls.
        client: String,
        /// Who is called.
        server: String,
    },
    /// A service that calls itself.
    #[error("{name:?} calls itself")]
    SelfCall {
        /// The service.
        name: String,
    },
    /// A cycle of calls in which each request sets off one or more others without end.
    #[error("{}: a request never ends, each sets off {calls:.3} more (below 1 is needed)", cycle.join(" -> "))]
    EndlessCalls {
        /// Services along the cycle, the first again at the end.
        cycle: Vec<String>,
        /// Calls that a request sets off in the long run.
        calls: f64,
    },
    /// No service has requests from outside.
    #[error("no service has arrivals_per_second above 0, so nothing would ever happen")]
    NoEntry,
    /// More services than are simulated.
    #[error("{services} services are more than {max}")]
    TooManyServices {
        /// Services given.
        services: usize,
        /// Most that there can be.
        max: usize,
    },
    /// A file that is no scenario.
    #[error("no scenario in this TOML, at {field}: {reason}")]
    UnreadableScenario {
        /// Path of the field, such as `inject[2].kind`; `.` for the whole.
        field: String,
        /// What is wrong, with the line.
        reason: String,
    },
    /// A scenario that cannot be written as TOML.
    #[error("the scenario cannot be written as TOML: {reason}")]
    UnwritableScenario {
        /// What is wrong.
        reason: String,
    },
    /// A fault that cannot strike where it is aimed at.
    #[error("{kind} on {target:?}: {reason}")]
    MisplacedFault {
        /// The fault.
        kind: &'static str,
        /// The service.
        target: String,
        /// Why not.
        reason: &'static str,
    },
    /// A fault that would begin when the simulation is over.
    #[error("{kind} on {target:?} begins in minute {at_minute}, the simulation ends after {minutes} minutes")]
    FaultAfterEnd {
        /// The fault.
        kind: &'static str,
        /// The service.
        target: String,
        /// Minute in which it would begin, from 0.
        at_minute: usize,
        /// Minutes of the simulation.
        minutes: usize,
    },
    /// A file that cannot be read, or is too large to be a scenario.
    #[error("{}: {source}", forewarn_schema::printable(&path.display().to_string()))]
    UnreadablePath {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A name that is no fault.
    #[error("there is no fault {name:?}: the kinds are {}", available.join(", "))]
    UnknownFault {
        /// The name.
        name: String,
        /// The kinds that there are.
        available: Vec<&'static str>,
    },
    /// A name that is no kind of chaos.
    #[error("there is no fault {name:?}: the kinds are {}", available.join(", "))]
    UnknownChaos {
        /// The name.
        name: String,
        /// The kinds that there are.
        available: Vec<String>,
    },
    /// An experiment that was never begun.
    #[error("there is no experiment with the id {id}")]
    UnknownExperiment {
        /// The id.
        id: u32,
    },
    /// More experiments side by side than are allowed.
    #[error("{most} experiments are active already: stop one of them first")]
    TooManyExperiments {
        /// Most that there can be.
        most: usize,
    },
    /// A log of commands in which an id is used twice.
    #[error("the log of commands has the experiment {id} twice")]
    DuplicateExperiment {
        /// The id.
        id: u32,
    },
}
