//! Receivers of what others push: remote write and OTLP over HTTP.

mod counts;
mod otlp;
mod remote_write;
mod reply;
mod seen;

use crate::{
    ReceiveConfig, ServerError,
    http::TokenHash,
    runtime::{Ack, Handle},
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use forewarn_core::read_text_file;
use forewarn_live::Input;
use otlp::OtlpReceiver;
use remote_write::WriteReceiver;
use reply::Reply;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// Most bytes of a file with a token.
const MOST_SECRET_BYTES: u64 = 64 << 10;

/// The receivers of a configuration.
#[derive(Clone)]
pub(crate) struct Receivers {
    handle: Handle,
    remote_write: Option<Arc<WriteReceiver>>,
    otlp: Option<Arc<OtlpReceiver>>,
    bearer_file: Option<Arc<PathBuf>>,
    max_bytes: usize,
}

impl Receivers {
    /// Of a service that reads the metrics of its models.
    pub(crate) fn new(config: &ReceiveConfig, handle: &Handle) -> Result<Self, ServerError> {
        let about = Arc::clone(&handle.view().about);
        let write = || WriteReceiver::new(config, &about.metrics).map(Arc::new);
        let otlp = || OtlpReceiver::new(config, &about.metrics, about.step).map(Arc::new);
        Ok(Self {
            handle: handle.named("receive"),
            remote_write: config.remote_write.then(write).transpose()?,
            otlp: config.otlp.then(otlp).transpose()?,
            bearer_file: config.bearer_file.clone().map(Arc::new),
            max_bytes: config.max_bytes,
        })
    }

    /// Their routes.
    pub(crate) fn router(self) -> Router {
        let mut router = Router::new();
        if self.remote_write.is_some() {
            router = router.route("/api/v1/write", post(remote_write));
        }
        if self.otlp.is_some() {
            router = router
                .route("/v1/metrics", post(otlp_metrics))
                .route("/api/v1/otlp/v1/metrics", post(otlp_metrics));
        }
        router.layer(DefaultBodyLimit::max(self.max_bytes)).with_state(self)
    }

    /// What was taken and refused so far, by receiver and counter.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
        let write = self.remote_write.as_ref().map(|receiver| ("remote_write", receiver.counts.now()));
        let otlp = self.otlp.as_ref().map(|receiver| ("otlp", receiver.counts.now()));
        write.into_iter().chain(otlp).collect()
    }

    /// Refuses who does not show the token. It is read each time, so that it may change.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Reply> {
        let Some(path) = &self.bearer_file else { return Ok(()) };
        let Ok(text) = read_text_file(path.as_path(), MOST_SECRET_BYTES) else {
            return Err(Reply::text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the file of the token cannot be read",
            ));
        };
        let hash = |text: &str| TokenHash::of(text.trim());
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer "));
        let is_right = shown.is_some_and(|shown| hash(shown).is(&hash(&text)).into());
        if is_right && !text.trim().is_empty() {
            return Ok(());
        }
        let reply = Reply::text(StatusCode::UNAUTHORIZED, "expected Authorization: Bearer TOKEN");
        Err(reply.with(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer")))
    }

    /// Waits until inputs are journaled, so that what is acknowledged is not lost.
    async fn journal(&self, inputs: &[Input], busy: &std::sync::atomic::AtomicU64) -> Result<(), Reply> {
        if inputs.is_empty() {
            return Ok(());
        }
        let ack = match self.handle.submit(inputs.to_vec()) {
            Ok(pending) => pending.acknowledged().await,
            Err(error) => Err(error),
        };
        match ack {
            Ok(Ack { is_kept: true, .. }) => Ok(()),
            Ok(_) => Err(Reply::busy(StatusCode::SERVICE_UNAVAILABLE, "the disk fails: send it again")),
            Err(ServerError::Busy { waiting }) => {
                counts::Counts::add(busy, 1);
                let text = format!("{waiting} samples wait already: send it again");
                Err(Reply::busy(StatusCode::TOO_MANY_REQUESTS, &text))
            }
            Err(_) => Err(Reply::busy(StatusCode::SERVICE_UNAVAILABLE, "the service ends: send it again")),
        }
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn remote_write(State(receivers): State<Receivers>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = async {
        receivers.admit(&headers)?;
        let Some(receiver) = &receivers.remote_write else {
            return Err(Reply::text(StatusCode::NOT_FOUND, "remote write is off"));
        };
        let (kind, encoding) =
            (text(&headers, &header::CONTENT_TYPE), text(&headers, &header::CONTENT_ENCODING));
        let taken = receiver.take(&kind, &encoding, &body)?;
        receivers.journal(&taken.inputs, &receiver.counts.busy).await?;
        Ok(receiver.kept(&taken))
    };
    answer.await.unwrap_or_else(|reply| reply).into_response()
}

async fn otlp_metrics(State(receivers): State<Receivers>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = async {
        receivers.admit(&headers)?;
        let Some(receiver) = &receivers.otlp else {
            return Err(Reply::text(StatusCode::NOT_FOUND, "OTLP is off"));
        };
        let (kind, encoding) =
            (text(&headers, &header::CONTENT_TYPE), text(&headers, &header::CONTENT_ENCODING));
        let taken = receiver.take(&kind, &encoding, &body)?;
        receivers.journal(&taken.inputs, &receiver.counts.busy).await?;
        Ok(receiver.kept(&taken))
    };
    answer.await.unwrap_or_else(|reply| reply).into_response()
}
