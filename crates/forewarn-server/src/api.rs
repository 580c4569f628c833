//! The HTTP API: one module a resource.

mod aliases;
mod chaos;
mod day;
mod document;
mod events;
mod gauges;
mod graph;
mod history;
mod incidents;
mod ledger;
mod limits;
mod live;
mod models;
mod notes;
mod older;
mod operations;
mod overview;
mod page;
mod predictions;
mod receive;
mod series;
mod services;
mod session;
mod silences;
mod slos;
mod state;
mod status;
mod targets;
mod warnings;
mod words;

pub(crate) use state::{Api, Shared};

use axum::{
    Json, Router,
    routing::{delete, get, post},
};
use utoipa::OpenApi;

/// All routes. What changes state needs an operator by the guard before them, wherever it is added.
pub(crate) fn routes(api: Shared) -> Router {
    Router::new()
        .route("/-/healthy", get(operations::healthy))
        .route("/-/ready", get(operations::ready))
        .route("/-/reload", post(operations::reload))
        .route("/api/chaos/inject", post(aliases::inject))
        .route("/api/predict/{service}", get(aliases::predict))
        .route("/api/reset", post(aliases::reset))
        .route("/api/services", get(aliases::services))
        .route("/api/v1/chaos", get(chaos::list).post(chaos::inject).delete(chaos::stop_all))
        .route("/api/v1/chaos/{id}", delete(chaos::stop))
        .route("/api/v1/events", get(events::list))
        .route("/api/v1/graph", get(graph::graph))
        .route("/api/v1/history/{name}", get(history::one))
        .route("/api/v1/incidents", get(incidents::list))
        .route("/api/v1/incidents/{id}", get(incidents::one))
        .route("/api/v1/ledger", get(ledger::book))
        .route("/api/v1/live", get(live::socket))
        .route("/api/v1/live/sse", get(live::stream))
        .route("/api/v1/models", get(models::list))
        .route("/api/v1/models/{name}/promote", post(models::promote))
        .route("/api/v1/openapi.json", get(async || Json(document::Document::openapi())))
        .route("/api/v1/predictions", get(predictions::list))
        .route("/api/v1/predictions/{name}", get(predictions::one))
        .route("/api/v1/receive/action", post(receive::action))
        .route("/api/v1/receive/alertmanager", post(receive::alerts))
        .route("/api/v1/reset", post(chaos::reset))
        .route("/api/v1/services", get(services::list))
        .route("/api/v1/services/{name}", get(services::one))
        .route("/api/v1/session", get(session::show).post(session::start).delete(session::end))
        .route("/api/v1/silences", get(silences::list).post(silences::add))
        .route("/api/v1/slos", get(slos::list))
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/targets", get(targets::list))
        .route("/api/v1/warnings", get(warnings::list))
        .route("/api/v1/warnings/{id}", get(warnings::one))
        .route("/api/v1/warnings/{id}/acknowledge", post(warnings::acknowledge))
        .route("/api/v1/warnings/{id}/acted", post(warnings::acted))
        .route("/metrics", get(crate::metrics::metrics))
        .route("/ws", get(aliases::socket))
        .with_state(api)
}
