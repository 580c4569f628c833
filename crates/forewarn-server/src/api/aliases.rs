//! Short names for what other programs of this kind call by them.

use super::{
    Shared,
    control::chaos::{Reset, on_thread},
    fleet::{
        predictions::Prediction,
        services::{ServiceSummary, Standing, Summaries, find},
    },
    live::not_a_socket,
    state::Api,
};
use crate::{
    chaos::{ChaosExperiment, ChaosRequest},
    http::{Body, Caller, Name, Problem, ended},
    runtime::Snapshot,
};
use axum::{
    Extension, Json,
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::StatusCode,
    response::Response,
};
use forewarn_live::RiskLevel;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::watch, time::interval};
use utoipa::ToSchema;

/// Time between two messages of the short stream.
const BEAT: Duration = Duration::from_secs(2);

/// A service in short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ShortService {
    /// Share of the processor in use.
    pub(crate) cpu: Option<f64>,
    /// Share of the memory in use.
    pub(crate) memory: Option<f64>,
    /// Milliseconds.
    pub(crate) latency: Option<f64>,
    /// Share of the requests that failed.
    pub(crate) error_rate: Option<f64>,
    /// Requests a second.
    pub(crate) throughput: Option<f64>,
    /// Share of the pods that take requests, or of the known minutes of the last 24 h without a failure.
    pub(crate) availability: Option<f64>,
    /// How it stands.
    pub(crate) status: Standing,
    /// Seconds since these numbers; null for data without a clock.
    pub(crate) age_seconds: Option<f64>,
}

/// The services by name: at the last closed row, or at this moment where a simulation is the source.
pub(crate) fn short_services(api: &Api, snapshot: &Snapshot) -> BTreeMap<String, ShortService> {
    let short = |summary: ServiceSummary| {
        let gauges = summary.gauges;
        let short = ShortService {
            cpu: gauges.cpu,
            memory: gauges.memory,
            latency: gauges.latency,
            error_rate: gauges.error_rate,
            throughput: gauges.throughput,
            availability: gauges.availability,
            status: summary.status,
            age_seconds: summary.age_seconds,
        };
        (summary.name, short)
    };
    let summaries = Summaries::new(api, snapshot).all().into_iter();
    let mut all: BTreeMap<String, ShortService> = summaries.map(short).collect();
    let readings = api.readings().map(|readings| readings.services).unwrap_or_default();
    for now in readings {
        let status = all.get(&now.service).map_or(Standing::Unknown, |short| short.status);
        let short = ShortService {
            cpu: Some(now.cpu),
            memory: Some(now.memory),
            latency: now.latency,
            error_rate: now.error_rate,
            throughput: Some(now.throughput),
            availability: Some(now.pods_up),
            status,
            age_seconds: Some(0.0),
        };
        all.insert(now.service, short);
    }
    all
}

/// The services in short, as an object by name.
#[utoipa::path(get, path = "/api/services", tag = "aliases",
    responses((status = 200, body = BTreeMap<String, ShortService>)))]
pub(crate) async fn services(State(api): State<Shared>) -> Json<BTreeMap<String, ShortService>> {
    Json(short_services(&api, &api.view()))
}

/// A prediction in short.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ShortPrediction {
    /// The service.
    pub(crate) service: String,
    /// Probability in per cent, 0 to 100; null where the model cannot tell.
    pub(crate) incident_probability: Option<f64>,
    /// `low`, `medium`, `high` or `critical`; null where the model cannot tell.
    pub(crate) risk_level: Option<super::words::Level>,
    /// What kind of failure is coming; null without a warning.
    pub(crate) predicted_incident: Option<super::words::FailureKind>,
    /// Share of the evidence that speaks for this kind; null without a warning.
    pub(crate) confidence: Option<f64>,
    /// What to do.
    pub(crate) recommendations: Vec<String>,
}

/// What the main model says of a service, in short.
#[utoipa::path(get, path = "/api/predict/{service}", tag = "aliases",
    params(("service" = String, Path, description = "The service")),
    responses((status = 200, body = ShortPrediction)))]
pub(crate) async fn predict(
    State(api): State<Shared>,
    Name(service): Name,
) -> Result<Json<ShortPrediction>, Problem> {
    let snapshot = api.view();
    let prediction = Prediction::of(&snapshot, find(&snapshot, &service)?);
    let calm =
        prediction.level.filter(|level| level.0 < RiskLevel::High).map(|_| "Nothing to do.".to_owned());
    let advice = prediction.recommendation.map(|advice| advice.text).or(calm);
    Ok(Json(ShortPrediction {
        service: prediction.service,
        incident_probability: prediction.probability.map(|probability| 100.0 * probability),
        risk_level: prediction.level,
        predicted_incident: prediction.kind,
        confidence: prediction.kind_confidence,
        recommendations: advice.into_iter().collect(),
    }))
}

/// A fault to be injected, in short.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShortFault {
    /// The service that it strikes.
    target_service: String,
    /// `cpu_spike`, `memory_leak`, `network_latency`, `service_kill`, `cascade`, or a kind of `/api/v1/chaos`.
    chaos_type: String,
    /// Seconds until its recovery begins.
    duration: f64,
}

/// Injects a fault of the usual severity.
#[utoipa::path(post, path = "/api/chaos/inject", tag = "aliases", request_body = ShortFault,
    responses((status = 201, body = ChaosExperiment)))]
pub(crate) async fn inject(
    State(api): State<Shared>,
    Body(fault): Body<ShortFault>,
) -> Result<(StatusCode, Json<ChaosExperiment>), Problem> {
    let request = ChaosRequest {
        service: fault.target_service,
        kind: fault.chaos_type,
        severity: None,
        seconds: Some(fault.duration),
    };
    let fault = on_thread(&api, move |chaos| chaos.inject(&request)).await?;
    Ok((StatusCode::CREATED, Json(fault)))
}

/// Ends every fault at once and makes every service whole.
#[utoipa::path(post, path = "/api/reset", tag = "aliases", responses((status = 200, body = Reset)))]
pub(crate) async fn reset(State(api): State<Shared>) -> Result<Json<Reset>, Problem> {
    super::control::chaos::reset(State(api)).await
}

/// A web socket that sends the services in short every 2 s.
pub(crate) async fn socket(
    State(api): State<Shared>,
    Extension(caller): Extension<Caller>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(not_a_socket)?;
    let place = api.socket()?;
    Ok(upgrade.max_message_size(4_096).on_upgrade(async move |socket| {
        tokio::select! {
            () = beat(socket, &api, api.end.clone()) => {}
            () = api.guard.revoked(&caller) => {}
        }
        drop(place);
    }))
}

/// One task writes to the socket, and reads from it: no two writes meet.
async fn beat(mut socket: WebSocket, api: &Arc<Api>, mut end: watch::Receiver<bool>) {
    let mut ticks = interval(BEAT);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let text = serde_json::to_string(&short_services(api, &api.view())).unwrap_or_default();
                if socket.send(Message::Text(text.into())).await.is_err() {
                    return;
                }
            }
            // What a client says here has no meaning; its end does.
            message = socket.recv() => if !matches!(message, Some(Ok(_))) { return },
            () = ended(&mut end) => {
                // The client is told; if it does not listen, it is gone all the same.
                let _ = socket.send(Message::Close(None)).await;
                return;
            }
        }
    }
}
