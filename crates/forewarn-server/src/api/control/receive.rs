//! What comes back by webhook: alerts of other programs, and what an operator did.

use crate::api::Shared;
use crate::{
    http::{Body, Problem},
    sink::inbound::{ActionBody, AlertPayload, LeftOut, read_action, read_alerts},
};
use axum::{Json, extract::State, http::StatusCode};
use forewarn_live::Input;
use serde::Serialize;
use utoipa::ToSchema;

/// What became of the alerts of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// Alerts that are in the journal.
    taken: usize,
    /// Those of services that are not watched.
    unknown_services: usize,
    /// Those that were left out, by reason.
    left_out: LeftOut,
}

/// Takes alerts of other programs: a warning that one of them follows counts as a hit. Alerts of this service itself
/// are left out; one that is told again changes nothing.
#[utoipa::path(post, path = "/api/v1/receive/alertmanager", tag = "receive", request_body = AlertPayload,
    responses((status = 200, body = Receipt)))]
pub(crate) async fn alerts(
    State(api): State<Shared>,
    Body(payload): Body<AlertPayload>,
) -> Result<Json<Receipt>, Problem> {
    let config = api.context.reload.state().config;
    let received = read_alerts(&config.inbound, &config.alerts, payload);
    let (count, left_out) = (received.inputs.len(), received.left_out);
    let unknown_services = if count == 0 { 0 } else { journal(&api, received.inputs).await? };
    Ok(Json(Receipt { taken: count - unknown_services, unknown_services, left_out }))
}

/// Takes what an operator did about a warning, as a button of a chat tells it.
#[utoipa::path(post, path = "/api/v1/receive/action", tag = "receive", request_body = ActionBody,
    responses((status = 204)))]
pub(crate) async fn action(
    State(api): State<Shared>,
    Body(told): Body<ActionBody>,
) -> Result<StatusCode, Problem> {
    let input = read_action(&api.view().view, told).map_err(|error| Problem::invalid(error.to_string()))?;
    api.act(input).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts inputs into the journal, and gives how many changed nothing.
async fn journal(api: &Shared, inputs: Vec<Input>) -> Result<usize, Problem> {
    let unavailable = |error: crate::ServerError| Problem::unavailable(error.to_string());
    let pending = api.context.handle.submit(inputs).map_err(unavailable)?;
    let ack = pending.acknowledged().await.map_err(unavailable)?;
    if !ack.is_kept {
        // Taken, and not on disk. To send it again changes nothing that was taken.
        return Err(Problem::unavailable("the disk fails; send it again later"));
    }
    Ok(ack.refused.len())
}
