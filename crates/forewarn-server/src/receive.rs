//! Receivers of what others push: remote write and OTLP over HTTP.
//!
//! Requests are read on threads for blocking work, as many at a time as there are processors: the runtime of the HTTP
//! server goes on with others meanwhile, and what is inflated at once is bounded.

mod counts;
mod otlp;
mod remote_write;
mod reply;
mod seen;

use crate::{
    ReceiveConfig, ServerError,
    http::TokenHash,
    outgoing::read_secret,
    runtime::{Ack, Handle},
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use counts::Counts;
use forewarn_live::Input;
use otlp::OtlpReceiver;
use remote_write::WriteReceiver;
use reply::Reply;
use std::{
    collections::BTreeMap,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};
use tokio::sync::Semaphore;

/// The receivers of a configuration.
#[derive(Clone)]
pub(crate) struct Receivers {
    handle: Handle,
    remote_write: Option<Arc<WriteReceiver>>,
    otlp: Option<Arc<OtlpReceiver>>,
    bearer_file: Option<Arc<PathBuf>>,
    max_bytes: usize,
    /// Requests that are read at a time.
    readers: Arc<Semaphore>,
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
            readers: Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, NonZero::get))),
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
}

/// What one of them takes.
trait Receiver: Send + Sync + 'static {
    /// What is to be journaled of a request, and what is needed to answer it then.
    type Taken: Send + 'static;

    /// Reads a request, or gives the answer to one that cannot be taken at all.
    ///
    /// # Errors
    /// That answer.
    fn take(&self, content_type: &str, encoding: &str, body: &[u8]) -> Result<Self::Taken, Reply>;

    /// What is to be journaled. It is asked for once.
    fn inputs(taken: &mut Self::Taken) -> Vec<Input>;

    /// Everything of the request is journaled. Gives the answer.
    fn kept(&self, taken: &Self::Taken) -> Reply;

    /// What it took and refused so far.
    fn counts(&self) -> &Counts;
}

async fn remote_write(State(receivers): State<Receivers>, headers: HeaderMap, body: Bytes) -> Response {
    let receiver = receivers.remote_write.clone();
    receivers.receive(receiver, headers, body).await.into_response()
}

async fn otlp_metrics(State(receivers): State<Receivers>, headers: HeaderMap, body: Bytes) -> Response {
    let receiver = receivers.otlp.clone();
    receivers.receive(receiver, headers, body).await.into_response()
}

impl Receivers {
    async fn receive<R: Receiver>(self, receiver: Option<Arc<R>>, headers: HeaderMap, body: Bytes) -> Reply {
        let Some(receiver) = receiver else {
            return Reply::text(StatusCode::NOT_FOUND, "this receiver is off");
        };
        // Closed never: it lives as long as the receivers.
        let Ok(place) = Arc::clone(&self.readers).acquire_owned().await else { return ending() };
        let (own, token) = (Arc::clone(&receiver), self.bearer_file.clone());
        let read = tokio::task::spawn_blocking(move || {
            admit(token.as_deref().map(PathBuf::as_path), &headers)?;
            let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let taken = own.take(text(header::CONTENT_TYPE), text(header::CONTENT_ENCODING), &body);
            drop(place);
            taken
        });
        let mut taken = match read.await {
            Ok(Ok(taken)) => taken,
            Ok(Err(reply)) => return reply,
            Err(_) => return ending(),
        };
        let inputs = R::inputs(&mut taken);
        if !inputs.is_empty() {
            let ack = match self.handle.submit(inputs) {
                Ok(pending) => pending.acknowledged().await,
                Err(error) => Err(error),
            };
            if let Some(reply) = not_kept(&ack, receiver.counts()) {
                return reply;
            }
        }
        receiver.kept(&taken)
    }
}

/// Refuses who does not show the token. Its file is read each time, so that it may change.
fn admit(token_file: Option<&Path>, headers: &HeaderMap) -> Result<(), Reply> {
    let Some(path) = token_file else { return Ok(()) };
    let Ok(token) = read_secret(path) else {
        let told = "the file of the token cannot be read";
        return Err(Reply::text(StatusCode::INTERNAL_SERVER_ERROR, told));
    };
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer "));
    if shown.is_some_and(|shown| TokenHash::of(shown.trim()).is(&TokenHash::of(&token)).into()) {
        return Ok(());
    }
    let reply = Reply::text(StatusCode::UNAUTHORIZED, "expected Authorization: Bearer TOKEN");
    Err(reply.with(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer")))
}

/// The answer to a sender whose samples are not on disk: it is to send them again. `None` where they are.
fn not_kept(ack: &Result<Ack, ServerError>, counts: &Counts) -> Option<Reply> {
    match ack {
        Ok(Ack { is_kept: true, .. }) => None,
        Ok(_) => {
            Counts::add(&counts.not_kept, 1);
            Some(Reply::busy(StatusCode::SERVICE_UNAVAILABLE, "the disk fails: send it again"))
        }
        Err(ServerError::Busy { waiting }) => {
            Counts::add(&counts.busy, 1);
            let told = format!("{waiting} samples wait already: send it again");
            Some(Reply::busy(StatusCode::TOO_MANY_REQUESTS, &told))
        }
        Err(_) => {
            Counts::add(&counts.not_kept, 1);
            Some(ending())
        }
    }
}

fn ending() -> Reply {
    Reply::busy(StatusCode::SERVICE_UNAVAILABLE, "the service ends: send it again")
}

#[cfg(test)]
mod tests;
