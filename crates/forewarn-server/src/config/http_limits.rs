use super::wrong;
use crate::ServerError;
use serde::Deserialize;

/// How much the HTTP server accepts: `[http.limits]`. What is beyond is refused and counted.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `requests_per_second` | requests of a token, or of an address without one, on average | 50 | 1 to 1,000,000 |
/// | `burst` | requests at once after a pause | 500 | 1 to 1,000,000 |
/// | `body_bytes` | bytes of a body | 1,048,576 | 1,024 to 1,073,741,824 |
/// | `header_bytes` | bytes of all headers of a request | 16,384 | 8,192 to 1,048,576 |
/// | `headers` | headers of a request | 100 | 10 to 1,000 |
/// | `query_bytes` | bytes of a query | 4,096 | 64 to 65,536 |
/// | `connections` | connections at once | 4,096 | 1 to 1,000,000 |
/// | `sockets` | live streams at once | 2,000 | 1 to 1,000,000 |
/// | `header_secs` | seconds until headers or a TLS handshake have come; an idle connection is closed after as long | 30 | 1 to 3,600 |
/// | `request_secs` | seconds until a request is answered | 30 | 1 to 3,600 |
/// | `write_secs` | seconds for which a client may take nothing of what it is sent | 30 | 1 to 3,600 |
/// | `drain_secs` | seconds that requests have to end when the service ends | 10 | 0 to 3,600 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpLimits {
    /// Requests a second for each token, or each address without one, on average.
    pub requests_per_second: u32,
    /// Requests at once after a pause.
    pub burst: u32,
    /// Bytes of a body.
    pub body_bytes: u32,
    /// Bytes of all headers of a request.
    pub header_bytes: u32,
    /// Headers of a request.
    pub headers: u32,
    /// Bytes of a query.
    pub query_bytes: u32,
    /// Connections at once.
    pub connections: u32,
    /// Live streams at once.
    pub sockets: u32,
    /// Seconds until headers or a TLS handshake have come.
    pub header_secs: u32,
    /// Seconds until a request is answered.
    pub request_secs: u32,
    /// Seconds for which a client may take nothing of what it is sent.
    pub write_secs: u32,
    /// Seconds that requests have to end when the service ends.
    pub drain_secs: u32,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            requests_per_second: 50,
            burst: 500,
            body_bytes: 1 << 20,
            header_bytes: 16 << 10,
            headers: 100,
            query_bytes: 4 << 10,
            connections: 4_096,
            sockets: 2_000,
            header_secs: 30,
            request_secs: 30,
            write_secs: 30,
            drain_secs: 10,
        }
    }
}

impl HttpLimits {
    pub(super) fn check(&self) -> Result<(), ServerError> {
        let ranges = [
            ("requests_per_second", self.requests_per_second, 1, 1_000_000),
            ("burst", self.burst, 1, 1_000_000),
            ("body_bytes", self.body_bytes, 1 << 10, 1 << 30),
            ("header_bytes", self.header_bytes, 8 << 10, 1 << 20),
            ("headers", self.headers, 10, 1_000),
            ("query_bytes", self.query_bytes, 64, 64 << 10),
            ("connections", self.connections, 1, 1_000_000),
            ("sockets", self.sockets, 1, 1_000_000),
            ("header_secs", self.header_secs, 1, 3_600),
            ("request_secs", self.request_secs, 1, 3_600),
            ("write_secs", self.write_secs, 1, 3_600),
            ("drain_secs", self.drain_secs, 0, 3_600),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(wrong(&format!("http.limits.{name}: {value}: expected {least} to {most}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{AnonymousReads, WatchConfig};

    #[test]
    fn what_would_leave_the_server_open_is_refused() {
        let smallest = "[model]\npath = \"m\"\n[source]\nkind = \"file\"\npath = \"f\"\n[store]\npath = \"s\"\n\
                        [events]\npath = \"e\"\n";
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let token = format!("[[token]]\nname = \"t\"\nrole = \"admin\"\nsha256 = \"{hash}\"\n");
        let read = |more: &str| WatchConfig::from_toml(&format!("{smallest}{more}"));
        for right in [
            "[http]\n".to_owned(),
            format!("[http]\nlisten = \"0.0.0.0:80\"\n{token}"),
            "[http]\nlisten = \"[::]:80\"\nanonymous_reads = true\n".to_owned(),
            "[http]\nallow_origins = [\"https://ops.example.com\"]\nbase_path = \"/a/b\"\n".to_owned(),
        ] {
            read(&right).unwrap();
        }
        for (key, expected) in [
            ("", AnonymousReads::OnLoopback),
            ("anonymous_reads = true", AnonymousReads::Allowed),
            ("anonymous_reads = false", AnonymousReads::Refused),
        ] {
            assert_eq!(read(&format!("[http]\n{key}\n")).unwrap().http.unwrap().anonymous_reads, expected);
        }
        for (wrong, told) in [
            ("[http]\nlisten = \"0.0.0.0:80\"\n", "[[token]]"),
            ("[http]\nallow_origins = [\"*\"]\n", "no sign for any"),
            ("[http]\nallow_origins = [\"https://*.example.com\"]\n", "no sign for any"),
            ("[http]\nallow_origins = [\"https://a.com/\"]\n", "without a path"),
            ("[http]\nbase_path = \"/a?b\"\n", "base_path"),
            ("[http.limits]\nheader_bytes = 0\n", "8192 to 1048576"),
            ("[http.limits]\nrequest_secs = 0\n", "request_secs"),
        ] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
