use super::{connection::Connections, tls::Tls};
use crate::http::{
    LimitCounters, Pages, Problem, Tokens,
    access::{
        cookie::SessionCookie,
        guard::{Guard, guarded, is_data},
        origin::OriginRules,
        rate::Rates,
        session::Sessions,
    },
    etag, pages,
};
use crate::{HttpConfig, ServerError};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use std::{any::Any, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

/// What a server answers.
pub(crate) struct Served {
    /// Routes behind the guard.
    pub(crate) routes: Router,
    /// Receivers of metrics: they have a token and limits of their own, and what they take may be larger.
    pub(crate) receivers: Router,
    /// The page, where there is one.
    pub(crate) pages: Option<Pages>,
}

/// What stands between connections and routes: TLS, who calls, limits, and the headers of every answer.
pub(crate) struct Front {
    config: HttpConfig,
    tls: Option<Arc<Tls>>,
    guard: Arc<Guard>,
}

impl Front {
    /// For a server that has this address.
    ///
    /// # Errors
    /// [`ServerError::Config`] and [`ServerError::File`] for certificates that cannot be used.
    pub(crate) fn new(config: &HttpConfig, address: SocketAddr, tokens: Tokens) -> Result<Self, ServerError> {
        let tls = config.tls.as_ref().map(|tls| Tls::open(&tls.certificate, &tls.key)).transpose()?;
        let (limits, is_loopback) = (config.limits, address.ip().to_canonical().is_loopback());
        let guard = Guard {
            cookie: SessionCookie::new(address.port(), &config.base_path, tls.is_some()),
            sessions: Sessions::default(),
            rates: Rates::new(limits.requests_per_second, limits.burst),
            origins: OriginRules {
                origins: config.allow_origins.clone(),
                hosts: config.hosts.clone(),
                is_loopback,
                is_tls: tls.is_some(),
            },
            counters: Arc::new(LimitCounters::default()),
            anonymous_reads: config.anonymous_reads,
            request_time: Duration::from_secs(limits.request_secs.into()),
            query_bytes: limits.query_bytes as usize,
            tokens: Arc::new(tokens).into(),
            changed: watch::Sender::new(()),
        };
        Ok(Self { config: config.clone(), tls: tls.map(Arc::new), guard: Arc::new(guard) })
    }

    /// What checks requests.
    pub(crate) fn guard(&self) -> &Arc<Guard> {
        &self.guard
    }

    /// What accepts these tokens in place of those before, and the certificate as its file has it now.
    ///
    /// # Errors
    /// [`ServerError::Config`] where something else of the table changed, which needs a restart, and as
    /// [`new`](Self::new).
    pub(crate) fn prepare(
        &self,
        config: Option<&HttpConfig>,
        tokens: Tokens,
    ) -> Result<Box<dyn FnOnce() + Send>, ServerError> {
        if config != Some(&self.config) {
            return Err(ServerError::Config { reason: "http: changed, which needs a restart".to_owned() });
        }
        let fresh = self.tls.as_ref().map(|tls| Ok::<_, ServerError>((Arc::clone(tls), tls.read_again()?)));
        let fresh = fresh.transpose()?;
        let guard = Arc::clone(&self.guard);
        Ok(Box::new(move || {
            guard.set_tokens(tokens);
            if let Some((tls, config)) = fresh {
                tls.replace(config);
            }
        }))
    }

    /// Answers until `end` becomes true, and then lets requests that have begun end.
    pub(crate) async fn serve(&self, listener: TcpListener, served: Served, end: watch::Receiver<bool>) {
        let connections = Connections {
            router: layered(served, &self.config, &self.guard),
            base_path: self.config.base_path.as_str().into(),
            tls: self.tls.clone(),
            limits: self.config.limits,
            counters: Arc::clone(&self.guard.counters),
            shutdown: end,
        };
        connections.serve(listener).await;
    }
}

/// Routes with all that stands before and behind them.
fn layered(served: Served, config: &HttpConfig, guard: &Arc<Guard>) -> Router {
    let Served { routes, receivers, pages } = served;
    let base_path: Arc<str> = config.base_path.as_str().into();
    let fallback = move |uri: Uri, headers: HeaderMap, request: Request| {
        let is_read = request.method().is_safe();
        let base_path = Arc::clone(&base_path);
        async move {
            match pages.filter(|_| is_read && !is_data(uri.path())) {
                Some(pages) => pages::page(pages, &base_path, uri.path(), &headers),
                None => Problem::no_route(uri.path()).into_response(),
            }
        }
    };
    routes
        .fallback(fallback)
        .method_not_allowed_fallback(async || {
            let detail = "the path is there, but not with this method; Allow lists those that are";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .layer(DefaultBodyLimit::max(config.limits.body_bytes as usize))
        .layer(from_fn(etag::tagged))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(guard), guarded))
        .merge(receivers.layer(CatchPanicLayer::custom(panicked)))
}

/// What a panic of a handler becomes: its text is for the log, not for a client.
#[expect(clippy::needless_pass_by_value, reason = "as the layer asks for it")]
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or_default();
    tracing::error!(panic = text, "a request failed");
    let problem = Problem::internal("the server failed to answer; its log says more");
    problem.with(header::CONNECTION, HeaderValue::from_static("close")).into_response()
}
