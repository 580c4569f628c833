//! How the whole service is: what it reads, what it keeps, what it refused.

use crate::api::{Shared, state::Api, words::Time};
use crate::{http::Limit, runtime::Snapshot};
use axum::{Json, extract::State};
use forewarn_live::SourceStatus;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// A metric of a row.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct MetricInfo {
    /// Its name.
    pub(crate) name: String,
    /// Its unit: `ratio`, `ms`, `count per step`, `kB/s`, `dimensionless`, or another by its symbol.
    pub(crate) unit: String,
}

/// State of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceWord {
    /// It answers.
    Up,
    /// It does not.
    Down,
    /// Its answers are not complete.
    Partial,
}

/// A source of metrics.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SourceInfo {
    /// Its name.
    pub(crate) name: String,
    /// Its state.
    pub(crate) status: SourceWord,
    /// Why it does not answer.
    pub(crate) reason: Option<String>,
    /// The latest time of what it sent since the start.
    pub(crate) last_row: Option<Time>,
    /// When something came of it last.
    pub(crate) heard: Option<Time>,
    /// Rows that it sent since the start.
    pub(crate) rows: u64,
    /// Samples that it sent since the start.
    pub(crate) samples: u64,
}

/// The disk.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct StoreInfo {
    /// Whether it fails: scoring goes on, and what could not be written waits in memory.
    pub(crate) degraded: bool,
    /// Why.
    pub(crate) error: Option<String>,
    /// Bytes that wait in memory.
    pub(crate) bytes: usize,
    /// Records that wait in memory.
    pub(crate) pending_records: u64,
    /// Number of the next record of the journal.
    pub(crate) next_record: u64,
}

/// How many false alarms are accepted, and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct BudgetInfo {
    /// False alarms per service and week that are accepted.
    pub(crate) per_service_week: Option<f64>,
    /// False alarms per service and week so far.
    pub(crate) realised_per_service_week: Option<f64>,
    /// False alarms so far.
    pub(crate) false_alarms: u32,
    /// Weeks of services watched so far.
    pub(crate) service_weeks: f64,
}

/// How the whole service is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Status {
    /// `forewarn`.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The clock of the data: simulated time where a simulation is the source, else the time of day.
    pub(crate) now: Time,
    /// When the service was started.
    pub(crate) started: Time,
    /// Whether models are loaded and the journal is replayed.
    pub(crate) ready: bool,
    /// Records of the journal that were replayed at the start.
    pub(crate) replayed: u64,
    /// The minute that is closed next.
    pub(crate) next_minute: Option<Time>,
    /// Time of the last closed row.
    pub(crate) last_row: Option<Time>,
    /// Seconds since then, by the clock of the data; null for data without a clock.
    pub(crate) row_age_seconds: Option<f64>,
    /// Seconds from one row to the next.
    pub(crate) step_seconds: f64,
    /// What counts as failing.
    pub(crate) failure_rule: String,
    /// Minutes that the main model looks at.
    pub(crate) observation_minutes: Option<f64>,
    /// Minutes that it speaks about.
    pub(crate) period_minutes: Option<f64>,
    /// Metrics of a row, in order.
    pub(crate) metrics: Vec<MetricInfo>,
    /// The sources.
    pub(crate) sources: Vec<SourceInfo>,
    /// What the engine refused or met since it first began.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub(crate) counters: Value,
    /// The disk.
    pub(crate) store: StoreInfo,
    /// Live streams that are open.
    pub(crate) clients: usize,
    /// Whether faults can be injected.
    pub(crate) simulator: bool,
    /// How the main model stands beside its budget.
    pub(crate) budget: BudgetInfo,
    /// Number of the last event; null before the first.
    pub(crate) seq: Option<u64>,
    /// How often each limit of the HTTP server was hit since the start.
    pub(crate) limits_hit: BTreeMap<&'static str, u64>,
    /// Why the configuration could not be read again the last time; the one before holds.
    pub(crate) reload_error: Option<String>,
}

impl Status {
    pub(crate) fn of(api: &Api, snapshot: &Snapshot) -> Self {
        let (view, step) = (&snapshot.view, snapshot.about.step);
        let main = view.models.first();
        let window = main.and_then(|main| snapshot.about.model(&main.name)).map(|model| model.window());
        let minutes = |steps: usize| steps as f64 * step.minutes();
        let metric = |metric: &forewarn_schema::Metric| MetricInfo {
            name: metric.name.clone(),
            unit: metric.unit.to_string(),
        };
        Self {
            name: "forewarn".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: api.now().into(),
            started: snapshot.started.into(),
            ready: snapshot.is_ready,
            replayed: snapshot.replayed,
            next_minute: view.next.map(Time),
            last_row: snapshot.last_row.map(Time),
            row_age_seconds: api.age_seconds(snapshot),
            step_seconds: step.millis() as f64 / 1e3,
            failure_rule: view.failure_rule.clone(),
            observation_minutes: window.map(|window| minutes(window.observation())),
            period_minutes: window.map(|window| minutes(window.period())),
            metrics: snapshot.about.metrics.metrics().iter().map(metric).collect(),
            sources: sources(snapshot),
            counters: serde_json::to_value(view.counters).unwrap_or_default(),
            store: StoreInfo {
                degraded: snapshot.store.failing.is_some(),
                error: storage_error(snapshot),
                bytes: snapshot.store.pending_bytes,
                pending_records: snapshot.store.pending_records,
                next_record: snapshot.store.next_record,
            },
            clients: api.open_sockets(),
            simulator: api.context.chaos.is_some(),
            budget: main.map_or_else(BudgetInfo::default, |main| BudgetInfo {
                per_service_week: Some(main.budget_per_service_week),
                realised_per_service_week: main.realised_per_service_week,
                false_alarms: main.ledger.false_alarms,
                service_weeks: main.service_weeks,
            }),
            seq: snapshot.events.next().checked_sub(1),
            limits_hit: Limit::ALL.map(|limit| (limit.name(), api.guard.counters.get(limit))).into(),
            reload_error: api.context.reload.state().error,
        }
    }
}

/// The sources that said something of themselves, and those that only sent.
/// What cannot be written, the most serious first.
fn storage_error(snapshot: &Snapshot) -> Option<String> {
    let store = &snapshot.store;
    let mut errors = [&store.failing, &store.checkpoint_error, &store.history_error].into_iter();
    errors.find_map(Clone::clone)
}

fn sources(snapshot: &Snapshot) -> Vec<SourceInfo> {
    let said = snapshot.view.sources.keys().map(String::as_str);
    let names: BTreeSet<&str> = said.chain(snapshot.sources.keys().map(AsRef::as_ref)).collect();
    let show = |name: &str| {
        let age = snapshot.sources.get(name).copied().unwrap_or_default();
        let (status, reason) = match snapshot.view.sources.get(name) {
            Some(SourceStatus::Down { reason }) => (SourceWord::Down, Some(reason.clone())),
            Some(SourceStatus::Partial) => (SourceWord::Partial, None),
            _ => (SourceWord::Up, None),
        };
        SourceInfo {
            name: name.to_owned(),
            status,
            reason,
            last_row: age.last_time.map(Time),
            heard: age.heard.map(Time),
            rows: age.rows,
            samples: age.samples,
        }
    };
    names.into_iter().map(show).collect()
}

/// How the whole service is.
#[utoipa::path(get, path = "/api/v1/status", tag = "status", responses((status = 200, body = Status)))]
pub(crate) async fn status(State(api): State<Shared>) -> Json<Status> {
    Json(Status::of(&api, &api.view()))
}
