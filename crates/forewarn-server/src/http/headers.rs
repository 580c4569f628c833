//! Headers that every answer has.

use super::access::origin::OriginRules;
use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

/// What a page may load and do: only what comes from this server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; \
                                       object-src 'none'";

const FIXED: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// Sets the security headers.
pub(crate) fn secure(headers: &mut HeaderMap, is_tls: bool) {
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    // What says nothing of caches is of this moment.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Lets a page of a listed origin read the answer; pages of others get no such header. Cookies are never allowed
/// across origins: such a page brings a token.
pub(crate) fn allow_origin(headers: &mut HeaderMap, origin: Option<&HeaderValue>, rules: &OriginRules) {
    if rules.origins.is_empty() {
        return;
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let listed = origin.filter(|origin| origin.to_str().is_ok_and(|origin| rules.is_listed(origin)));
    if let Some(origin) = listed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let exposed = HeaderValue::from_static("etag, retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// The answer to a browser that asks whether a page of a listed origin may make a call; `None` for other requests.
pub(crate) fn preflight(method: &Method, asked: &HeaderMap, rules: &OriginRules) -> Option<Response> {
    let is_preflight = method == Method::OPTIONS && asked.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let origin = asked.get(header::ORIGIN).and_then(|origin| origin.to_str().ok())?;
    if !is_preflight || !rules.is_listed(origin) {
        return None;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, if-none-match, last-event-id"),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(origins: &[&str]) -> OriginRules {
        let origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        OriginRules { origins, hosts: Vec::new(), is_loopback: true, is_tls: false }
    }

    #[test]
    fn only_listed_origins_may_read_and_none_with_cookies() {
        let allowed = |rules: &OriginRules, origin: &'static str| {
            let mut headers = HeaderMap::new();
            allow_origin(&mut headers, Some(&HeaderValue::from_static(origin)), rules);
            assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
            headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned()
        };
        let listed = rules(&["https://ops.example.com"]);
        assert_eq!(allowed(&listed, "https://ops.example.com").unwrap(), "https://ops.example.com");
        assert_eq!(allowed(&listed, "https://evil.com"), None);
        assert_eq!(allowed(&rules(&[]), "https://ops.example.com"), None);
        // A star in the configuration is an origin that no browser has.
        assert_eq!(allowed(&rules(&["*"]), "https://evil.com"), None);
    }

    #[test]
    fn a_preflight_is_answered_for_listed_origins_only() {
        let asked = |origin: &'static str| {
            HeaderMap::from_iter([
                (header::ORIGIN, HeaderValue::from_static(origin)),
                (header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST")),
            ])
        };
        let listed = rules(&["https://ops.example.com"]);
        let answer = preflight(&Method::OPTIONS, &asked("https://ops.example.com"), &listed).unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert!(preflight(&Method::OPTIONS, &asked("https://evil.com"), &listed).is_none());
        assert!(preflight(&Method::POST, &asked("https://ops.example.com"), &listed).is_none());
    }

    #[test]
    fn pages_load_from_this_server_only() {
        let mut headers = HeaderMap::new();
        secure(&mut headers, false);
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
