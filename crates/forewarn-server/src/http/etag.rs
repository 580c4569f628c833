use crate::text::hex;
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// Largest answer that gets an entity tag. Larger ones are not held in memory for it.
const MOST_BYTES: u64 = 16 << 20;

/// Gives answers in JSON to reads an entity tag, and says `304 Not Modified` to a client that has the answer already.
pub(crate) async fn tagged(request: Request, next: Next) -> Response {
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let is_json = |headers: &HeaderMap| {
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
    };
    let is_whole = response.body().size_hint().exact().is_some_and(|bytes| bytes > 0 && bytes <= MOST_BYTES);
    if !is_read || response.status() != StatusCode::OK || !is_json(response.headers()) || !is_whole {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // A body of known size is in memory: this does not wait, and cannot fail.
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let tag = tag(&bytes);
    if known.is_some_and(|known| known.to_str().is_ok_and(|known| names(known, &tag))) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        set(response.headers_mut(), &tag);
        return response;
    }
    set(&mut parts.headers, &tag);
    Response::from_parts(parts, Body::from(bytes))
}

fn set(headers: &mut HeaderMap, tag: &str) {
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, value);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
}

/// A weak tag, as the answer may be compressed later.
fn tag(bytes: &Bytes) -> String {
    format!("W/\"{}\"", hex(&Sha256::digest(bytes)[..12]))
}

/// Whether a list of tags that a client has names this one, by weak comparison.
pub(crate) fn names(known: &str, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.trim() == "*" || known.split(',').any(|known| opaque(known) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly_and_in_lists() {
        assert!(names("W/\"a\"", "W/\"a\""));
        assert!(names("\"b\", \"a\"", "W/\"a\""));
        assert!(names("*", "W/\"a\""));
        for other in ["", "a", "\"ab\"", "W/\"b\""] {
            assert!(!names(other, "W/\"a\""), "{other}");
        }
    }

    #[test]
    fn equal_answers_have_equal_tags() {
        assert_eq!(tag(&Bytes::from_static(b"[1]")), tag(&Bytes::from_static(b"[1]")));
        assert_ne!(tag(&Bytes::from_static(b"[1]")), tag(&Bytes::from_static(b"[2]")));
    }
}
