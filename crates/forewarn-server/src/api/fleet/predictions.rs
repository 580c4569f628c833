//! What the models say of the services' future.

use super::services::find;
use crate::api::{
    Shared,
    alarms::warnings::{Advice, Evidence},
    page::{Cursor, Page, limit, page_by_name},
    words::{FailureKind, Level, Outcome, Time, WhyUnknown},
};
use crate::{
    http::{Name, Params, Problem},
    runtime::{Snapshot, WarningRecord},
};
use axum::{Json, extract::State};
use forewarn_live::{RiskLevel, ServedModel, ServiceView};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Most predictions of a page.
const MOST: u32 = 10_000;
/// Past warnings that are named.
const MOST_SIMILAR: usize = 5;
/// Largest distance from training that is told apart.
const FARTHEST: f32 = 1e6;

/// How far to trust a score.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Confidence {
    /// Whether the model's file says that its probabilities were calibrated.
    pub(crate) calibrated: bool,
    /// How many times beyond all of training the farthest metric is; 1 for within. Null without a row.
    pub(crate) distance: Option<f64>,
    /// The same in words.
    pub(crate) text: String,
}

/// A past warning that looked alike.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SimilarWarning {
    /// Its id.
    pub(crate) warning: String,
    /// When it was raised.
    pub(crate) time: Time,
    /// What became of it.
    pub(crate) outcome: Option<Outcome>,
    /// Minutes from it to the failure's onset.
    pub(crate) lead_minutes: Option<f64>,
}

/// What the main model says of a service.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Prediction {
    /// The service.
    pub(crate) service: String,
    /// Time of the row that was scored.
    pub(crate) time: Option<Time>,
    /// The model.
    pub(crate) model: String,
    /// Probability that a failure begins in the prediction period; null where the model cannot tell.
    pub(crate) probability: Option<f64>,
    /// Probability for each step of the period; for models that know when, and from medium risk on.
    pub(crate) per_step: Option<Vec<f32>>,
    /// Expected minutes until the failure, should it come; likewise.
    pub(crate) minutes_to_failure: Option<f64>,
    /// How serious it is.
    pub(crate) level: Option<Level>,
    /// Probability from which on the model warns.
    pub(crate) threshold: f64,
    /// What kind of failure the warning that fires looks like.
    pub(crate) kind: Option<FailureKind>,
    /// Share of the evidence that speaks for this kind.
    pub(crate) kind_confidence: Option<f64>,
    /// Why the model cannot tell.
    pub(crate) cannot_tell: Option<WhyUnknown>,
    /// How far to trust it.
    pub(crate) confidence: Confidence,
    /// The largest contributions to the score that raised the warning that fires; empty without one.
    pub(crate) evidence: Vec<Evidence>,
    /// What may help, with a warning.
    pub(crate) recommendation: Option<Advice>,
    /// Id of the warning that fires.
    pub(crate) warning: Option<String>,
    /// Judged warnings of the same kind, those of the same service first, then the newest.
    pub(crate) similar: Vec<SimilarWarning>,
}

impl Prediction {
    pub(crate) fn of(snapshot: &Snapshot, service: &ServiceView) -> Self {
        let main = snapshot.view.models.first();
        let block = snapshot.recent.last();
        let score = block.and_then(|block| block.row(&service.name)).and_then(|row| row.main());
        let detail = score.and_then(|score| score.detail).filter(|_| service.probability.is_some());
        let record = service.warning.as_deref().and_then(|id| snapshot.recent.warning(id));
        let event = record.map(|record| &record.event);
        let cannot_tell = score.and_then(|score| score.cannot_tell).filter(|_| service.probability.is_none());
        let model = main.map(|main| main.name.clone()).unwrap_or_default();
        Self {
            service: service.name.clone(),
            time: block.map(|block| block.time.into()),
            probability: service.probability,
            per_step: detail.and_then(|detail| detail.per_step.clone()),
            minutes_to_failure: detail.and_then(|detail| detail.minutes_to_failure).map(f64::from),
            level: service.level.map(Level),
            threshold: main.map_or(1.0, |main| main.threshold),
            kind: event.map(|event| event.kind.into()),
            kind_confidence: event.map(|event| event.kind_confidence),
            cannot_tell: cannot_tell.map(WhyUnknown),
            confidence: confidence(snapshot.about.model(&model), service),
            evidence: event
                .map(|event| event.evidence.iter().map(Evidence::from).collect())
                .unwrap_or_default(),
            recommendation: event.map(|event| Advice {
                text: event.recommendation.text.clone(),
                runbook: event.recommendation.runbook.clone(),
            }),
            warning: service.warning.clone(),
            similar: record.map(|record| similar(snapshot, record)).unwrap_or_default(),
            model,
        }
    }
}

fn confidence(model: Option<&ServedModel>, service: &ServiceView) -> Confidence {
    let is_true = |value: &serde_json::Value| value.as_bool() == Some(true);
    let calibrated = model.and_then(|model| model.metadata().get("calibrated")).is_some_and(is_true);
    let row: Vec<f32> = service.row.iter().map(|value| value.unwrap_or(f32::NAN)).collect();
    let has_row = row.iter().any(|value| !value.is_nan());
    let distance = model.filter(|_| has_row).map(|model| distance(model, &row));
    let text = match distance {
        None => "there is no row to judge".to_owned(),
        Some(distance) if distance <= 1.0 => "the row is within what training has seen".to_owned(),
        Some(distance) => format!("a metric is {distance:.1} times beyond all that training has seen"),
    };
    Confidence { calibrated, distance, text }
}

/// How many times beyond training a row is, to 1 %.
fn distance(model: &ServedModel, row: &[f32]) -> f64 {
    let is_beyond = |factor: f32| model.far_from_training(row, factor).is_some();
    if !is_beyond(1.0) {
        return 1.0;
    }
    let (mut inside, mut beyond) = (FARTHEST, 1.0_f32);
    if is_beyond(FARTHEST) {
        return f64::from(FARTHEST);
    }
    while inside / beyond > 1.01 {
        let middle = (inside * beyond).sqrt();
        *(if is_beyond(middle) { &mut beyond } else { &mut inside }) = middle;
    }
    f64::from(beyond)
}

/// Judged warnings of the same kind.
fn similar(snapshot: &Snapshot, like: &WarningRecord) -> Vec<SimilarWarning> {
    let judged = || {
        let others = snapshot.recent.warnings().rev().filter(|other| {
            other.outcome.is_some() && other.event.id != like.event.id && other.event.kind == like.event.kind
        });
        others.map(|other| (other.event.service == like.event.service, other))
    };
    let same = judged().filter(|(is_same, _)| *is_same);
    let rest = judged().filter(|(is_same, _)| !*is_same);
    let show = |(_, record): (bool, &std::sync::Arc<WarningRecord>)| {
        let outcome = record.outcome.as_ref();
        SimilarWarning {
            warning: record.event.id.clone(),
            time: record.event.since.into(),
            outcome: outcome.map(|outcome| outcome.outcome.into()),
            lead_minutes: outcome.and_then(|outcome| outcome.lead_minutes),
        }
    };
    same.chain(rest).take(MOST_SIMILAR).map(show).collect()
}

/// Which predictions to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PredictionsQuery {
    /// Part of the service's name.
    search: Option<String>,
    /// Of this level or above.
    level: Option<Level>,
    /// Most entries, 1,000 unless given.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// What the main model says of the services, in order of name.
#[utoipa::path(get, path = "/api/v1/predictions", tag = "predictions", params(PredictionsQuery),
    responses((status = 200, body = Page<Prediction>)))]
pub(crate) async fn list(
    State(api): State<Shared>,
    Params(query): Params<PredictionsQuery>,
) -> Result<Json<Page<Prediction>>, Problem> {
    let limit = limit(query.limit, Some(1_000), MOST)?;
    let snapshot = api.view();
    let search = query.search.as_deref().map(str::to_lowercase);
    let least: Option<RiskLevel> = query.level.map(|level| level.0);
    let fits = |service: &&ServiceView| {
        search.as_deref().is_none_or(|part| service.name.to_lowercase().contains(part))
            && least.is_none_or(|least| service.level.is_some_and(|level| level >= least))
    };
    let services: Vec<&ServiceView> = snapshot.view.services.iter().filter(fits).collect();
    let page = page_by_name(services, |service| &service.name, query.cursor.as_ref(), limit);
    let Page { items, total, next_cursor } = page;
    let items = items.into_iter().map(|service| Prediction::of(&snapshot, service)).collect();
    Ok(Json(Page { items, total, next_cursor }))
}

/// What the main model says of one service.
#[utoipa::path(get, path = "/api/v1/predictions/{name}", tag = "predictions",
    params(("name" = String, Path, description = "The service")),
    responses((status = 200, body = Prediction)))]
pub(crate) async fn one(State(api): State<Shared>, Name(name): Name) -> Result<Json<Prediction>, Problem> {
    let snapshot = api.view();
    Ok(Json(Prediction::of(&snapshot, find(&snapshot, &name)?)))
}
