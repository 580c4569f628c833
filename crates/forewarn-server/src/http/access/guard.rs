//! What stands before every route: who calls, whether they may, and how much.

use super::{
    cookie::SessionCookie,
    origin::OriginRules,
    rate::{CallerKey, Rates},
    session::Sessions,
};
use crate::{
    AnonymousReads,
    http::{KnownToken, Limit, LimitCounters, Problem, Role, TokenHash, Tokens, headers},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::watch;

/// Requests that a wrong token counts as.
const WRONG_TOKEN_COST: u32 = 10;

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Who showed a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedIn {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) token: TokenHash,
}

impl From<&KnownToken> for SignedIn {
    fn from(known: &KnownToken) -> Self {
        Self { name: known.name.clone(), role: known.role, token: known.hash }
    }
}

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Who showed a token, now or when signing in; `None` for anyone.
    pub(crate) identity: Option<SignedIn>,
    /// Whether a browser's cookie says so, which the browser sends without being asked.
    by_cookie: bool,
}

impl Caller {
    const ANYONE: Self = Self { identity: None, by_cookie: false };

    /// Name of the token, for logs.
    pub(crate) fn name(&self) -> &str {
        self.identity.as_ref().map_or("anyone", |identity| &identity.name)
    }

    /// What the caller may do.
    pub(crate) fn role(&self) -> Option<Role> {
        self.identity.as_ref().map(|identity| identity.role)
    }
}

/// What a route needs of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Nothing: pages without data, liveness, signing in.
    Nothing,
    /// A role; reading may be open to anyone.
    Role(Role),
}

/// Whatever changes state needs an operator, on every route that there is or will be; reading data needs a viewer.
fn needed(method: &Method, path: &str) -> Need {
    let is_read = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    match path {
        "/api/v1/session" => Need::Nothing,
        "/-/healthy" | "/-/ready" if is_read => Need::Nothing,
        _ if is_read && !is_data(path) => Need::Nothing,
        _ if is_read => Need::Role(Role::Viewer),
        "/-/reload" => Need::Role(Role::Admin),
        _ if path.starts_with("/api/v1/models/") => Need::Role(Role::Admin),
        _ => Need::Role(Role::Operator),
    }
}

/// Whether a path is of the API rather than of the page.
pub(crate) fn is_data(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    ["api", "ws", "metrics", "-", "v1"].contains(&first)
}

/// Checks of every request, and what they need.
pub(crate) struct Guard {
    pub(crate) tokens: RwLock<Arc<Tokens>>,
    /// Tells streams that the tokens are other ones.
    pub(crate) changed: watch::Sender<()>,
    pub(crate) sessions: Sessions,
    pub(crate) cookie: SessionCookie,
    pub(crate) rates: Rates,
    pub(crate) origins: OriginRules,
    pub(crate) counters: Arc<LimitCounters>,
    pub(crate) anonymous_reads: AnonymousReads,
    pub(crate) request_time: Duration,
    pub(crate) query_bytes: usize,
}

impl Guard {
    /// The tokens that are accepted now.
    pub(crate) fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.tokens.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the tokens that are accepted. Sessions of tokens that are gone end.
    pub(crate) fn set_tokens(&self, tokens: Tokens) {
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
        self.changed.send_replace(());
    }

    /// Whether who has no token may read now.
    pub(crate) fn reads_without_token(&self) -> bool {
        self.anonymous_reads.are_allowed(self.origins.is_loopback, !self.tokens().is_empty())
    }

    /// Waits until a caller may no longer read, with its token or without one: what it has opened ends then.
    pub(crate) async fn revoked(&self, caller: &Caller) {
        let mut changed = self.changed.subscribe();
        let may_read = || match &caller.identity {
            Some(identity) => self.tokens().accepts(identity.token),
            None => self.reads_without_token(),
        };
        while may_read() {
            if changed.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Counts a refusal.
    fn refuse(&self, limit: Limit, problem: Problem) -> Problem {
        self.counters.hit(limit);
        problem
    }

    /// Who calls, if they may do what they ask for.
    fn admit(&self, request: &Request, peer: SocketAddr) -> Result<Caller, Problem> {
        let (headers, uri, now) = (request.headers(), request.uri(), Instant::now());
        if !self.origins.accepts_host(headers, uri) {
            let detail =
                "the Host header names a host that this server does not go by; list it under http.hosts";
            let problem = Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", detail);
            return Err(self.refuse(Limit::Host, problem));
        }
        if uri.query().is_some_and(|query| query.len() > self.query_bytes) {
            let detail = format!("the query is longer than {} bytes", self.query_bytes);
            let problem = Problem::new(StatusCode::URI_TOO_LONG, "query_too_long", detail);
            return Err(self.refuse(Limit::Query, problem));
        }
        let identified = self.identify(headers);
        let (key, cost) = match &identified {
            Ok(Caller { identity: Some(identity), .. }) => (CallerKey::Token(identity.name.clone()), 1),
            Ok(_) => (CallerKey::peer(peer.ip()), 1),
            Err(_) => (CallerKey::peer(peer.ip()), WRONG_TOKEN_COST),
        };
        if let Err(wait) = self.rates.take(key, cost, now) {
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests");
            let seconds = HeaderValue::from(wait.as_secs().saturating_add(1));
            return Err(self.refuse(Limit::Rate, problem.with(header::RETRY_AFTER, seconds)));
        }
        let caller = identified.map_err(|problem| self.refuse(Limit::Authentication, problem))?;
        self.check_origin(request, &caller)?;
        self.check_role(needed(request.method(), uri.path()), &caller)?;
        Ok(caller)
    }

    fn identify(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        if let Some(line) = headers.get(header::AUTHORIZATION) {
            let presented = line.to_str().ok().and_then(|line| line.split_once(' '));
            let token = presented.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let tokens = self.tokens();
            let known = token.and_then(|(_, token)| tokens.find(token.trim()));
            let known = known.ok_or_else(|| unauthenticated("the token is not known"))?;
            return Ok(Caller { identity: Some(known.into()), by_cookie: false });
        }
        let session = self.cookie.read(headers).and_then(|id| self.sessions.find(id, SystemTime::now()));
        let tokens = self.tokens();
        let known = session.and_then(|token| tokens.iter().find(|known| known.hash == token));
        Ok(known.map_or(Caller::ANYONE, |known| Caller { identity: Some(known.into()), by_cookie: true }))
    }

    /// Calls that change something, and sockets, must come from a page of an accepted origin where they come from a
    /// page; what a cookie allows needs a header that no form can send, too.
    fn check_origin(&self, request: &Request, caller: &Caller) -> Result<(), Problem> {
        let (headers, uri) = (request.headers(), request.uri());
        let changes = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        let is_socket = headers.contains_key(header::UPGRADE);
        if !changes && !is_socket {
            return Ok(());
        }
        let origin = headers.get(header::ORIGIN);
        let is_accepted = |origin: &HeaderValue| {
            origin.to_str().is_ok_and(|origin| self.origins.accepts_origin(origin, headers, uri))
        };
        let by_cookie = changes && caller.by_cookie;
        let is_right = origin.map_or(!by_cookie, is_accepted);
        let is_marked = !by_cookie || headers.get("x-forewarn").is_some_and(|value| value == "1");
        if is_right && is_marked {
            return Ok(());
        }
        let detail = if is_right {
            "a call by cookie needs the header X-Forewarn: 1"
        } else {
            "pages of this origin may not call; list it under http.allow_origins"
        };
        let problem = Problem::new(StatusCode::FORBIDDEN, "origin_refused", detail);
        Err(self.refuse(Limit::Origin, problem))
    }

    fn check_role(&self, need: Need, caller: &Caller) -> Result<(), Problem> {
        let Need::Role(role) = need else { return Ok(()) };
        let is_open = role == Role::Viewer && self.reads_without_token();
        match caller.role() {
            _ if is_open => Ok(()),
            Some(own) if own >= role => Ok(()),
            Some(own) => {
                let detail = format!("this needs the role {role}; the token has the role {own}");
                let problem = Problem::new(StatusCode::FORBIDDEN, "role_too_low", detail);
                Err(self.refuse(Limit::Role, problem))
            }
            None => {
                let problem = unauthenticated(&format!("this needs a token with the role {role}"));
                Err(self.refuse(Limit::Authentication, problem))
            }
        }
    }
}

impl Tokens {
    /// Whether the token of this hash is accepted.
    fn accepts(&self, hash: TokenHash) -> bool {
        self.iter().any(|known| known.hash == hash)
    }
}

fn unauthenticated(detail: &str) -> Problem {
    let detail = format!("{detail}: send Authorization: Bearer TOKEN");
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
        .with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"forewarn\""))
}

/// Lets a request through to its route, or refuses it; then sets the headers of the answer and writes the log.
pub(crate) async fn guarded(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<Peer>().map_or(SocketAddr::from(([0, 0, 0, 0], 0)), |peer| peer.0);
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut name = String::new();
    let mut response = match headers::preflight(&method, request.headers(), &guard.origins) {
        Some(response) => response,
        None => match guard.admit(&request, peer) {
            Ok(caller) => {
                caller.name().clone_into(&mut name);
                request.extensions_mut().insert(caller);
                request.extensions_mut().insert(Arc::clone(&guard.counters));
                within(&guard, next.run(request)).await
            }
            Err(problem) => problem.into_response(),
        },
    };
    headers::secure(response.headers_mut(), guard.origins.is_tls);
    headers::allow_origin(response.headers_mut(), origin.as_ref(), &guard.origins);
    log(&method, &path, &response, (&name, peer, started.elapsed()));
    response
}

async fn within(guard: &Guard, answer: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(guard.request_time, answer).await {
        Ok(response) => response,
        Err(_) => {
            guard.counters.hit(Limit::Time);
            let detail = format!("the request took longer than {} s", guard.request_time.as_secs());
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "took_too_long", detail);
            problem.with(header::CONNECTION, HeaderValue::from_static("close")).into_response()
        }
    }
}

/// A line for each request; one for audits for each that was to change something. Neither has queries, headers or
/// bodies, where secrets could be.
fn log(method: &Method, path: &str, response: &Response, from: (&str, SocketAddr, Duration)) {
    let (name, peer, took) = from;
    let (status, millis) = (response.status().as_u16(), took.as_secs_f64() * 1e3);
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
        tracing::debug!(target: "forewarn::access", %method, path, status, token = name, %peer, millis);
    } else {
        tracing::info!(target: "forewarn::audit", %method, path, status, token = name, %peer, millis);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_state_needs_an_operator_wherever_it_is() {
        for path in [
            "/",
            "/api/v1/chaos",
            "/api/reset",
            "/api/chaos/inject",
            "/nowhere",
            "/metrics",
            "/ws",
            "/-/healthy",
        ] {
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(needed(&method, path), Need::Role(Role::Operator), "{method} {path}");
            }
        }
        assert_eq!(needed(&Method::POST, "/-/reload"), Need::Role(Role::Admin));
        assert_eq!(needed(&Method::POST, "/api/v1/models/lstm/promote"), Need::Role(Role::Admin));
    }

    #[test]
    fn data_needs_a_viewer_and_pages_nothing() {
        for path in
            ["/api/v1/status", "/api/services", "/ws", "/metrics", "/api", "//api/v1/status", "/-/other"]
        {
            assert_eq!(needed(&Method::GET, path), Need::Role(Role::Viewer), "{path}");
        }
        for path in ["/", "/services/cart", "/assets/index.js", "/-/healthy", "/-/ready"] {
            assert_eq!(needed(&Method::GET, path), Need::Nothing, "{path}");
        }
    }
}
