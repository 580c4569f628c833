use forewarn_core::{
    BoxError, CoreError,
    table::{TableError, UnknownZone},
};
use forewarn_schema::Timestamp;
use std::path::PathBuf;

/// Why scores could not be evaluated, or a report not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// Lengths that differ, a single class, a wrong score: what the shared types refuse.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The evaluation of one model failed.
    #[error("model {model:?}: {source}")]
    Model {
        /// Name of the model.
        model: String,
        /// What failed.
        source: Box<EvalError>,
    },
    /// The times of a service's scores are not strictly ascending.
    #[error("{service}: the score at {time} follows the one at {previous}: times must ascend")]
    TimeOrder {
        /// Service.
        service: String,
        /// The time that comes too late in the list.
        time: Timestamp,
        /// The time before it in the list.
        previous: Timestamp,
    },
    /// A score's time is not a whole number of steps after the first of its service.
    #[error(
        "{service}: the score at {time} is off the clock that starts at {first} with a step of {step_millis} ms"
    )]
    OffClock {
        /// Service.
        service: String,
        /// The time.
        time: Timestamp,
        /// First time of the service.
        first: Timestamp,
        /// Step, in milliseconds.
        step_millis: i64,
    },
    /// Two series of one set have the same service.
    #[error("service {service:?} has two series of scores")]
    DuplicateService {
        /// The repeated name.
        service: String,
    },
    /// A service that was asked for has no scores.
    #[error("there are no scores of service {service:?}")]
    UnknownService {
        /// The name asked for.
        service: String,
    },
    /// Validation is too short to show that a budget of false alarms is kept.
    #[error(
        "a budget of {per_service_week} false alarms per service and week cannot be shown to be kept: validation has \
         {service_weeks:.2} service-weeks, and even without a single false alarm {needed_weeks:.2} are needed at a confidence of \
         {confidence}"
    )]
    BudgetNotProvable {
        /// The budget.
        per_service_week: f64,
        /// Confidence asked for.
        confidence: f64,
        /// Time watched in validation, all services together.
        service_weeks: f64,
        /// Time needed.
        needed_weeks: f64,
    },
    /// A file lacks a column.
    #[error("column {column:?} is missing: the file has {}", available.join(", "))]
    MissingColumn {
        /// The column needed.
        column: &'static str,
        /// The columns there are.
        available: Vec<String>,
    },
    /// Records have a field that is a column, and that none of the first records had.
    #[error(
        "field {column:?} is in none of the first records, and in later ones: write it in all of them, empty where there \
         is nothing"
    )]
    LateColumn {
        /// The field.
        column: String,
    },
    /// A file cannot be read, or something in it is wrong.
    #[error("{}: {source}", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        source: Box<EvalError>,
    },
    /// A row of a file does not fit those before it.
    #[error("line {line}: {source}")]
    Row {
        /// Line in the file, from 1, the header included.
        line: u64,
        /// What is wrong.
        source: Box<EvalError>,
    },
    /// Scores and failures have no service in common.
    #[error("scores and failures have no service in common: scores of {}, failures of {}", scores.join(", "), failures.join(", "))]
    NoCommonService {
        /// Services with scores.
        scores: Vec<String>,
        /// Services with failures.
        failures: Vec<String>,
    },
    /// A label in a file of scores says something else than the failures do.
    #[error(
        "{service}: the label {} at {time} contradicts the failures: check the rule or the list, and whether labels mean \
         \"a failure begins\" or \"the service is failing\"",
        u8::from(*label)
    )]
    LabelContradicts {
        /// Service.
        service: String,
        /// Time of the row.
        time: Timestamp,
        /// What the label says.
        label: bool,
    },
    /// Of no score it is known what became of it.
    #[error("no score can be judged: {}", left_out.join("; "))]
    NothingKnown {
        /// Services with the number of rows and the reason.
        left_out: Vec<String>,
    },
    /// Neither the scores nor anything else says how long a step is.
    #[error("the scores have no step: no service has two of them; give the step")]
    NoStep,
    /// A file is larger than the reader allows.
    #[error("the file has more than {limit} {what}")]
    FileTooLarge {
        /// `"services"`.
        what: &'static str,
        /// The most that is read.
        limit: usize,
    },
    /// A cell of a file cannot be read.
    #[error("line {line}, column {column}: {text:?} is not {expected}")]
    Cell {
        /// Line in the file, from 1, the header included.
        line: u64,
        /// Column.
        column: &'static str,
        /// What stands there.
        text: String,
        /// What should.
        expected: &'static str,
    },
    /// A file is no CSV.
    #[error("not a CSV file: {0}")]
    Csv(#[source] TableError),
    /// What gives the rows of a file in another format says so, with the file.
    #[error(transparent)]
    Rows(BoxError),
    /// The time zone of a file's times is none.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    /// A failure lies where nothing was scored.
    #[error(
        "{service}: the failure that begins at {onset} lies outside the scores, which go from {first} to {last}"
    )]
    EpisodeOutside {
        /// Service.
        service: String,
        /// When it begins.
        onset: Timestamp,
        /// Time of the first score.
        first: Timestamp,
        /// Time of the last.
        last: Timestamp,
    },
    /// A check for leaks was given no score to look at.
    #[error("no row up to {cut} has a score: whether the model sees the future cannot be told")]
    NothingScored {
        /// The last time that is looked at.
        cut: Timestamp,
    },
    /// There is no row to report on.
    #[error("the input has no rows")]
    NoRows,
    /// The text is no forewarn report.
    #[error("not a forewarn report: {0}")]
    Json(#[from] serde_json::Error),
    /// Writing failed.
    #[error("predictions could not be written: {0}")]
    Io(#[from] std::io::Error),
    /// A file could not be opened.
    #[error("cannot be opened: {0}")]
    Open(#[source] std::io::Error),
}

impl EvalError {
    /// What is wrong with a table.
    pub(crate) fn of_table(error: TableError) -> Self {
        match error {
            TableError::Source(source) => Self::Rows(source),
            error => Self::Csv(error),
        }
    }
}
