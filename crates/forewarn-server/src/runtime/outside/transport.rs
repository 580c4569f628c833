//! What is asked of other servers.

mod fake;
mod over_ureq;

pub use fake::FakeTransport;
pub use over_ureq::{TlsSettings, UreqTransport};

use crate::ServerError;
use std::{fmt, time::Duration};

/// Carries HTTP requests.
pub trait Transport: Send + Sync {
    /// Sends a request and gives the answer, of whatever status. Redirects are answers, and not followed.
    ///
    /// # Errors
    /// [`ServerError::Transport`] when there is no answer, or none within the limits of the request.
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, ServerError>;
}

/// Method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// GET, without a body.
    Get,
    /// POST.
    Post,
}

/// A request.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Address, with its query.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Time for all of it, from the look-up of the name to the end of the answer. 30 s by default.
    pub timeout: Duration,
    /// Most bytes of the answer's body, after it was unpacked. 64 MiB by default.
    pub most_bytes: u64,
}

impl HttpRequest {
    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url.into(), Vec::new())
    }

    /// A POST.
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Method::Post, url.into(), body.into())
    }

    fn new(method: Method, url: String, body: Vec<u8>) -> Self {
        let timeout = Duration::from_secs(30);
        Self { method, url, headers: Vec::new(), body, timeout, most_bytes: 64 << 20 }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets [`timeout`](Self::timeout).
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sets [`most_bytes`](Self::most_bytes).
    #[must_use]
    pub fn with_most_bytes(self, most_bytes: u64) -> Self {
        Self { most_bytes, ..self }
    }

    /// The address without user, password and query, which may be secret.
    #[must_use]
    pub fn printable_url(&self) -> String {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        let shown = match url.split_once("://") {
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                format!("{scheme}://{host}{path}")
            }
            None => url.to_owned(),
        };
        forewarn_schema::printable(&shown)
    }
}

/// Headers and query may be secret: only their number is shown.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.printable_url())
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpResponse {
    /// Status.
    pub status: u16,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, unpacked.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// An answer without headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Seconds of `Retry-After`; a date, which needs the server's clock to be right, is not read.
    #[must_use]
    pub fn retry_after_secs(&self) -> Option<u64> {
        self.header("retry-after")?.trim().parse().ok()
    }

    /// Whether the status is one of success.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as text, for messages: what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

#[cfg(test)]
mod tests;
