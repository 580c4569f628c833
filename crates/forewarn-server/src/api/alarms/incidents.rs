//! Incidents: the warnings and failures of one cascade.

use super::older::OlderAlarms;
use crate::api::{
    Shared,
    fleet::overview::Graphs,
    page::{self, Cursor, Page, page_by_number},
    words::{IncidentWord, Time},
};
use crate::{
    http::{Name, Params, Problem},
    runtime::{IncidentRecord, Snapshot},
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Where an incident may have begun.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Suspect {
    /// The service.
    pub(crate) service: String,
    /// How much speaks for it; the shares of an incident add up to 1.
    pub(crate) share: f64,
}

/// A service that may follow.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Victim {
    /// The service.
    pub(crate) service: String,
    /// How likely it follows.
    pub(crate) probability: f64,
}

/// The warnings and failures of one cascade as one.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Incident {
    /// Its id.
    pub(crate) id: String,
    /// As it was said last.
    pub(crate) state: IncidentWord,
    /// Row time of its first warning or failure.
    pub(crate) since: Time,
    /// Row time of its last change.
    pub(crate) updated_at: Time,
    /// Row time at which it was closed.
    pub(crate) closed_at: Option<Time>,
    /// Its services in order of joining.
    pub(crate) services: Vec<String>,
    /// Where it probably began, the likeliest first.
    pub(crate) suspects: Vec<Suspect>,
    /// Services that may follow, the likeliest first.
    pub(crate) victims: Vec<Victim>,
    /// How the trouble spreads from the first suspect to the farthest of its services, over calls.
    pub(crate) path: Vec<String>,
    /// The warnings of its services.
    pub(crate) warnings: Vec<String>,
    /// Services that a failure of the first suspect is expected to bring down; null outside of the graph.
    pub(crate) blast_radius: Option<f64>,
}

impl Incident {
    /// An incident, with warnings from memory and from `older`.
    pub(crate) fn of(
        record: &IncidentRecord,
        snapshot: &Snapshot,
        older: &OlderAlarms,
        graphs: &Graphs,
    ) -> Self {
        let event = &record.event;
        let root = event.suspects.first().map(|(service, _)| service.as_str());
        let warnings = older.warnings().chain(snapshot.recent.warnings()).map(|warning| &warning.event);
        let warnings = warnings.filter(|warning| warning.incident.as_deref() == Some(&event.id));
        let suspect = |(service, share): &(String, f64)| Suspect { service: service.clone(), share: *share };
        let victim = |(service, probability): &(String, f64)| Victim {
            service: service.clone(),
            probability: *probability,
        };
        Self {
            id: event.id.clone(),
            state: event.state.into(),
            since: event.since.into(),
            updated_at: record.updated_at.into(),
            closed_at: record.closed_at.map(Time),
            services: event.services.clone(),
            suspects: event.suspects.iter().map(suspect).collect(),
            victims: event.victims.iter().map(victim).collect(),
            path: root.map(|root| graphs.spread(root, &event.services)).unwrap_or_default(),
            warnings: warnings.map(|warning| warning.id.clone()).collect(),
            blast_radius: root.and_then(|root| graphs.blast_radius(root)),
        }
    }
}

/// Incidents of which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IncidentFilter {
    /// That are not closed.
    Open,
    /// That are closed.
    Closed,
    /// All.
    #[default]
    All,
}

/// Which incidents to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentsQuery {
    /// Of which state; all unless given.
    state: Option<IncidentFilter>,
    /// With this service only.
    service: Option<String>,
    /// Begun then or later; those that are no longer in memory come from the history on disk.
    from: Option<Time>,
    /// Begun before.
    to: Option<Time>,
    /// Most entries, 100 unless given.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Incidents, the newest first: those in memory, and from `from` on those of the history on disk.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", params(IncidentsQuery),
    responses((status = 200, body = Page<Incident>)))]
pub(crate) async fn list(
    State(api): State<Shared>,
    Params(query): Params<IncidentsQuery>,
) -> Result<Json<Page<Incident>>, Problem> {
    let limit = page::limit(query.limit, None, page::MOST)?;
    let snapshot = api.view();
    let graphs = api.graphs(&snapshot.view.calls)?;
    let fits = |record: &&Arc<IncidentRecord>| {
        let is_of_state = match query.state.unwrap_or_default() {
            IncidentFilter::Open => record.closed_at.is_none(),
            IncidentFilter::Closed => record.closed_at.is_some(),
            IncidentFilter::All => true,
        };
        let since = Time(record.event.since);
        is_of_state
            && query.service.as_ref().is_none_or(|service| record.event.services.contains(service))
            && query.from.is_none_or(|from| since >= from)
            && query.to.is_none_or(|to| since < to)
    };
    let span = (query.from, query.to);
    let older = OlderAlarms::asked(&snapshot, None, span, true).await?;
    let newest_first = snapshot.recent.incidents().rev().chain(older.incidents().rev()).filter(fits);
    let show = |record: &&Arc<IncidentRecord>| Incident::of(record, &snapshot, &older, &graphs);
    page_by_number(newest_first, |record| record.seq, (query.cursor.as_ref(), limit), show).map(Json)
}

/// One incident, in memory or in the history on disk.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "The incident")),
    responses((status = 200, body = Incident)))]
pub(crate) async fn one(State(api): State<Shared>, Name(id): Name) -> Result<Json<Incident>, Problem> {
    let snapshot = api.view();
    let graphs = api.graphs(&snapshot.view.calls)?;
    let (recent, mut older) = (snapshot.recent.incident(&id), OlderAlarms::none());
    // Memory may have the incident and no longer all of its warnings.
    let first_warning = snapshot.recent.warnings().next().map(|first| first.event.since);
    if recent.is_none_or(|record| first_warning.is_none_or(|first| record.event.since < first)) {
        older = OlderAlarms::of_id(&snapshot, &id).await?;
    }
    let record = recent.or_else(|| older.incidents().find(|record| record.event.id == id));
    let record = record.ok_or_else(|| Problem::not_found("incident", &id))?;
    Ok(Json(Incident::of(record, &snapshot, &older, &graphs)))
}
