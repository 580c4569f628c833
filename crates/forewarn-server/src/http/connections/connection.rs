//! Connections: accepted up to a limit, with TLS where that is asked for, and drained at the end.

use super::{stall::Stalling, tls::Tls};
use crate::HttpLimits;
use crate::http::{Limit, LimitCounters, Problem, access::guard::Peer};
use axum::{
    Router,
    body::Body,
    http::{Request, Uri},
    response::{IntoResponse, Response},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

/// What a client beyond the limit of connections is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
    retry-after: 1\r\ncontent-length: 115\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"code\":\"full\",\"detail\":\"too many connections\"}    ";

/// Pause after an accept that failed, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves a router on a listener.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) router: Router,
    /// Path before every route, such as `/forewarn`; empty for none.
    pub(crate) base_path: Arc<str>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) limits: HttpLimits,
    pub(crate) counters: Arc<LimitCounters>,
    /// Becomes true when all is to end.
    pub(crate) shutdown: watch::Receiver<bool>,
}

impl Connections {
    /// Accepts until the shutdown; then requests that have begun have `drain_secs` to end.
    pub(crate) async fn serve(mut self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(self.limits.connections as usize));
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = tasks.join_next() => continue,
                () = ended(&mut self.shutdown) => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                self.counters.hit(Limit::Connections);
                if self.tls.is_none() {
                    // Best effort: whoever does not take it at once sees a closed connection.
                    let _ = stream.try_write(FULL);
                }
                continue;
            };
            let this = self.clone();
            tasks.spawn(async move {
                this.connection(stream, peer).await;
                drop(place);
            });
        }
        drop(listener);
        let drain = Duration::from_secs(self.limits.drain_secs.into());
        if timeout(drain, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!(open = tasks.len(), "connections were cut off after the time to drain");
        }
        tasks.shutdown().await;
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr) {
        // Small answers go out at once.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else { return self.http(stream, peer).await };
        let limit = Duration::from_secs(self.limits.header_secs.into());
        match timeout(limit, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => self.http(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "the TLS handshake failed"),
            Err(_) => self.counters.hit(Limit::Handshake),
        }
    }

    async fn http(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: SocketAddr) {
        let Self { router, base_path, limits, counters, mut shutdown, .. } = self;
        let write_time = Duration::from_secs(limits.write_secs.into());
        let io = TokioIo::new(Stalling::new(stream, write_time, Arc::clone(&counters)));
        let inner = TowerToHyperService::new(router);
        let service = service_fn(move |mut request: Request<Incoming>| {
            let is_ours = strip(&mut request, &base_path);
            request.extensions_mut().insert(Peer(peer));
            let answer = is_ours.then(|| inner.call(request));
            async move {
                match answer {
                    Some(answer) => answer.await,
                    None => Ok::<Response<Body>, Infallible>(outside()),
                }
            }
        });
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(limits.header_secs.into()))
            .max_headers(limits.headers as usize)
            .max_buf_size((limits.header_bytes as usize).max(8_192));
        let mut connection = pin!(builder.serve_connection(io, service).with_upgrades());
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = ended(&mut shutdown) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        let Err(error) = outcome else { return };
        if error.is_timeout() || error.is_parse_too_large() {
            counters.hit(Limit::Header);
        }
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

/// Waits for the shutdown.
pub(crate) async fn ended(shutdown: &mut watch::Receiver<bool>) {
    // An error says that the server is gone, which is an end too.
    let _ = shutdown.wait_for(|&is_over| is_over).await;
}

/// Takes the base path off a request's path; false where it has another.
fn strip<B>(request: &mut Request<B>, base_path: &str) -> bool {
    if base_path.is_empty() {
        return true;
    }
    let Some(rest) = request.uri().path().strip_prefix(base_path) else { return false };
    if !rest.is_empty() && !rest.starts_with('/') {
        return false;
    }
    let path = if rest.is_empty() { "/" } else { rest };
    let path = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = request.uri().clone().into_parts();
    let Ok(path) = path.parse() else { return false };
    parts.path_and_query = Some(path);
    let Ok(uri) = Uri::from_parts(parts) else { return false };
    *request.uri_mut() = uri;
    true
}

fn outside() -> Response<Body> {
    let mut response = Problem::no_route("this path").into_response();
    crate::http::headers::secure(response.headers_mut(), false);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_is_taken_off_whole() {
        let stripped = |path: &str| {
            let mut request = Request::builder().uri(path).body(()).unwrap();
            strip(&mut request, "/ops").then(|| request.uri().to_string())
        };
        assert_eq!(stripped("/ops/api/v1/status?a=b").as_deref(), Some("/api/v1/status?a=b"));
        assert_eq!(stripped("/ops").as_deref(), Some("/"));
        assert_eq!(stripped("/ops/").as_deref(), Some("/"));
        assert_eq!(stripped("/opsy/api"), None);
        assert_eq!(stripped("/api/v1/status"), None);
    }

    #[test]
    fn what_a_client_beyond_the_limit_is_told_is_whole() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["status"], 503);
    }
}
