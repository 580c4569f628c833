//! The log of events, from any number on.

use crate::api::{Shared, page};
use crate::http::{Params, Problem};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use forewarn_live::{Action, EventBody};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Largest number that the document's 64-bit integers have.
const MOST_SEQ: u64 = i64::MAX as u64;

/// A page of the log.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct EventPage {
    /// The events, in order of number: each has `seq`, `time`, its kind as `event`, and what it says.
    #[schema(value_type = Vec<Object>)]
    pub(crate) items: Vec<Value>,
    /// What to send as `after` for what comes next.
    pub(crate) next: Option<u64>,
    /// Number of the oldest event in memory; those before are in the file of events.
    pub(crate) first: u64,
}

/// Kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    ServiceAppeared,
    ServiceExpired,
    ServiceAdopted,
    ServiceReleased,
    Row,
    Score,
    Warning,
    Incident,
    Failure,
    Outcome,
    Budget,
    Slo,
    Source,
    Late,
    Action,
}

impl EventKind {
    fn of(body: &EventBody) -> Option<Self> {
        Some(match body {
            EventBody::ServiceAppeared { .. } => Self::ServiceAppeared,
            EventBody::ServiceExpired { .. } => Self::ServiceExpired,
            EventBody::ServiceAdopted { .. } => Self::ServiceAdopted,
            EventBody::ServiceReleased { .. } => Self::ServiceReleased,
            EventBody::Row(_) => Self::Row,
            EventBody::Score(_) => Self::Score,
            EventBody::Warning(_) => Self::Warning,
            EventBody::Incident(_) => Self::Incident,
            EventBody::Failure(_) => Self::Failure,
            EventBody::Outcome(_) => Self::Outcome,
            EventBody::Budget(_) => Self::Budget,
            EventBody::Slo(_) => Self::Slo,
            EventBody::Source { .. } => Self::Source,
            EventBody::Late { .. } => Self::Late,
            EventBody::Action(_) => Self::Action,
            _ => return None,
        })
    }
}

/// Whether an event is about a service.
pub(crate) fn is_about(body: &EventBody, service: &str) -> bool {
    match body {
        EventBody::ServiceAppeared { service: of }
        | EventBody::ServiceExpired { service: of }
        | EventBody::ServiceAdopted { service: of, .. }
        | EventBody::ServiceReleased { service: of }
        | EventBody::Late { service: of, .. } => of == service,
        EventBody::Row(row) => row.service == service,
        EventBody::Score(score) => score.service == service,
        EventBody::Warning(warning) => warning.service == service,
        EventBody::Incident(incident) => incident.services.iter().any(|of| of == service),
        EventBody::Failure(failure) => failure.service == service,
        EventBody::Outcome(outcome) => outcome.service == service,
        EventBody::Slo(slo) => slo.service == service,
        EventBody::Action(Action::Silence { service: of, .. }) => of == service,
        // The id of a warning has its service in it.
        EventBody::Action(Action::Acknowledge { warning } | Action::Acted { warning }) => {
            warning.strip_prefix("w:").and_then(|rest| rest.strip_prefix(service)).is_some_and(|rest| {
                rest.strip_prefix(':').is_some_and(|time| time.parse::<forewarn_schema::Timestamp>().is_ok())
            })
        }
        _ => false,
    }
}

/// Which events to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// After this number. Without it, the newest events.
    after: Option<u64>,
    /// Of this kind only. Without it, all but rows and scores, of which there is one for each service and minute.
    kind: Option<EventKind>,
    /// About this service only.
    service: Option<String>,
    /// Most entries, 100 unless given.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
}

/// The events in memory, in order of number.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(EventsQuery),
    responses((status = 200, body = EventPage)))]
pub(crate) async fn list(
    State(api): State<Shared>,
    Params(query): Params<EventsQuery>,
) -> Result<Response, Problem> {
    let limit = page::limit(query.limit, None, page::MOST)?;
    if let Some(after) = query.after.filter(|after| *after > MOST_SEQ) {
        return Err(Problem::invalid(format!("after is {after}: expected a number up to {MOST_SEQ}")));
    }
    let events = &api.view().events;
    let fits = |body: &EventBody| {
        let kind = EventKind::of(body);
        let is_of_kind = match query.kind {
            Some(asked) => kind == Some(asked),
            None => !matches!(kind, Some(EventKind::Row | EventKind::Score)),
        };
        is_of_kind && query.service.as_ref().is_none_or(|service| is_about(body, service))
    };
    let since = query.after.map_or(0, |after| after.saturating_add(1));
    let fitting = events.since(since).filter(|event| fits(&event.event.body));
    let chosen: Vec<_> = if query.after.is_some() {
        fitting.take(limit).collect()
    } else {
        let mut newest: Vec<_> = fitting.rev().take(limit).collect();
        newest.reverse();
        newest
    };
    // After a full page there may be more; after any other, all that there is has been looked at.
    let next = match chosen.last() {
        Some(last) if chosen.len() == limit => Some(last.seq),
        _ => events.next().checked_sub(1).max(query.after),
    };
    // The events are text already.
    let items: Vec<&str> = chosen.iter().map(|event| event.json()).collect();
    let next = next.map_or_else(|| "null".to_owned(), |next| next.to_string());
    let text = format!("{{\"items\":[{}],\"next\":{next},\"first\":{}}}", items.join(","), events.first());
    Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_about_a_service_are_found() {
        let seen = |warning: &str| EventBody::Action(Action::Acknowledge { warning: warning.to_owned() });
        assert!(is_about(&seen("w:cart:2026-03-02T00:00:00Z"), "cart"));
        assert!(!is_about(&seen("w:cart:2026-03-02T00:00:00Z"), "car"));
        assert!(is_about(&seen("w:a:b:2026-03-02T00:00:00Z"), "a:b"));
        assert!(!is_about(&seen("w:a:b:2026-03-02T00:00:00Z"), "a"));
        assert!(is_about(&EventBody::Late { service: "cart".to_owned(), count: 1 }, "cart"));
        assert!(!is_about(&EventBody::Late { service: "cart".to_owned(), count: 1 }, "login"));
    }
}
