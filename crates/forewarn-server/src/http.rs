//! The HTTP server.

use crate::{ServerError, runtime::HttpContext};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use std::io;
use tokio::{net::TcpListener, sync::watch};

/// Serves until `end` says so.
pub(crate) async fn serve(
    listener: TcpListener,
    context: HttpContext,
    mut end: watch::Receiver<bool>,
) -> Result<(), ServerError> {
    let address = context.config.http.as_ref().map(|http| http.listen);
    let router = Router::new()
        .route("/-/healthy", get(|| async { StatusCode::OK }))
        .route("/-/ready", get(is_ready))
        .with_state(context);
    let ended = async move {
        end.wait_for(|end| *end).await.ok();
    };
    let served = axum::serve(listener, router).with_graceful_shutdown(ended).await;
    served.map_err(|source: io::Error| match address {
        Some(address) => ServerError::Listen { address, source },
        None => ServerError::Thread { source },
    })
}

async fn is_ready(State(context): State<HttpContext>) -> StatusCode {
    if context.handle.view().is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
