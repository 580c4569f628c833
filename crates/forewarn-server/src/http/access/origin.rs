//! Which names the server goes by, and which pages may call it.

use axum::http::{HeaderMap, Uri, header};
use std::net::IpAddr;

/// Hosts and origins that are accepted.
#[derive(Clone, Debug)]
pub(crate) struct OriginRules {
    /// Origins of other pages that may call the API, as browsers write them: `https://ops.example.com`.
    pub(crate) origins: Vec<String>,
    /// Host names beside loopback ones; any where empty and the server is not on loopback.
    pub(crate) hosts: Vec<String>,
    /// Whether only this machine can reach the server.
    pub(crate) is_loopback: bool,
    /// Whether the server itself speaks TLS.
    pub(crate) is_tls: bool,
}

impl OriginRules {
    /// Whether the request is for a name that the server goes by. Without this check a page of an attacker whose name
    /// resolves to a loopback address (DNS rebinding) could read what is open on loopback.
    pub(crate) fn accepts_host(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let Some(host) = requested_authority(headers, uri).map(host_of) else { return false };
        let is_listed = self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        is_listed || is_loopback_name(host) || (!self.is_loopback && self.hosts.is_empty())
    }

    /// Whether a page of this origin may call: it is the server's own, or a listed one.
    pub(crate) fn accepts_origin(&self, origin: &str, headers: &HeaderMap, uri: &Uri) -> bool {
        self.is_listed(origin) || self.is_own(origin, headers, uri)
    }

    /// Whether the configuration lists the origin.
    pub(crate) fn is_listed(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
    }

    /// Whether a page of this origin came from the host that is asked. The scheme is not compared where a proxy may
    /// have ended TLS.
    fn is_own(&self, origin: &str, headers: &HeaderMap, uri: &Uri) -> bool {
        let (scheme, authority) = match origin.split_once("://") {
            Some((scheme @ ("http" | "https"), authority)) => (scheme, authority),
            _ => return false,
        };
        if self.is_tls && scheme != "https" {
            return false;
        }
        let port = if scheme == "https" { ":443" } else { ":80" };
        let without = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
        requested_authority(headers, uri).is_some_and(|asked| without(asked) == without(authority))
    }
}

/// Host and port that a request is for.
fn requested_authority<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, None) => uri.authority().map(axum::http::uri::Authority::as_str),
        _ => None,
    }
}

/// The host of `host:port`.
fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(host, _)| host);
    }
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

fn is_loopback_name(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn rules() -> OriginRules {
        let origins = vec!["https://ops.example.com".to_owned()];
        OriginRules { origins, hosts: Vec::new(), is_loopback: true, is_tls: false }
    }

    fn host(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(text).unwrap())])
    }

    fn path() -> Uri {
        Uri::from_static("/ws")
    }

    #[test]
    fn on_loopback_only_loopback_names_are_answered() {
        for right in
            ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST", "127.1.2.3", "[::ffff:127.0.0.1]"]
        {
            assert!(rules().accepts_host(&host(right), &path()), "{right}");
        }
        for wrong in ["evil.com", "evil.com:8080", "localhost.evil.com", "10.0.0.1", "", "127.0.0.1.evil.com"]
        {
            assert!(!rules().accepts_host(&host(wrong), &path()), "{wrong}");
        }
        let mut twice = host("localhost");
        twice.append(header::HOST, HeaderValue::from_static("evil.com"));
        assert!(!rules().accepts_host(&twice, &path()));
        assert!(!rules().accepts_host(&HeaderMap::new(), &path()));
        let listed = OriginRules { hosts: vec!["Watch.example.com".to_owned()], ..rules() };
        assert!(listed.accepts_host(&host("watch.example.com:80"), &path()));
        assert!(!listed.accepts_host(&host("evil.com"), &path()));
    }

    #[test]
    fn elsewhere_any_name_is_answered_unless_some_are_listed() {
        let open = OriginRules { is_loopback: false, ..rules() };
        assert!(open.accepts_host(&host("watch.example.com"), &path()));
        let listed = OriginRules { hosts: vec!["watch.example.com".to_owned()], ..open };
        assert!(listed.accepts_host(&host("watch.example.com"), &path()));
        assert!(!listed.accepts_host(&host("other.example.com"), &path()));
    }

    #[test]
    fn only_own_and_listed_origins_are_accepted() {
        let accepts = |origin: &str, asked: &str| rules().accepts_origin(origin, &host(asked), &path());
        assert!(accepts("http://127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(accepts("http://localhost", "localhost:80"));
        assert!(accepts("https://watch.example.com", "watch.example.com"));
        assert!(accepts("https://ops.example.com", "127.0.0.1:8080"));
        for wrong in [
            "http://evil.com",
            "http://127.0.0.1:9090",
            "http://127.0.0.1",
            "null",
            "",
            "file://127.0.0.1:8080",
            "https://ops.example.com.evil.com",
            "http://ops.example.com",
        ] {
            assert!(!accepts(wrong, "127.0.0.1:8080"), "{wrong}");
        }
        let tls = OriginRules { is_tls: true, ..rules() };
        assert!(!tls.accepts_origin("http://localhost:8443", &host("localhost:8443"), &path()));
        assert!(tls.accepts_origin("https://localhost:8443", &host("localhost:8443"), &path()));
    }
}
