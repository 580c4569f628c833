//! Warnings, and what operators do about them.

use super::older::OlderAlarms;
use crate::api::{
    Shared,
    page::{self, Cursor, Page, page_by_number},
    words::{FailureKind, Level, Outcome, Time},
};
use crate::{
    http::{Name, Params, Problem},
    runtime::{Snapshot, WarningRecord},
};
use axum::{Json, extract::State};
use forewarn_live::{Action, EvidenceItem, Input};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// One contribution to a score.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Evidence {
    /// The feature.
    pub(crate) metric: String,
    /// What of it is looked at, in words.
    pub(crate) view: String,
    /// What was seen, as the model sees it.
    pub(crate) value: Option<f32>,
    /// What is normal.
    pub(crate) normal: Option<f32>,
    /// Distance from normal in deviations of training.
    pub(crate) deviations: Option<f32>,
    /// What it adds to the log-odds of a failure.
    pub(crate) log_odds: f64,
}

impl From<&EvidenceItem> for Evidence {
    fn from(item: &EvidenceItem) -> Self {
        Self {
            metric: item.metric.clone(),
            view: item.view.clone(),
            value: item.value,
            normal: item.normal,
            deviations: item.deviations,
            log_odds: item.log_odds,
        }
    }
}

/// What may help against a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Advice {
    /// What to do.
    pub(crate) text: String,
    /// Where to read more, if the configuration says so.
    pub(crate) runbook: Option<String>,
}

/// Whether a warning fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WarningWord {
    /// It fires.
    Firing,
    /// It is over.
    Resolved,
}

/// A warning, from its first minute to what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Warning {
    /// Its id.
    pub(crate) id: String,
    /// Of which service.
    pub(crate) service: String,
    /// Whether it fires.
    pub(crate) state: WarningWord,
    /// Row time at which it was raised.
    pub(crate) since: Time,
    /// Row time at which it was over.
    pub(crate) resolved_at: Option<Time>,
    /// Which model.
    pub(crate) model: String,
    /// Probability that raised it.
    pub(crate) probability: Option<f64>,
    /// Probability from which on an alarm was raised.
    pub(crate) threshold: f64,
    /// How serious it was when it was raised.
    pub(crate) level: Level,
    /// What kind of failure it looks like.
    pub(crate) kind: FailureKind,
    /// Share of the evidence that speaks for this kind.
    pub(crate) kind_confidence: f64,
    /// The largest contributions to the score when it was raised.
    pub(crate) evidence: Vec<Evidence>,
    /// Expected minutes from then until the failure.
    pub(crate) minutes_to_failure: Option<f64>,
    /// What may help.
    pub(crate) recommendation: Advice,
    /// The incident that it belongs to.
    pub(crate) incident: Option<String>,
    /// Whether an operator had asked for silence.
    pub(crate) silenced: bool,
    /// Whether an operator has seen it.
    pub(crate) acknowledged: bool,
    /// Row time at which that was.
    pub(crate) acknowledged_at: Option<Time>,
    /// Whether an operator acted on it.
    pub(crate) acted: bool,
    /// Row time at which that was.
    pub(crate) acted_at: Option<Time>,
    /// What became of it; null until it is judged.
    pub(crate) outcome: Option<Outcome>,
    /// Minutes from it to the failure's onset, if that came.
    pub(crate) lead_minutes: Option<f64>,
}

impl From<&WarningRecord> for Warning {
    fn from(record: &WarningRecord) -> Self {
        let event = &record.event;
        let outcome = record.outcome.as_ref();
        Self {
            id: event.id.clone(),
            service: event.service.clone(),
            state: if record.is_firing() { WarningWord::Firing } else { WarningWord::Resolved },
            since: event.since.into(),
            resolved_at: record.resolved_at.map(Time),
            model: event.model.clone(),
            probability: event.probability,
            threshold: event.threshold,
            level: event.level.into(),
            kind: event.kind.into(),
            kind_confidence: event.kind_confidence,
            evidence: event.evidence.iter().map(Evidence::from).collect(),
            minutes_to_failure: event.minutes_to_failure,
            recommendation: Advice {
                text: event.recommendation.text.clone(),
                runbook: event.recommendation.runbook.clone(),
            },
            incident: event.incident.clone(),
            silenced: event.silenced,
            acknowledged: record.acknowledged_at.is_some(),
            acknowledged_at: record.acknowledged_at.map(Time),
            acted: record.acted_at.is_some(),
            acted_at: record.acted_at.map(Time),
            outcome: outcome.map(|outcome| outcome.outcome.into()),
            lead_minutes: outcome.and_then(|outcome| outcome.lead_minutes),
        }
    }
}

/// Warnings of which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WarningFilter {
    /// That fire.
    Firing,
    /// That are over.
    Resolved,
    /// All.
    #[default]
    All,
}

/// Which warnings to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WarningsQuery {
    /// Of which state; all unless given.
    state: Option<WarningFilter>,
    /// Of this service only.
    service: Option<String>,
    /// Raised then or later; those that are no longer in memory come from the history on disk.
    from: Option<Time>,
    /// Raised before.
    to: Option<Time>,
    /// Most entries, 100 unless given.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Warnings, the newest first: those in memory, and from `from` on those of the history on disk.
#[utoipa::path(get, path = "/api/v1/warnings", tag = "warnings", params(WarningsQuery),
    responses((status = 200, body = Page<Warning>)))]
pub(crate) async fn list(
    State(api): State<Shared>,
    Params(query): Params<WarningsQuery>,
) -> Result<Json<Page<Warning>>, Problem> {
    let limit = page::limit(query.limit, None, page::MOST)?;
    let snapshot = api.view();
    let fits = |record: &&Arc<WarningRecord>| {
        let is_of_state = match query.state.unwrap_or_default() {
            WarningFilter::Firing => record.is_firing(),
            WarningFilter::Resolved => !record.is_firing(),
            WarningFilter::All => true,
        };
        let since = Time(record.event.since);
        is_of_state
            && query.service.as_ref().is_none_or(|service| *service == record.event.service)
            && query.from.is_none_or(|from| since >= from)
            && query.to.is_none_or(|to| since < to)
    };
    let span = (query.from, query.to);
    let older = OlderAlarms::asked(&snapshot, query.service.as_deref(), span, false).await?;
    let newest_first = snapshot.recent.warnings().rev().chain(older.warnings().rev()).filter(fits);
    let place = (query.cursor.as_ref(), limit);
    page_by_number(newest_first, |record| record.seq, place, |record| Warning::from(&***record)).map(Json)
}

fn find(snapshot: &Snapshot, id: &str) -> Result<Warning, Problem> {
    let record = snapshot.recent.warning(id).ok_or_else(|| Problem::not_found("warning", id))?;
    Ok(Warning::from(&**record))
}

/// One warning, in memory or in the history on disk.
#[utoipa::path(get, path = "/api/v1/warnings/{id}", tag = "warnings",
    params(("id" = String, Path, description = "The warning")),
    responses((status = 200, body = Warning)))]
pub(crate) async fn one(State(api): State<Shared>, Name(id): Name) -> Result<Json<Warning>, Problem> {
    let snapshot = api.view();
    if snapshot.recent.warning(&id).is_some() {
        return find(&snapshot, &id).map(Json);
    }
    let older = OlderAlarms::of_id(&snapshot, &id).await?;
    let found = older.warnings().find(|record| record.event.id == id);
    found.map(|record| Json(Warning::from(&**record))).ok_or_else(|| Problem::not_found("warning", &id))
}

/// Says that an operator has seen a warning.
#[utoipa::path(post, path = "/api/v1/warnings/{id}/acknowledge", tag = "warnings",
    params(("id" = String, Path, description = "The warning")),
    responses((status = 200, body = Warning)))]
pub(crate) async fn acknowledge(State(api): State<Shared>, Name(id): Name) -> Result<Json<Warning>, Problem> {
    find(&api.view(), &id)?;
    let snapshot = api.act(Input::Action(Action::Acknowledge { warning: id.clone() })).await?;
    find(&snapshot, &id).map(Json)
}

/// Says that an operator acted on a warning: if no failure comes, it counts as averted and not as false.
#[utoipa::path(post, path = "/api/v1/warnings/{id}/acted", tag = "warnings",
    params(("id" = String, Path, description = "The warning")),
    responses((status = 200, body = Warning)))]
pub(crate) async fn acted(State(api): State<Shared>, Name(id): Name) -> Result<Json<Warning>, Problem> {
    find(&api.view(), &id)?;
    let snapshot = api.act(Input::Action(Action::Acted { warning: id.clone() })).await?;
    find(&snapshot, &id).map(Json)
}
