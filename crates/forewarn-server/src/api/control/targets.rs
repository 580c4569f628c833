//! Where warnings and scores go.

use crate::api::Shared;
use crate::sink::TargetStatus;
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

/// Where warnings and scores go.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TargetList {
    /// In the order of the configuration.
    items: Vec<TargetStatus>,
}

/// Where warnings and scores go, how that does, and which alerts an Alertmanager has silenced.
#[utoipa::path(get, path = "/api/v1/targets", tag = "targets", responses((status = 200, body = TargetList)))]
pub(crate) async fn list(State(api): State<Shared>) -> Json<TargetList> {
    Json(TargetList { items: api.context.targets.all() })
}
