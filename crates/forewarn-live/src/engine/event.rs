use super::{Action, AlertState, Name, RiskLevel, RowValues, SourceStatus};
use forewarn_label::{SloLevel, WindowBurn};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing that an engine has to say. Numbers have no gaps, over restarts too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number, from 0.
    pub seq: u64,
    /// Row time of the minute in which it came to be known.
    pub time: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What an event says. Nearly all are rows and scores: what is larger and seldom lies in a box, so that the events of a
/// minute take half the memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventBody {
    /// A service was seen for the first time.
    ServiceAppeared {
        /// Its name.
        service: String,
    },
    /// A service has been silent for long and is forgotten.
    ServiceExpired {
        /// Its name.
        service: String,
    },
    /// A service came from another engine.
    ServiceAdopted {
        /// Its name.
        service: String,
        /// Its warning, where one fires: it goes on, and is not one more.
        #[serde(default)]
        warning: Option<Box<WarningEvent>>,
    },
    /// A service went to another engine, and its warning with it.
    ServiceReleased {
        /// Its name.
        service: String,
    },
    /// A row was closed.
    Row(RowEvent),
    /// A model scored a row, or said why it cannot.
    Score(ScoreEvent),
    /// A warning was raised, or is over.
    Warning(Box<WarningEvent>),
    /// Several warnings and failures that belong together.
    Incident(Box<IncidentEvent>),
    /// A failure by the failure rule.
    Failure(FailureEvent),
    /// What became of a warning or a failure.
    Outcome(Box<OutcomeEvent>),
    /// How the budget stands.
    Budget(BudgetEvent),
    /// A service level objective stands otherwise than before: it began or ended to be violated.
    Slo(Box<SloEvent>),
    /// A source changed its state.
    Source {
        /// Its name.
        source: String,
        /// Its state.
        status: SourceStatus,
    },
    /// Samples came after their row was closed; they are counted and change no score.
    Late {
        /// Whose.
        service: String,
        /// How many since the last such event of the service.
        count: u64,
    },
    /// An operator did something.
    Action(Action),
    /// Another program's alert says that a service fails, or no longer does.
    Alert(Box<AlertEvent>),
}

/// What another program's alert says of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertEvent {
    /// The service.
    pub service: String,
    /// Name of the alert.
    pub alert: String,
    /// Whether it fires.
    pub state: AlertState,
    /// When it began to.
    pub since: Timestamp,
    /// The main model's warning that came before it and was not judged yet: should the failure rule see no failure, the
    /// warning counts as a hit all the same.
    pub warning: Option<String>,
    /// Minutes between that warning and the alert.
    pub lead_minutes: Option<f64>,
}

/// A closed row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowEvent {
    /// Whose.
    pub service: Name,
    /// One value a metric of the model, `None` where it is missing.
    pub values: RowValues,
    /// Why the whole row is missing, where it is.
    pub missing: Option<MissingReason>,
}

/// Why a row is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingReason {
    /// The source does not answer.
    SourceDown,
    /// The source answers, and has nothing of this service.
    ServiceSilent,
    /// The service had no requests, so that nothing about them is known.
    NoTraffic,
    /// Values were outside of their range.
    OutOfRange,
}

/// What a model says of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreEvent {
    /// Of which service.
    pub service: Name,
    /// Which model.
    pub model: Name,
    /// Whether it only runs beside the main model.
    pub shadow: bool,
    /// Probability that a failure begins in the prediction period; `None` where the model cannot tell.
    pub probability: Option<f64>,
    /// Probability for each step of the period; for models that know when, and from medium risk on.
    pub per_step: Option<Vec<f64>>,
    /// Expected minutes until the failure, should it come; for models that know when, and from medium risk on.
    pub minutes_to_failure: Option<f64>,
    /// How serious it is; `None` where the model cannot tell.
    pub level: Option<RiskLevel>,
    /// Why the model cannot tell.
    pub cannot_tell: Option<CannotTell>,
}

/// Why a model cannot tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CannotTell {
    /// The source does not answer.
    SourceDown,
    /// The service has not been seen for a whole window.
    TooFewRows,
    /// The newest row is missing.
    MissingRow,
    /// The service had no requests.
    NoTraffic,
    /// The row is far from everything that training has seen.
    FarFromTraining,
}

/// State of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningState {
    /// A score reached the threshold, and the policy waits for more of them. Only for policies that want several.
    Pending,
    /// It was raised.
    Firing,
    /// It is over; or it was pending, and what the policy waits for did not come.
    Resolved,
}

/// A warning that a failure is coming.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarningEvent {
    /// Made of service and row time of its first minute, pending included, so that replicas agree on it.
    pub id: String,
    /// Of which service.
    pub service: String,
    /// Pending, firing or resolved.
    pub state: WarningState,
    /// Row time at which it was raised, or became pending.
    pub since: Timestamp,
    /// Which model.
    pub model: String,
    /// Probability that raised it, or that stands now.
    pub probability: Option<f64>,
    /// Probability from which on an alarm was raised.
    pub threshold: f64,
    /// How serious it was when it was raised; it does not change later. See [`Risk`](crate::Risk).
    pub level: RiskLevel,
    /// What kind of failure it looks like: `Dependency` where its incident probably began at a server.
    pub kind: ProbableKind,
    /// Share of the evidence that speaks for this kind, 0 to 1; of suspicion where the kind comes of the incident.
    pub kind_confidence: f64,
    /// Where its incident probably began when it was raised, if that is another service.
    #[serde(default)]
    pub root: Option<String>,
    /// The five largest contributions to the score when it was raised; none where the model cannot say, and when it
    /// is resolved.
    pub evidence: Vec<EvidenceItem>,
    /// Expected minutes until the failure.
    pub minutes_to_failure: Option<f64>,
    /// What may help.
    pub recommendation: Recommendation,
    /// The incident that it belongs to.
    pub incident: Option<String>,
    /// Whether an operator asked for silence.
    pub silenced: bool,
}

/// What may help against a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// What to do.
    pub text: String,
    /// Where to read more, if the configuration says so.
    pub runbook: Option<String>,
}

/// What kind of failure a warning looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ProbableKind {
    /// Responses become slow.
    Latency,
    /// Requests fail.
    Errors,
    /// The processor is at its limit.
    Cpu,
    /// Memory fills up.
    Memory,
    /// Unusual traffic.
    Traffic,
    /// Pods restart.
    Restarts,
    /// A server of the service is in trouble.
    Dependency,
    /// The evidence does not say.
    Unknown,
}

/// One contribution to a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidenceItem {
    /// The feature.
    pub metric: String,
    /// What of it is looked at, in words.
    pub view: String,
    /// What was seen, as the model sees it.
    pub value: Option<f32>,
    /// What is normal.
    pub normal: Option<f32>,
    /// Distance from normal in deviations of training.
    pub deviations: Option<f32>,
    /// What it adds to the log-odds of a failure.
    pub log_odds: f64,
}

/// State of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Its first warning or failure came.
    Opened,
    /// A service joined, or its probable root changed.
    Updated,
    /// None of its services warns or fails any more, or it became part of another incident.
    Closed,
}

/// The warnings and failures of one cascade as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentEvent {
    /// Made of its first service and row time.
    pub id: String,
    /// Opened, updated or closed.
    pub state: IncidentState,
    /// Row time of its first warning or failure.
    pub since: Timestamp,
    /// Services with a warning or failure in it, in order of joining.
    pub services: Vec<String>,
    /// Where it probably began, best first, with shares that add up to 1.
    pub suspects: Vec<(String, f64)>,
    /// Services that may follow, with the probability that they do.
    pub victims: Vec<(String, f64)>,
    /// The incident that it became part of: for one that is closed because both probably began at the same service.
    #[serde(default)]
    pub merged_into: Option<String>,
}

/// State of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureState {
    /// The failure rule is satisfied for the first time.
    Confirmed,
    /// It is over.
    Ended,
}

/// A failure by the failure rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailureEvent {
    /// Made of service and onset.
    pub id: String,
    /// Which service failed.
    pub service: String,
    /// Confirmed or ended.
    pub state: FailureState,
    /// First minute of the sustained run of violations.
    pub onset: Timestamp,
    /// First minute after it, once it is known.
    pub end: Option<Timestamp>,
}

/// What became of a warning or of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutcomeKind {
    /// The warning came before a failure's onset, or before another program's alert.
    Hit,
    /// The warning came after the onset.
    Late,
    /// No failure began in the period.
    False,
    /// Whether one did is not known.
    Censored,
    /// An operator acted on the warning.
    Averted,
    /// A failure that an alarm came before.
    Detected,
    /// A failure that no warning came before.
    Missed,
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutcomeEvent {
    /// Of which service.
    pub service: String,
    /// Which model's warning; the main model for a missed failure.
    pub model: String,
    /// Whether that model only runs beside the main one.
    pub shadow: bool,
    /// The warning, if it is about one.
    pub warning: Option<String>,
    /// Row time of the alarm: of a shadow's too, which is no warning; for a detected failure of the first before it.
    pub alarm: Option<Timestamp>,
    /// Onset of the failure, if there was one; the begin of another program's alert where that alone saw it.
    pub onset: Option<Timestamp>,
    /// What became of it.
    pub outcome: OutcomeKind,
    /// Minutes between alarm and onset.
    pub lead_minutes: Option<f64>,
    /// The same without what passes before a person can act.
    pub net_lead_minutes: Option<f64>,
}

/// How the budget stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetEvent {
    /// False alarms per service and week that are accepted.
    pub per_service_week: f64,
    /// False alarms per service and week so far; `None` before any service was watched.
    pub realised_per_service_week: Option<f64>,
    /// False alarms so far.
    pub false_alarms: u64,
    /// Weeks of services watched so far.
    pub service_weeks: f64,
    /// What the controller adds to the log-odds of the policy's threshold.
    pub threshold_shift: f64,
}

/// How a service level objective stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SloEvent {
    /// Of which service.
    pub service: String,
    /// The objective's name.
    pub slo: String,
    /// Share of events that should be good.
    pub target: f64,
    /// Days over which the error budget is counted.
    pub period_days: u32,
    /// Whether the budget burns so fast that somebody should know.
    pub level: SloLevel,
    /// Whether the budget of the last period is used up.
    pub exhausted: bool,
    /// Part of the error budget that is left, 1 for all of it, below 0 where more was used; `None` without events.
    pub budget_left: Option<f64>,
    /// Burn rates, window by window.
    pub burn_rates: Vec<WindowBurn>,
    /// Minutes until the budget is used up at the pace of the last hour; `None` where it lasts.
    pub minutes_to_exhaustion: Option<f64>,
}
