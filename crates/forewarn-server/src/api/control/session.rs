//! Signing in: a browser exchanges a token for a cookie that scripts cannot read.

use crate::{
    api::Shared,
    http::{Body, Caller, Limit, Problem, Role},
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use utoipa::ToSchema;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Session {
    /// What the caller may do; null for one without a token.
    pub(crate) role: Option<Role>,
    /// Name of the token.
    pub(crate) name: Option<String>,
    /// Whether the caller may read.
    pub(crate) reads: bool,
}

/// A token to be exchanged.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The token.
    token: String,
}

/// Who calls, and what they may do.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = Session)))]
pub(crate) async fn show(State(api): State<Shared>, Extension(caller): Extension<Caller>) -> Json<Session> {
    let role = caller.role();
    Json(Session {
        role,
        name: caller.identity.map(|identity| identity.name),
        reads: role.is_some() || api.guard.reads_without_token(),
    })
}

/// Exchanges a token for a cookie that lasts 12 hours.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = Session)))]
pub(crate) async fn start(State(api): State<Shared>, Body(body): Body<SignIn>) -> Result<Response, Problem> {
    let tokens = api.guard.tokens();
    let Some(known) = tokens.find(body.token.trim()) else {
        api.guard.counters.hit(Limit::Authentication);
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", "the token is not known"));
    };
    let id = api.guard.sessions.start(known.hash, SystemTime::now());
    let id = id.map_err(|_| Problem::internal("the system gives no random bytes"))?;
    let cookie =
        api.guard.cookie.set(&id).ok_or_else(|| Problem::internal("the cookie cannot be written"))?;
    tracing::info!(target: "forewarn::audit", token = known.name, "signed in");
    let session = Session { role: Some(known.role), name: Some(known.name.clone()), reads: true };
    Ok(([(header::SET_COOKIE, cookie)], Json(session)).into_response())
}

/// Signs the browser out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub(crate) async fn end(State(api): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(id) = api.guard.cookie.read(&headers) {
        api.guard.sessions.end(id);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = api.guard.cookie.clear() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
