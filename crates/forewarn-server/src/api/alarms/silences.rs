//! Silences: services of which no warnings are wanted for a while.

use super::notes::SilenceNote;
use crate::api::{Shared, control::models::text, fleet::services::find, state::Api, words::Time};
use crate::{
    http::{Body, Caller, Problem},
    runtime::Snapshot,
};
use axum::{Extension, Json, extract::State, http::StatusCode};
use forewarn_live::{Action, Input};
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

/// Longest silence.
const MOST_MINUTES: u32 = 30 * 24 * 60;

/// A service of which an operator wants no warnings for a while. They are still raised and judged, and marked.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Silence {
    /// The service.
    pub(crate) service: String,
    /// Until when, in row time.
    pub(crate) until: Time,
    /// What was said of it; null where it did not come by this API.
    pub(crate) comment: Option<String>,
    /// Whose token asked for it; likewise.
    pub(crate) by: Option<String>,
}

/// The silences that hold.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Silences {
    /// By service, in order of name.
    pub(crate) items: Vec<Silence>,
}

impl Silences {
    fn of(api: &Api, snapshot: &Snapshot) -> Self {
        let now = api.row_clock(snapshot).0;
        let silenced = snapshot.view.services.iter().filter_map(|service| {
            let until = service.silenced_until.filter(|until| *until > now)?;
            let note = api.notes.find(&service.name, until);
            Some(Silence {
                service: service.name.clone(),
                until: until.into(),
                comment: note.as_ref().map(|note| note.comment.clone()),
                by: note.map(|note| note.by),
            })
        });
        Self { items: silenced.collect() }
    }
}

/// A silence to be. Exactly one of `until` and `minutes` is given.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SilenceRequest {
    /// The service.
    service: String,
    /// Until when, in row time. A time that is over ends a silence.
    #[serde(default)]
    until: Option<Time>,
    /// For how long from the last row on; 0 ends a silence.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 43_200)]
    minutes: Option<u32>,
    /// Why, for the log.
    #[serde(default)]
    #[schema(max_length = 1_000)]
    comment: String,
}

/// The silences that hold.
#[utoipa::path(get, path = "/api/v1/silences", tag = "silences", responses((status = 200, body = Silences)))]
pub(crate) async fn list(State(api): State<Shared>) -> Json<Silences> {
    Json(Silences::of(&api, &api.view()))
}

/// Silences a service for a while, or ends its silence.
#[utoipa::path(post, path = "/api/v1/silences", tag = "silences", request_body = SilenceRequest,
    responses((status = 201, body = Silences)))]
pub(crate) async fn add(
    State(api): State<Shared>,
    Extension(caller): Extension<Caller>,
    Body(request): Body<SilenceRequest>,
) -> Result<(StatusCode, Json<Silences>), Problem> {
    let snapshot = api.view();
    find(&snapshot, &request.service)?;
    let now = api.row_clock(&snapshot).0;
    let until = until(now, &request)?;
    let comment = text("comment", request.comment, 0)?;
    let service = request.service;
    let snapshot = api.act(Input::Action(Action::Silence { service: service.clone(), until })).await?;
    tracing::info!(target: "forewarn::audit", service, %until, comment, token = caller.name(), "silenced");
    let (note, noted) = (SilenceNote { comment, by: caller.name().to_owned(), until }, Arc::clone(&api));
    let kept = spawn_blocking(move || noted.notes.keep(&service, note, now)).await;
    if let Err(error) = kept.map_err(std::io::Error::other).and_then(|kept| kept) {
        tracing::warn!(%error, "the comment of a silence will be lost with a restart");
    }
    Ok((StatusCode::CREATED, Json(Silences::of(&api, &snapshot))))
}

fn until(now: Timestamp, request: &SilenceRequest) -> Result<Timestamp, Problem> {
    let most = now.checked_add(Step::MINUTE, MOST_MINUTES.into()).unwrap_or(now);
    let until = match (request.until, request.minutes) {
        (Some(until), None) => Some(until.0),
        (None, Some(minutes)) => now.checked_add(Step::MINUTE, minutes.into()),
        _ => return Err(Problem::invalid("expected exactly one of until and minutes")),
    };
    until.filter(|until| *until <= most).ok_or_else(|| {
        Problem::invalid(format!("the silence is too long: expected at most {MOST_MINUTES} minutes"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_ends_when_it_says_and_lasts_at_most_thirty_days() {
        let now: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
        let of = |json: &str| until(now, &serde_json::from_str(json).unwrap()).map(|until| until.to_string());
        assert_eq!(of(r#"{"service": "a", "minutes": 30}"#).unwrap(), "2026-03-02T00:30:00Z");
        assert_eq!(of(r#"{"service": "a", "minutes": 0}"#).unwrap(), "2026-03-02T00:00:00Z");
        assert_eq!(
            of(r#"{"service": "a", "until": "2026-03-01T00:00:00Z"}"#).unwrap(),
            "2026-03-01T00:00:00Z"
        );
        for wrong in [
            r#"{"service": "a"}"#,
            r#"{"service": "a", "minutes": 43201}"#,
            r#"{"service": "a", "until": "2027-03-01T00:00:00Z"}"#,
            r#"{"service": "a", "minutes": 1, "until": "2026-03-03T00:00:00Z"}"#,
        ] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
