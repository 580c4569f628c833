//! What runs the service asks: whether it lives, whether it is ready, and to read its configuration again.

use crate::api::Shared;
use crate::http::Problem;
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Whether it is as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    pub(crate) status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

/// Whether the engine's thread lives: if not, the service is to be started again.
#[utoipa::path(get, path = "/-/healthy", tag = "operations", responses((status = 200, body = Health)))]
pub(crate) async fn healthy(State(api): State<Shared>) -> Result<Json<Health>, Problem> {
    if api.context.handle.updates().has_changed().is_err() {
        return Err(Problem::unavailable("the engine has ended"));
    }
    Ok(OK)
}

/// Whether models are loaded and the journal is replayed: before, what is shown is old.
#[utoipa::path(get, path = "/-/ready", tag = "operations", responses((status = 200, body = Health)))]
pub(crate) async fn ready(State(api): State<Shared>) -> Result<Json<Health>, Problem> {
    let _alive = healthy(State(Arc::clone(&api))).await?;
    if !api.view().is_ready {
        return Err(Problem::unavailable("the journal is being replayed"));
    }
    Ok(OK)
}

/// What became of reading the configuration again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Reloaded {
    /// How often it was read again and holds.
    pub(crate) accepted: u64,
    /// How often it was refused.
    pub(crate) refused: u64,
}

/// Reads the configuration again. One that is wrong changes nothing: the last good one holds.
#[utoipa::path(post, path = "/-/reload", tag = "operations", responses((status = 200, body = Reloaded)))]
pub(crate) async fn reload(State(api): State<Shared>) -> Result<Json<Reloaded>, Problem> {
    let reload = Arc::clone(&api.context.reload);
    let done = tokio::task::spawn_blocking({
        let reload = Arc::clone(&reload);
        move || reload.reload()
    });
    match done.await {
        Ok(Ok(())) => {
            let state = reload.state();
            Ok(Json(Reloaded { accepted: state.accepted, refused: state.refused }))
        }
        Ok(Err(error)) => {
            let detail = format!("the last good configuration holds: {error}");
            Err(Problem::new(StatusCode::CONFLICT, "configuration_refused", detail))
        }
        Err(_) => Err(Problem::internal("the reload did not end; the log says more")),
    }
}
