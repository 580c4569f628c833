use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A fault to be injected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChaosRequest {
    /// The service that it strikes.
    pub service: String,
    /// One of [`ChaosControl::kinds`](super::ChaosControl::kinds).
    pub kind: String,
    /// How badly, above 0 to 1; the usual severity of the kind unless given.
    #[serde(default)]
    pub severity: Option<f64>,
    /// Seconds until its recovery begins by itself; the usual time of the kind unless given.
    #[serde(default)]
    pub seconds: Option<f64>,
}

/// A kind of fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChaosKindInfo {
    /// Its name in requests.
    pub kind: String,
    /// Its name on a page.
    pub label: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Whether it belongs to the daily routine and usually breaks nothing.
    pub routine: bool,
    /// Whether it builds up over minutes, so that metrics can show it before it breaks anything.
    pub gradual: bool,
    /// The parameters of a request.
    pub parameters: ChaosParameters,
    /// The services that it can strike, in order of name.
    pub services: Vec<String>,
}

/// The numbers of a request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChaosParameters {
    /// How badly.
    pub severity: Span,
    /// Seconds until its recovery begins.
    pub seconds: Span,
}

/// A range and what is taken where nothing is given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Span {
    /// Least.
    pub least: f64,
    /// Most.
    pub most: f64,
    /// Usual.
    pub usual: f64,
}

/// How far a fault has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChaosPhase {
    /// It begins later: it was asked for before a restart, which the simulation has not yet reached again.
    Waiting,
    /// It acts.
    Active,
    /// It recovers.
    Recovering,
    /// It is over.
    Over,
}

/// A fault that was injected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChaosExperiment {
    /// Its id.
    pub id: u32,
    /// What happens.
    pub kind: String,
    /// The service that it strikes.
    pub service: String,
    /// How badly, 0 to 1.
    pub severity: f64,
    /// Seconds from its start until its recovery begins.
    pub seconds: f64,
    /// How far it has come.
    pub phase: ChaosPhase,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started: Timestamp,
    /// When its recovery begins, or began.
    #[schema(value_type = String, format = DateTime)]
    pub ends: Timestamp,
    /// When it is over, or was.
    #[schema(value_type = String, format = DateTime)]
    pub over: Timestamp,
    /// Seconds until its recovery begins; 0 from then on.
    pub left_seconds: f64,
    /// Whether a person ended it early.
    pub stopped: bool,
    /// The service and those that depend on it over calls: where warnings and failures count as its own.
    pub reaches: Vec<String>,
    /// The first warning of one of these while it lasted, if there was any.
    pub warned: Option<String>,
    /// Onset of the first failure of one of these while it lasted, if there was any.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failed: Option<Timestamp>,
    /// Minutes from that warning to that failure; negative where the warning came after it.
    pub minutes_ahead: Option<f64>,
}

/// What is broken at the moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChaosState {
    /// The clock of what is watched.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// Most faults side by side.
    pub most_active: usize,
    /// Faults that are not over, in order of id.
    pub active: Vec<ChaosExperiment>,
    /// Faults that are over, the newest first, at most 1,000.
    pub past: Vec<ChaosExperiment>,
}

/// What the services do at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Readings {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// The services in order of name.
    pub services: Vec<Reading>,
    /// The calls between them.
    pub calls: Vec<CallReading>,
}

/// What goes over a call at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CallReading {
    /// Who calls.
    pub client: String,
    /// Who is called.
    pub server: String,
    /// Requests a second.
    pub requests: f64,
    /// Share of the calls that failed for good, after all tries; `None` where there were none.
    pub error_rate: Option<f64>,
}

/// What one service does at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reading {
    /// Its name.
    pub service: String,
    /// Share of the processor in use.
    pub cpu: f64,
    /// Share of the memory in use.
    pub memory: f64,
    /// 95 % of the answers came within this many milliseconds; `None` where there were none.
    pub latency: Option<f64>,
    /// Share of the requests that failed; `None` where there were none.
    pub error_rate: Option<f64>,
    /// Requests a second.
    pub throughput: f64,
    /// Share of the pods that take requests.
    pub pods_up: f64,
}
