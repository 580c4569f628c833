//! Services: what each does, and how it stands.

use super::{
    day::Day,
    gauges::{Dials, Gauges},
};
use crate::api::{
    Shared,
    alarms::slos::Objective,
    control::limits::{MetricLimit, limits},
    page::{Cursor, Page, limit, page_by_name},
    state::Api,
    words::{Level, Time, WhyMissing, WhyUnknown},
};
use crate::{
    http::{Name, Params, Problem},
    runtime::Snapshot,
};
use axum::{Json, extract::State};
use forewarn_live::{LedgerCounts, RiskLevel, ServiceView};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::{IntoParams, ToSchema};

/// Most services of a page.
const MOST: u32 = 10_000;

/// How a service stands, in a word: the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// It fails by the failure rule.
    Failing,
    /// A warning fires.
    Warning,
    /// The model cannot tell.
    Unknown,
    /// Medium risk or above.
    AtRisk,
    /// Nothing to see.
    Ok,
}

/// What became of alarms and failures, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Ledger {
    /// Warnings before a failure that came.
    pub(crate) hits: u32,
    /// Warnings in the middle of a failure.
    pub(crate) late: u32,
    /// Warnings without a failure.
    #[serde(rename = "false")]
    pub(crate) false_alarms: u32,
    /// Failures that no warning came before.
    pub(crate) missed: u32,
    /// Warnings that an operator acted on, and after which no failure came.
    pub(crate) averted: u32,
    /// Warnings of which it is not known.
    pub(crate) censored: u32,
    /// Failures that a warning came before.
    pub(crate) detected: u32,
    /// Failures that no score could have come before.
    pub(crate) out_of_reach: u32,
}

impl From<LedgerCounts> for Ledger {
    fn from(counts: LedgerCounts) -> Self {
        Self {
            hits: counts.hits,
            late: counts.late,
            false_alarms: counts.false_alarms,
            missed: counts.missed,
            averted: counts.averted,
            censored: counts.censored,
            detected: counts.detected,
            out_of_reach: counts.out_of_reach,
        }
    }
}

/// A service at its last closed row.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ServiceSummary {
    /// Its name.
    pub(crate) name: String,
    /// Time of the last closed row.
    pub(crate) time: Option<Time>,
    /// Seconds since then, by the clock of the data; null for data without a clock.
    pub(crate) age_seconds: Option<f64>,
    /// The row by metric; null where missing.
    pub(crate) metrics: BTreeMap<String, Option<f32>>,
    /// Why the row, or something of it, is missing.
    pub(crate) missing: Option<WhyMissing>,
    /// 1 for well to 0 for down; null where the metrics do not say.
    pub(crate) health: Option<f64>,
    /// How it stands.
    pub(crate) status: Standing,
    /// Probability that a failure begins in the prediction period; null where the model cannot tell.
    pub(crate) probability: Option<f64>,
    /// How serious that is.
    pub(crate) level: Option<Level>,
    /// Why the model cannot tell.
    pub(crate) cannot_tell: Option<WhyUnknown>,
    /// Id of the warning that fires.
    pub(crate) warning: Option<String>,
    /// Onset of the failure that goes on.
    pub(crate) failing_since: Option<Time>,
    /// Until when an operator wants no warnings.
    pub(crate) silenced_until: Option<Time>,
    /// Share of the known minutes of the last 24 h in which it was not failing.
    pub(crate) availability: Option<f64>,
    /// The numbers that people look at first.
    pub(crate) gauges: Gauges,
    /// What became of its warnings and failures.
    pub(crate) ledger: Ledger,
}

/// A service and all that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ServiceDetail {
    #[serde(flatten)]
    pub(crate) summary: ServiceSummary,
    /// The services that it calls.
    pub(crate) servers: Vec<String>,
    /// The services that call it.
    pub(crate) clients: Vec<String>,
    /// From where on metrics count as failing.
    pub(crate) limits: BTreeMap<String, MetricLimit>,
    /// Its objectives.
    pub(crate) slo: Vec<Objective>,
}

/// Which services to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServicesQuery {
    /// Part of the name.
    search: Option<String>,
    /// Of this level only.
    level: Option<Level>,
    /// That stand so only.
    status: Option<Standing>,
    /// Most entries, 1,000 unless given.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// What summaries of one moment have in common.
pub(crate) struct Summaries<'a> {
    api: &'a Api,
    snapshot: &'a Snapshot,
    dials: Dials,
    day: Arc<Day>,
    age_seconds: Option<f64>,
}

impl<'a> Summaries<'a> {
    pub(crate) fn new(api: &'a Api, snapshot: &'a Snapshot) -> Self {
        Self {
            dials: Dials::of(&snapshot.about.metrics, snapshot.about.step),
            day: api.day(snapshot),
            age_seconds: api.age_seconds(snapshot),
            api,
            snapshot,
        }
    }

    /// All services in order of name.
    pub(crate) fn all(&self) -> Vec<ServiceSummary> {
        self.snapshot.view.services.iter().map(|service| self.of(service)).collect()
    }

    pub(crate) fn of(&self, service: &ServiceView) -> ServiceSummary {
        let snapshot = self.snapshot;
        let score =
            snapshot.recent.last().and_then(|block| block.row(&service.name)).and_then(|row| row.main());
        let cannot_tell = score.and_then(|score| score.cannot_tell).filter(|_| service.probability.is_none());
        let availability = self.day.availability(&service.name);
        let metrics = snapshot.view.metrics.iter().cloned().zip(service.row.iter().copied());
        ServiceSummary {
            name: service.name.clone(),
            time: snapshot.last_row.map(Time),
            age_seconds: self.age_seconds,
            metrics: metrics.collect(),
            missing: service.missing.map(WhyMissing),
            health: self.api.health(service),
            status: standing(service),
            probability: service.probability,
            level: service.level.map(Level),
            cannot_tell: cannot_tell.map(WhyUnknown),
            warning: service.warning.clone(),
            failing_since: service.failing_since.map(Time),
            silenced_until: service.silenced_until.map(Time),
            availability,
            gauges: self.dials.read(&service.row, availability),
            ledger: service.ledger.into(),
        }
    }
}

/// How a service stands. What is not known is not well.
pub(crate) fn standing(service: &ServiceView) -> Standing {
    if service.failing_since.is_some() {
        Standing::Failing
    } else if service.warning.is_some() {
        Standing::Warning
    } else if service.probability.is_none() {
        Standing::Unknown
    } else if service.level.is_some_and(|level| level >= RiskLevel::Medium) {
        Standing::AtRisk
    } else {
        Standing::Ok
    }
}

/// The service of this name.
pub(crate) fn find<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a ServiceView, Problem> {
    let services = &snapshot.view.services;
    let found = services.binary_search_by(|service| service.name.as_str().cmp(name));
    found.map(|place| &services[place]).map_err(|_| Problem::not_found("service", name))
}

/// The services, in order of name.
#[utoipa::path(get, path = "/api/v1/services", tag = "services", params(ServicesQuery),
    responses((status = 200, body = Page<ServiceSummary>)))]
pub(crate) async fn list(
    State(api): State<Shared>,
    Params(query): Params<ServicesQuery>,
) -> Result<Json<Page<ServiceSummary>>, Problem> {
    let limit = limit(query.limit, Some(1_000), MOST)?;
    let snapshot = api.view();
    let summaries = Summaries::new(&api, &snapshot);
    let search = query.search.as_deref().map(str::to_lowercase);
    let fits = |service: &&ServiceView| {
        search.as_deref().is_none_or(|part| service.name.to_lowercase().contains(part))
            && query.level.is_none_or(|level| service.level == Some(level.0))
            && query.status.is_none_or(|status| standing(service) == status)
    };
    let services: Vec<&ServiceView> = snapshot.view.services.iter().filter(fits).collect();
    let page = page_by_name(services, |service| &service.name, query.cursor.as_ref(), limit);
    let Page { items, total, next_cursor } = page;
    let items = items.into_iter().map(|service| summaries.of(service)).collect();
    Ok(Json(Page { items, total, next_cursor }))
}

/// One service.
#[utoipa::path(get, path = "/api/v1/services/{name}", tag = "services",
    params(("name" = String, Path, description = "The service")),
    responses((status = 200, body = ServiceDetail)))]
pub(crate) async fn one(State(api): State<Shared>, Name(name): Name) -> Result<Json<ServiceDetail>, Problem> {
    let snapshot = api.view();
    let service = find(&snapshot, &name)?;
    let calls = &snapshot.view.calls;
    let servers = calls.iter().filter(|(client, _)| *client == name).map(|(_, server)| server.clone());
    let clients = calls.iter().filter(|(_, server)| *server == name).map(|(client, _)| client.clone());
    let slos = snapshot.view.slos.iter().filter(|slo| slo.standing.service == name);
    Ok(Json(ServiceDetail {
        summary: Summaries::new(&api, &snapshot).of(service),
        servers: servers.collect(),
        clients: clients.collect(),
        limits: limits(&snapshot.about.rule),
        slo: slos.map(Objective::of).collect(),
    }))
}
