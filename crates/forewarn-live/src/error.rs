use forewarn_core::{CoreError, ModelFileError};
use forewarn_label::LabelError;
use forewarn_schema::SchemaError;
use forewarn_topology::TopologyError;
use forewarn_window::WindowError;

/// Why a model cannot be served, or an engine cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The file cannot be read as that of a model.
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    /// The model and its rows do not fit.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// Rows that are none of their metrics.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The pipeline cannot be read, or does not fit the metrics.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The failure rule cannot be read, or does not fit the metrics.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The service graph cannot be read, or does not fit the metrics.
    #[error(transparent)]
    Topology(#[from] TopologyError),
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
    #[error("the feature pipeline cannot be saved: {source}")]
    Unwritable {
        /// Why.
        source: serde_json::Error,
    },
    /// A feature cannot be saved.
    #[error("{what} cannot be saved: its `Feature::saved` gives nothing")]
    UnsavedFeature {
        /// Which one.
        what: &'static str,
    },
    /// A model with columns of a service graph was asked for one service alone.
    #[error(
        "the model has columns of a service graph, which are made of the rows of all services of a minute: serve it with `LiveFleet`"
    )]
    NeedsFleet,
    /// A service was started by another model.
    #[error("the state of a service belongs to another model than the one that was asked for its score")]
    OtherModel,
    /// Rows of a minute that are not one for each service.
    #[error(
        "{got} values of a minute: expected {expected}, a row of {metrics} for each of {services} services"
    )]
    RowsOfMinute {
        /// Values that came.
        got: usize,
        /// Values that were expected.
        expected: usize,
        /// Values of a row.
        metrics: usize,
        /// Services.
        services: usize,
    },
    /// A service joined that is there.
    #[error("service {service:?} is there already")]
    DuplicateService {
        /// The service.
        service: String,
    },
    /// A setting is out of its range.
    #[error("{name} is {value}: expected {expected}")]
    InvalidSetting {
        /// Which setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// An engine without a model, with two of one name, or with a main model that is not among them.
    #[error("the models of an engine do not go together: {reason}")]
    Models {
        /// What is wrong.
        reason: String,
    },
    /// Neither the configuration nor the main model's file has a failure rule.
    #[error(
        "model {model:?} does not say for which failure rule it was trained: train it again with a rule, or set `rule` in \
         the configuration of a live service"
    )]
    NoRule {
        /// The model.
        model: String,
    },
    /// An operator's action on something that is not there.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A service cannot go from one engine to another.
    #[error("service {service:?} cannot be handed over: {reason}")]
    Handover {
        /// The service.
        service: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A share of a fleet that there is none of.
    #[error("shard {text:?}: expected a number of a shard and how many there are, such as \"2/5\"")]
    Shard {
        /// What was given.
        text: String,
    },
    /// A snapshot of another version of the program.
    #[error(
        "the snapshot has version {got}, this program reads version {supported}: replay the journal instead"
    )]
    SnapshotVersion {
        /// Version of the snapshot.
        got: u16,
        /// Version that can be read.
        supported: u16,
    },
}
