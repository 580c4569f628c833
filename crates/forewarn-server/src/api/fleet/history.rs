//! The past of a service, as finely as a chart can show it.

use super::{series::Buckets, services::find};
use crate::api::{
    Shared,
    alarms::{older::Older, warnings::Warning},
    words::Time,
};
use crate::{
    http::{Name, Params, Problem},
    runtime::Snapshot,
};
use axum::{Json, extract::State};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Points unless a resolution is asked for.
const USUAL_POINTS: i64 = 720;
/// Most points of an answer.
const MOST_POINTS: i64 = 10_000;
/// Span unless one is asked for.
const USUAL_SPAN_MILLIS: i64 = 6 * 60 * 60 * 1_000;

/// A failure by the failure rule.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Failure {
    /// Its id.
    pub(crate) id: String,
    /// Which service failed.
    pub(crate) service: String,
    /// First minute of the sustained run of violations.
    pub(crate) onset: Time,
    /// First minute after it; null while it goes on.
    pub(crate) end: Option<Time>,
    /// Row time at which it was certain.
    pub(crate) confirmed_at: Time,
}

/// The past of a service. All lists have one entry for each point.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct History {
    /// The service.
    pub(crate) service: String,
    /// The model whose scores they are.
    pub(crate) model: String,
    /// Seconds from one point to the next.
    pub(crate) step_seconds: f64,
    /// Start of each point's span.
    pub(crate) times: Vec<Time>,
    /// Rows of each point.
    pub(crate) minutes: Vec<u32>,
    /// Mean of each metric; null where nothing is known.
    pub(crate) metrics: BTreeMap<String, Vec<Option<f32>>>,
    /// Largest probability; null where the model could not tell.
    pub(crate) probability: Vec<Option<f32>>,
    /// Probability from which on the model warned; null where that is no longer known.
    pub(crate) threshold: Vec<Option<f64>>,
    /// Warnings that fired in the span.
    pub(crate) warnings: Vec<Warning>,
    /// Failures that went on in the span.
    pub(crate) failures: Vec<Failure>,
    /// First row of any service that is known, in memory or in the history on disk.
    pub(crate) first: Option<Time>,
}

/// Which past to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    /// From then on; six hours before `to` unless given.
    from: Option<Time>,
    /// Until before then; all of the newest row unless given.
    to: Option<Time>,
    /// Seconds of a point; what gives about 720 points unless given. Rounded up to whole steps of the data.
    #[param(minimum = 1, maximum = 31_536_000)]
    resolution: Option<u32>,
    /// The model whose scores to give; the main one unless given.
    model: Option<String>,
}

/// The past of a service: rows and scores, down-sampled, with warnings and failures. What is no longer in memory comes
/// from the history on disk.
#[utoipa::path(get, path = "/api/v1/history/{name}", tag = "history",
    params(("name" = String, Path, description = "The service"), HistoryQuery),
    responses((status = 200, body = History)))]
pub(crate) async fn one(
    State(api): State<Shared>,
    Name(name): Name,
    Params(query): Params<HistoryQuery>,
) -> Result<Json<History>, Problem> {
    let snapshot = api.view();
    find(&snapshot, &name)?;
    if let Some(model) = query.model.as_deref().filter(|model| snapshot.about.model(model).is_none()) {
        return Err(Problem::not_found("model", model));
    }
    let buckets = buckets(&snapshot, &query)?;
    let older = Older::read(&snapshot, &name, (buckets.from, buckets.to)).await?;
    Ok(Json(history(&snapshot, &older, &name, query.model.as_deref(), &buckets)))
}

/// Where the points are.
fn buckets(snapshot: &Snapshot, query: &HistoryQuery) -> Result<Buckets, Problem> {
    let step = snapshot.about.step;
    let newest = snapshot.last_row.unwrap_or(Timestamp::EPOCH);
    let to = query.to.map_or_else(|| newest.checked_add(step, 1).unwrap_or(newest), |to| to.0);
    let usual = || Timestamp::from_millis(to.millis().saturating_sub(USUAL_SPAN_MILLIS)).unwrap_or(to);
    let from = query.from.map_or_else(usual, |from| from.0);
    if from >= to {
        return Err(Problem::invalid(format!("from is {from}, and to {to}: expected from before to")));
    }
    let span = to.millis() - from.millis();
    let asked = query.resolution.map_or(span / USUAL_POINTS, |seconds| i64::from(seconds) * 1_000);
    if query.resolution == Some(0) {
        return Err(Problem::invalid("resolution is 0: expected 1 second or more"));
    }
    let width = (asked + step.millis() - 1) / step.millis().max(1) * step.millis();
    let width = width.max(step.millis());
    // Only what is known makes points, however wide the span.
    let last = snapshot.recent.span().map(|(_, last)| last);
    let kept = first_known(snapshot)
        .zip(last)
        .map_or(0, |(first, last)| last.millis().saturating_sub(first.millis()) + step.millis());
    let points = span.min(kept) / width + 1;
    if points > MOST_POINTS {
        return Err(Problem::invalid(format!(
            "the span has {points} points of {} s: expected at most {MOST_POINTS}; ask for a coarser resolution",
            width / 1_000
        )));
    }
    Ok(Buckets { from, to, width_millis: width })
}

/// First row time that is known, on disk or in memory.
fn first_known(snapshot: &Snapshot) -> Option<Timestamp> {
    let memory = snapshot.recent.span().map(|(first, _)| first);
    let disk = snapshot.about.past.as_ref().and_then(|past| past.span()).map(|(first, _)| first);
    [memory, disk].into_iter().flatten().min()
}

fn history(
    snapshot: &Snapshot,
    older: &Older,
    service: &str,
    model: Option<&str>,
    buckets: &Buckets,
) -> History {
    let main = snapshot.view.models.first().map(|main| main.name.as_str());
    let model = model.or(main).unwrap_or_default();
    let names = &snapshot.view.metrics;
    let blocks = snapshot.recent.minutes(buckets.from, buckets.to);
    let rows = older.minutes.iter().filter_map(|block| block.row(service));
    let rows = rows.chain(blocks.filter_map(|block| block.row(service)));
    let points = buckets.fill(rows, model, names.len());
    let mut metrics: BTreeMap<String, Vec<Option<f32>>> = BTreeMap::new();
    for (place, name) in names.iter().enumerate() {
        metrics.insert(name.clone(), points.iter().map(|point| point.mean(place)).collect());
    }
    let is_here =
        |from: Timestamp, to: Option<Timestamp>| from < buckets.to && to.is_none_or(|to| to >= buckets.from);
    let warnings = older
        .warnings(&snapshot.recent)
        .chain(snapshot.recent.warnings())
        .filter(|record| record.event.service == service && is_here(record.event.since, record.resolved_at));
    let failures = older
        .failures(&snapshot.recent)
        .chain(snapshot.recent.failures())
        .filter(|record| record.event.service == service && is_here(record.event.onset, record.event.end));
    let failure = |record: &std::sync::Arc<crate::runtime::FailureRecord>| Failure {
        id: record.event.id.clone(),
        service: record.event.service.clone(),
        onset: record.event.onset.into(),
        end: record.event.end.map(Time),
        confirmed_at: record.confirmed_at.into(),
    };
    History {
        service: service.to_owned(),
        model: model.to_owned(),
        step_seconds: buckets.width_millis as f64 / 1e3,
        times: points.iter().map(|point| point.time.into()).collect(),
        minutes: points.iter().map(|point| point.rows).collect(),
        metrics,
        probability: points.iter().map(|point| point.probability).collect(),
        threshold: points.iter().map(|point| point.threshold).collect(),
        warnings: warnings.map(|record| Warning::from(&**record)).collect(),
        failures: failures.map(failure).collect(),
        first: first_known(snapshot).map(Time),
    }
}
