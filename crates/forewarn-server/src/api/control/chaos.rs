//! Faults that a person injects.

use crate::api::Shared;
use crate::{
    chaos::{ChaosError, ChaosExperiment, ChaosKindInfo, ChaosRequest, ChaosState},
    http::{Body, Name, Problem},
};
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

/// What can be injected, what is, and what was.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChaosView {
    /// Whether anything here takes faults.
    pub(crate) available: bool,
    /// What can be injected.
    pub(crate) kinds: Vec<ChaosKindInfo>,
    /// The clock, and faults that are not over and that are; null where nothing takes faults.
    #[serde(flatten)]
    pub(crate) state: Option<ChaosState>,
}

impl ChaosView {
    pub(crate) fn of(api: &crate::api::state::Api) -> Self {
        match &api.context.chaos {
            Some(chaos) => Self { available: true, kinds: chaos.kinds(), state: Some(chaos.state()) },
            None => Self { available: false, kinds: Vec::new(), state: None },
        }
    }
}

/// What a reset ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Reset {
    /// Faults that were ended, those that came by themselves too.
    pub(crate) ended: usize,
}

impl From<ChaosError> for Problem {
    fn from(error: ChaosError) -> Self {
        let detail = error.to_string();
        match error {
            ChaosError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not_found", detail),
            ChaosError::TooMany { .. } => Self::conflict(detail),
            ChaosError::Refused { .. } | ChaosError::Unanswered { .. } => {
                tracing::error!(error = detail, "a fault was not injected");
                Self::new(StatusCode::BAD_GATEWAY, "chaos_target_failed", detail)
            }
            ChaosError::Storage { .. } => {
                tracing::error!(error = detail, "a fault was not injected");
                Self::unavailable(
                    "what was asked for cannot be kept on disk, so nothing was done; the log says more",
                )
            }
            _ => Self::invalid(detail),
        }
    }
}

/// What can be injected, what is, and what was.
#[utoipa::path(get, path = "/api/v1/chaos", tag = "chaos", responses((status = 200, body = ChaosView)))]
pub(crate) async fn list(State(api): State<Shared>) -> Json<ChaosView> {
    Json(ChaosView::of(&api))
}

/// Does something with what takes faults on a thread that may wait for the disk.
pub(crate) async fn on_thread<T: Send + 'static>(
    api: &Shared,
    act: impl FnOnce(&dyn crate::chaos::ChaosControl) -> Result<T, ChaosError> + Send + 'static,
) -> Result<T, Problem> {
    let chaos = std::sync::Arc::clone(api.chaos()?);
    let done = tokio::task::spawn_blocking(move || act(&*chaos)).await;
    Ok(done.map_err(|_| Problem::internal("the injection did not end; the log says more"))??)
}

/// Injects a fault, which begins at once and recovers by itself.
#[utoipa::path(post, path = "/api/v1/chaos", tag = "chaos", request_body = ChaosRequest,
    responses((status = 201, body = ChaosExperiment)))]
pub(crate) async fn inject(
    State(api): State<Shared>,
    Body(request): Body<ChaosRequest>,
) -> Result<(StatusCode, Json<ChaosExperiment>), Problem> {
    let fault = on_thread(&api, move |chaos| chaos.inject(&request)).await?;
    Ok((StatusCode::CREATED, Json(fault)))
}

/// Begins the recovery of one fault.
#[utoipa::path(delete, path = "/api/v1/chaos/{id}", tag = "chaos",
    params(("id" = u32, Path, description = "The fault")),
    responses((status = 200, body = ChaosExperiment)))]
pub(crate) async fn stop(
    State(api): State<Shared>,
    Name(id): Name,
) -> Result<Json<ChaosExperiment>, Problem> {
    let id = id.parse().map_err(|_| Problem::invalid("id: expected a whole number from 0 on"))?;
    on_thread(&api, move |chaos| chaos.stop(id)).await.map(Json)
}

/// Begins the recovery of all faults that act.
#[utoipa::path(delete, path = "/api/v1/chaos", tag = "chaos", responses((status = 200, body = Vec<ChaosExperiment>)))]
pub(crate) async fn stop_all(State(api): State<Shared>) -> Result<Json<Vec<ChaosExperiment>>, Problem> {
    on_thread(&api, |chaos| chaos.stop_all()).await.map(Json)
}

/// Ends every fault at once and makes every service whole.
#[utoipa::path(post, path = "/api/v1/reset", tag = "chaos", responses((status = 200, body = Reset)))]
pub(crate) async fn reset(State(api): State<Shared>) -> Result<Json<Reset>, Problem> {
    let ended = on_thread(&api, |chaos| chaos.reset()).await?;
    Ok(Json(Reset { ended }))
}
