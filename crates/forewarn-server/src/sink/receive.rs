//! Routes for what comes back: to be mounted where an operator's token is asked for.

use super::inbound::{LeftOut, read_action, read_alerts};
use crate::{ServerError, runtime::HttpContext};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use forewarn_live::Input;
use serde::Serialize;

/// Most bytes of a body.
const MOST_BYTES: usize = 4 << 20;

/// What became of a body.
#[derive(Serialize)]
struct Receipt {
    /// Alerts that reached the journal.
    taken: usize,
    /// Those that the engine refused, such as of services that it does not know.
    refused: usize,
    left_out: LeftOut,
}

/// `POST /api/v1/receive/alertmanager` and `POST /api/v1/receive/action`.
pub(crate) fn routes() -> Router<HttpContext> {
    Router::new()
        .route("/api/v1/receive/alertmanager", post(alerts))
        .route("/api/v1/receive/action", post(action))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

fn wrong(status: StatusCode, detail: &dyn std::fmt::Display) -> Response {
    let problem = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": detail.to_string(),
    });
    (status, [("content-type", "application/problem+json")], problem.to_string()).into_response()
}

/// Puts inputs into the journal. Gives how many changed nothing.
async fn journal(context: &HttpContext, inputs: Vec<Input>) -> Result<usize, Response> {
    let pending = context.handle.submit(inputs);
    let ack = match pending {
        Ok(pending) => pending.acknowledged().await,
        Err(error) => Err(error),
    };
    match ack {
        Ok(ack) if ack.is_kept => Ok(ack.refused.len()),
        // Taken, and not on disk: the sender is to repeat it, which changes nothing that was taken.
        Ok(_) => Err(wrong(StatusCode::SERVICE_UNAVAILABLE, &"the disk fails; send it again later")),
        Err(error @ ServerError::Busy { .. }) => Err(wrong(StatusCode::TOO_MANY_REQUESTS, &error)),
        Err(error) => Err(wrong(StatusCode::SERVICE_UNAVAILABLE, &error)),
    }
}

async fn alerts(State(context): State<HttpContext>, body: Bytes) -> Response {
    let config = context.reload.state().config;
    let received = match read_alerts(&config.inbound, &config.alerts, &body) {
        Ok(received) => received,
        Err(error) => {
            let detail = format!("expected Alertmanager's payload, version 4: {error}");
            return wrong(StatusCode::BAD_REQUEST, &detail);
        }
    };
    let count = received.inputs.len();
    let refused = if count == 0 { Ok(0) } else { journal(&context, received.inputs).await };
    match refused {
        Ok(refused) => {
            Json(Receipt { taken: count - refused, refused, left_out: received.left_out }).into_response()
        }
        Err(response) => response,
    }
}

async fn action(State(context): State<HttpContext>, body: Bytes) -> Response {
    let input = match read_action(&context.handle.view().view, &body) {
        Ok(input) => input,
        Err(error) => return wrong(StatusCode::BAD_REQUEST, &error),
    };
    match journal(&context, vec![input]).await {
        Ok(0) => StatusCode::NO_CONTENT.into_response(),
        Ok(_) => wrong(StatusCode::NOT_FOUND, &"there is no open warning of this id"),
        Err(response) => response,
    }
}
