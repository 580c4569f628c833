use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// What reaches an engine: a record of its journal. Equal journals give equal events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Input {
    /// One raw sample. NaN says that the source has no value any more (a stale marker).
    Sample {
        /// Whose it is.
        service: String,
        /// Name of the metric.
        metric: String,
        /// When it was taken.
        time: Timestamp,
        /// Value in the metric's unit.
        value: f64,
    },
    /// A whole row of a service, in the order of the model's metrics; NaN where a value is missing.
    Row {
        /// Whose it is.
        service: String,
        /// Time of the row.
        time: Timestamp,
        /// One value a metric.
        values: Vec<f32>,
    },
    /// The caller's clock. Decides only when minutes are closed.
    Advance {
        /// Now.
        now: Timestamp,
    },
    /// An operator did something.
    Action(Action),
    /// Who calls whom, from now on: pairs of client and server.
    Graph {
        /// The calls.
        calls: Vec<(String, String)>,
    },
    /// A source of samples changed its state.
    Source {
        /// Its name.
        source: String,
        /// Its state.
        status: SourceStatus,
    },
    /// Another program's alert says that a service fails, or that it no longer does.
    Alert {
        /// The service.
        service: String,
        /// Name of the alert.
        alert: String,
        /// Whether it fires.
        state: AlertState,
        /// When it began to.
        since: Timestamp,
    },
    /// What a source said of itself, such as its name and version. Kept in the journal; changes nothing.
    About {
        /// The source.
        source: String,
        /// What it said.
        text: String,
    },
    /// A service comes from another engine, with all that it knew: what [`hand_over`](crate::Engine::hand_over) gave.
    Adopt {
        /// The service's state.
        state: Vec<u8>,
    },
    /// A service goes to another engine: nothing of it is judged, and its warning is not over.
    Release {
        /// The service.
        service: String,
    },
}

/// State of another program's alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// It was raised.
    Firing,
    /// It is over.
    Resolved,
}

/// State of a source of samples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SourceStatus {
    /// It answers.
    Up,
    /// It does not; the reason in words.
    Down {
        /// What it said, or what went wrong.
        reason: String,
    },
    /// It answered, and said that its answer is not complete.
    Partial,
}

/// What an operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Saw a warning.
    Acknowledge {
        /// Its id.
        warning: String,
    },
    /// Acted on a warning, so that a failure may not come because of it: the warning counts as averted.
    Acted {
        /// Its id.
        warning: String,
    },
    /// Wants no warnings of a service for a while; they are still raised and judged, and marked as silenced.
    Silence {
        /// The service.
        service: String,
        /// Until when, in row time.
        until: Timestamp,
    },
    /// Makes a shadow model the main one.
    Promote {
        /// Its name.
        model: String,
        /// Why.
        reason: String,
    },
}
