//! The HTTP API: one module a resource.

mod alarms;
mod aliases;
mod control;
mod document;
mod fleet;
mod live;
mod page;
mod state;
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
        .route("/-/healthy", get(control::operations::healthy))
        .route("/-/ready", get(control::operations::ready))
        .route("/-/reload", post(control::operations::reload))
        .route("/api/chaos/inject", post(aliases::inject))
        .route("/api/predict/{service}", get(aliases::predict))
        .route("/api/reset", post(aliases::reset))
        .route("/api/services", get(aliases::services))
        .route(
            "/api/v1/chaos",
            get(control::chaos::list).post(control::chaos::inject).delete(control::chaos::stop_all),
        )
        .route("/api/v1/chaos/{id}", delete(control::chaos::stop))
        .route("/api/v1/events", get(alarms::events::list))
        .route("/api/v1/graph", get(fleet::graph::graph))
        .route("/api/v1/history/{name}", get(fleet::history::one))
        .route("/api/v1/incidents", get(alarms::incidents::list))
        .route("/api/v1/incidents/{id}", get(alarms::incidents::one))
        .route("/api/v1/ledger", get(alarms::ledger::book))
        .route("/api/v1/live", get(live::socket))
        .route("/api/v1/live/sse", get(live::stream))
        .route("/api/v1/models", get(control::models::list))
        .route("/api/v1/models/{name}/promote", post(control::models::promote))
        .route("/api/v1/openapi.json", get(async || Json(document::Document::openapi())))
        .route("/api/v1/predictions", get(fleet::predictions::list))
        .route("/api/v1/predictions/{name}", get(fleet::predictions::one))
        .route("/api/v1/receive/action", post(control::receive::action))
        .route("/api/v1/receive/alertmanager", post(control::receive::alerts))
        .route("/api/v1/reset", post(control::chaos::reset))
        .route("/api/v1/services", get(fleet::services::list))
        .route("/api/v1/services/{name}", get(fleet::services::one))
        .route(
            "/api/v1/session",
            get(control::session::show).post(control::session::start).delete(control::session::end),
        )
        .route("/api/v1/silences", get(alarms::silences::list).post(alarms::silences::add))
        .route("/api/v1/slos", get(alarms::slos::list))
        .route("/api/v1/status", get(control::status::status))
        .route("/api/v1/targets", get(control::targets::list))
        .route("/api/v1/warnings", get(alarms::warnings::list))
        .route("/api/v1/warnings/{id}", get(alarms::warnings::one))
        .route("/api/v1/warnings/{id}/acknowledge", post(alarms::warnings::acknowledge))
        .route("/api/v1/warnings/{id}/acted", post(alarms::warnings::acted))
        .route("/metrics", get(crate::metrics::metrics))
        .route("/ws", get(aliases::socket))
        .with_state(api)
}
