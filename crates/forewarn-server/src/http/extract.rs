//! Parts of a request, refused with a problem where they are not as expected.

use super::{Limit, LimitCounters, Problem};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, request::Parts},
    response::IntoResponse,
};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The query of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri);
        query.map(|Query(value)| Self(value)).map_err(|error| Problem::invalid(error.body_text()))
    }
}

/// The name in a path, with percent signs resolved.
#[derive(Clone, Debug)]
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(name)| Self(name)).map_err(|error| Problem::invalid(error.body_text()))
    }
}

/// The body of a request, in JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let counters = request.extensions().get::<Arc<LimitCounters>>().cloned();
        let rejection = match Json::from_request(request, state).await {
            Ok(Json(value)) => return Ok(Self(value)),
            Err(rejection) => rejection,
        };
        let detail = rejection.body_text();
        Err(match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                counters.iter().for_each(|counters| counters.hit(Limit::Body));
                let detail = "the body is longer than http.limits.body_bytes";
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                let detail = "expected a body with Content-Type: application/json";
                Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
            }
            _ => Problem::invalid(detail),
        })
    }
}
