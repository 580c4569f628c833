use forewarn_core::{CoreError, ModelFileError};
use forewarn_eval::EvalError;
use forewarn_io::IoError;
use forewarn_label::LabelError;
use forewarn_live::LiveError;
use forewarn_schema::{SchemaError, Timestamp};
use forewarn_sim::SimError;
use forewarn_topology::TopologyError;
use forewarn_window::WindowError;
use std::path::PathBuf;

/// Why an experiment could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// Frames are wrong.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A source failed, or parts do not fit one another.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// A model could not be written to its file.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// A file of metrics cannot be read.
    #[error(transparent)]
    Read(Box<IoError>),
    /// A name that is no simulation.
    #[error("there is no simulation {name:?}: the simulations are {}", available.join(", "))]
    UnknownSimulation {
        /// The name asked for.
        name: String,
        /// The names there are.
        available: Vec<&'static str>,
    },
    /// The failure rule does not fit the metrics.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The data cannot be split or normalised.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The service graph does not fit the metrics.
    #[error(transparent)]
    Topology(#[from] TopologyError),
    /// The scores cannot be evaluated.
    #[error(transparent)]
    Evaluate(#[from] EvalError),
    /// Metrics cannot be simulated, or what is known of a simulation not be found out.
    #[error(transparent)]
    Simulate(#[from] SimError),
    /// A model cannot be fitted or does not score.
    #[error("{name}: {source}")]
    Model {
        /// The model.
        name: String,
        /// What is wrong.
        source: CoreError,
    },
    /// A share that is none.
    #[error("share of {what} that are kept is {found}, expected {expected}")]
    SampleShare {
        /// Of what it is a share.
        what: &'static str,
        /// What was asked for.
        found: f64,
        /// The range it can have.
        expected: &'static str,
    },
    /// A sample of nothing.
    #[error("the sample has no services: there was not a row to label")]
    SampleEmpty,
    /// What was found of services does not go together.
    #[error("the sample's service {service:?} {what}")]
    SampleParts {
        /// The service.
        service: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The folder of a sample cannot be read.
    #[error("{}: {reason}; expected a folder that `label_and_sample` wrote", path.display())]
    SampleUnreadable {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A sample of another version.
    #[error(
        "{}: has format {found}, and this version reads {expected}: sample again, or use the version that wrote it",
        path.display()
    )]
    SampleFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The one that is read.
        expected: u32,
    },
    /// The metrics of a sample are not those that were sampled.
    #[error(
        "{}: says that the fingerprint of its metrics is {found}, and it is {expected}: the file was changed after it \
         was written; sample again",
        path.display()
    )]
    SampleFingerprint {
        /// The file.
        path: PathBuf,
        /// The fingerprint in it.
        found: String,
        /// That of the metrics in it.
        expected: String,
    },
    /// Rows of a service are missing from a sample, or too many.
    #[error(
        "the sample has {found} rows of {service:?} at its times, and {expected} were counted when it was made: part of \
         it is missing, or of another sample; copy the whole folder again"
    )]
    SampleRows {
        /// The service.
        service: String,
        /// Rows in the sample.
        found: u64,
        /// Rows that were counted.
        expected: u64,
    },
    /// A row of a sample has another label than its rule gives.
    #[error(
        "the sample's label of {service:?} at {time} is {found}, and the rule that came with it gives {expected}: rows \
         or rule were changed, or another version labelled them; sample again with this one"
    )]
    SampleLabel {
        /// The service.
        service: String,
        /// The time of the row.
        time: Timestamp,
        /// The code in the sample.
        found: f32,
        /// The code by the rule: see [`SampleAbout::code`](crate::SampleAbout::code).
        expected: i8,
    },
    /// A row of a sample has another weight than its question gives.
    #[error(
        "the sample's weight of {service:?} at {time} is {found}, and the question that came with it gives {expected}: \
         weights or question were changed; sample again"
    )]
    SampleWeight {
        /// The service.
        service: String,
        /// The time of the row.
        time: Timestamp,
        /// The weight in the sample.
        found: f32,
        /// The weight by the question.
        expected: f32,
    },
    /// There is nothing to fit.
    #[error("an experiment needs at least one model")]
    NoModels,
    /// Two models of one name.
    #[error("two models are called {name:?}")]
    DuplicateModel {
        /// The repeated name.
        name: String,
    },
    /// A blend of no models.
    #[error("{name} blends no models")]
    NoMembers {
        /// The blend.
        name: String,
    },
    /// A blend asks for a model that is not fitted in the experiment.
    #[error("{name} blends {member:?}, which this experiment does not fit: it fits {}", available.join(", "))]
    UnknownMember {
        /// The blend.
        name: String,
        /// The model asked for.
        member: String,
        /// The models that are fitted.
        available: Vec<String>,
    },
    /// States are asked for of a model that has none, or is not fitted in the experiment.
    #[error(
        "{name} is to run on with states of {of:?}, which is no LSTM or GRU of this experiment: it has {}",
        listed(available)
    )]
    NoStates {
        /// The model that runs on.
        name: String,
        /// The model asked for.
        of: String,
        /// The models that have states.
        available: Vec<String>,
    },
    /// A name that is no standard model.
    #[error("there is no model {name:?}: the models are {}", available.join(", "))]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The names there are.
        available: Vec<&'static str>,
    },
    /// A standard model that watches the rule's metric, where no rule names one.
    #[error(
        "model {name:?} needs a failure rule that compares one metric with a number, and cannot be had for: {rule}"
    )]
    NothingToWatch {
        /// The name asked for.
        name: String,
        /// The rule.
        rule: String,
    },
    /// A model was asked for that the experiment did not fit.
    #[error("this experiment fitted no model {name:?}: it fitted {}", available.join(", "))]
    NotFitted {
        /// The name asked for.
        name: String,
        /// The models that it fitted.
        available: Vec<String>,
    },
    /// A model that was fitted cannot be saved, or not be served from a file.
    #[error("{name} cannot be saved: {source}")]
    NotSaved {
        /// The model.
        name: String,
        /// Why.
        source: Box<NotSaved>,
    },
    /// Calls of a simulated fleet go round in a cycle and hardly end.
    #[error(
        "requests of the services {} cannot be counted: they call each other in a cycle that hardly ends; lower a probability",
        some(services)
    )]
    EndlessCalls {
        /// The services of the cycle.
        services: Vec<String>,
    },
    /// The rule never finds a failure.
    #[error(
        "nothing ever fails: in {rows} rows (services: {services}) the rule is never satisfied: {rule}{}",
        after_that(notes)
    )]
    NoFailures {
        /// The rule's sentence.
        rule: String,
        /// Rows searched.
        rows: usize,
        /// Services searched.
        services: usize,
        /// What may be wrong with it, each a sentence.
        notes: Vec<String>,
    },
    /// There is too little to split, perhaps because the rule says too much or nothing.
    #[error("{source}{}", after_that(notes))]
    Unsplittable {
        /// What is missing.
        source: forewarn_window::WindowError,
        /// How often the rule holds and is unknown, each a sentence.
        notes: Vec<String>,
    },
    /// There is less memory than features and what is computed of them need.
    #[error(
        "fitting would need about {} GB of memory besides the metrics, and {} GB are available: give fewer services, days or metrics, \
         or more memory",
        gigabytes(*.needed_bytes), gigabytes(*.available_bytes)
    )]
    TooLarge {
        /// What is needed, about.
        needed_bytes: u64,
        /// What there is.
        available_bytes: u64,
    },
    /// A part of the split has windows of one class only.
    #[error(
        "the {part} span ({from} to {to}) has {positives} positive windows of {windows}, so nothing can be {used}: \
         give it more time, or choose another split"
    )]
    SingleClass {
        /// `"train"`, `"validation"` or `"test"`.
        part: &'static str,
        /// Time of its first window.
        from: Timestamp,
        /// Time of its last window.
        to: Timestamp,
        /// Positive windows.
        positives: usize,
        /// All windows.
        windows: usize,
        /// What the part is for.
        used: &'static str,
    },
    /// The test span has no room for one fold of a walk forward.
    #[error(
        "refitting every {days} days needs a test span of at least that length; it has {test_days:.1} days: give it more time, or refit more \
         often"
    )]
    WalkTooLong {
        /// Days from one fit to the next.
        days: usize,
        /// Days of the test span.
        test_days: f64,
    },
    /// A file that was read would be replaced.
    #[error("{}: this is an input file and would be overwritten: choose another place for the results", path.display())]
    WouldOverwrite {
        /// The file.
        path: PathBuf,
    },
    /// The results could not be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// File or folder.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
}

/// As many names as a message can hold.
fn some(names: &[String]) -> String {
    const MOST: usize = 12;
    match names.get(..MOST) {
        Some(first) if names.len() > MOST => format!("{} and {} more", first.join(", "), names.len() - MOST),
        _ => names.join(", "),
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Why a model of an experiment cannot be saved, or not be served from a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotSaved {
    /// The model has no way to be saved.
    #[error(
        "the model has no save function: implement `Save` for it, and return it from `Predictor::as_save`"
    )]
    Unknown,
    /// It is another model, by its states.
    #[error("it is another model's states that run on: save that model, which has them")]
    States,
    /// Its members do not see the same columns.
    #[error(
        "it blends models of which some see metrics and others features: it cannot be served from a file yet"
    )]
    MixedRows,
    /// The model's own reason.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// Its members do not go together.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// What makes its rows cannot be saved with it.
    #[error(transparent)]
    Serve(#[from] LiveError),
}

/// Sentences behind a message.
fn after_that(notes: &[String]) -> String {
    notes.iter().map(|note| format!("; {}", note.trim_end_matches('.'))).collect()
}

/// Bytes for people: `3.4`.
fn gigabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e9)
}
