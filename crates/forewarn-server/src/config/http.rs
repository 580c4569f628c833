use super::{HttpLimits, wrong};
use crate::{ServerError, http::Role};
use serde::Deserialize;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// The HTTP server: `[http]`. There is none without this table.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `listen` | address and port | 127.0.0.1:8080 | port 0 takes a free one |
/// | `base_path` | path before all others, for a proxy | none | `/...`, without a slash at the end |
/// | `hosts` | names by which the server may be called, beside those of loopback | on loopback none, elsewhere any | host names, without port |
/// | `allow_origins` | other pages whose scripts may call, with a token | none | `https://host[:port]` |
/// | `anonymous_reads` | whether who has no token may read | on loopback without tokens only | true or false |
/// | `tls.certificate`, `tls.key` | PEM files | plain HTTP | both |
/// | `limits` | how much is accepted | see [`HttpLimits`] | |
///
/// An address that others can reach needs a `[[token]]`, or `anonymous_reads = true`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Path before all others.
    pub base_path: String,
    /// Names by which the server may be called, beside those of loopback.
    pub hosts: Vec<String>,
    /// Other pages whose scripts may call, with a token.
    pub allow_origins: Vec<String>,
    /// Whether who has no token may read.
    pub anonymous_reads: AnonymousReads,
    /// Certificate and key.
    pub tls: Option<HttpTlsConfig>,
    /// How much is accepted.
    pub limits: HttpLimits,
}

/// Whether who has no token may read: `anonymous_reads` of `[http]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "bool")]
#[non_exhaustive]
pub enum AnonymousReads {
    /// Only at an address of this machine, and as long as no token is configured: where the configuration is silent.
    #[default]
    OnLoopback,
    /// Anyone may: `true`.
    Allowed,
    /// A token is always needed: `false`.
    Refused,
}

impl AnonymousReads {
    /// What it comes to at an address, with or without tokens.
    pub(crate) fn are_allowed(self, is_loopback: bool, has_tokens: bool) -> bool {
        match self {
            Self::OnLoopback => is_loopback && !has_tokens,
            Self::Allowed => true,
            Self::Refused => false,
        }
    }
}

impl From<bool> for AnonymousReads {
    fn from(allowed: bool) -> Self {
        if allowed { Self::Allowed } else { Self::Refused }
    }
}

/// Certificate and key of the HTTP server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTlsConfig {
    /// PEM file of the certificate and those above it.
    pub certificate: PathBuf,
    /// PEM file of its key.
    pub key: PathBuf,
}

/// Someone who may use the API: `[[token]]`. Its secret is given by exactly one of `sha256`, `file` and `env`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// Who it is, for the audit log.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the secret, in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// File with the secret.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// Name of the environment variable with the secret.
    #[serde(default)]
    pub env: Option<String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            base_path: String::new(),
            hosts: Vec::new(),
            allow_origins: Vec::new(),
            anonymous_reads: AnonymousReads::default(),
            tls: None,
            limits: HttpLimits::default(),
        }
    }
}

impl HttpConfig {
    pub(super) fn check(&self) -> Result<(), ServerError> {
        let path = &self.base_path;
        if !path.is_empty() && (!path.starts_with('/') || path.ends_with('/')) {
            return Err(wrong(
                "http.base_path: expected a path such as /forewarn, without a slash at the end",
            ));
        }
        let is_plain =
            |path: &str| path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
        if !is_plain(path) || path.contains("//") {
            return Err(wrong("http.base_path: expected letters, digits, and - _ . between slashes"));
        }
        for origin in &self.allow_origins {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains(['/', '*', ' '])) {
                let origin = forewarn_schema::printable(origin);
                return Err(wrong(&format!(
                    "http.allow_origins: {origin:?}: expected an origin such as https://ops.example.com, without a \
                     path; there is no sign for any"
                )));
            }
        }
        self.limits.check()
    }

    /// Refuses an address that others can reach where nothing is asked of them.
    pub(super) fn check_reach(&self, tokens: &[TokenConfig]) -> Result<(), ServerError> {
        let is_loopback = self.listen.ip().to_canonical().is_loopback();
        if is_loopback || !tokens.is_empty() || self.anonymous_reads == AnonymousReads::Allowed {
            return Ok(());
        }
        Err(wrong(&format!(
            "http.listen: {} can be reached by others; expected at least one [[token]], or http.anonymous_reads = true \
             if anyone may read",
            self.listen
        )))
    }

    pub(super) fn below(&mut self, folder: &Path) {
        if let Some(tls) = &mut self.tls {
            tls.certificate = folder.join(&tls.certificate);
            tls.key = folder.join(&tls.key);
        }
    }
}

impl TokenConfig {
    pub(super) fn check(&self) -> Result<(), ServerError> {
        let given = [self.sha256.is_some(), self.file.is_some(), self.env.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1 {
            let name = forewarn_schema::printable(&self.name);
            return Err(wrong(&format!("token {name:?}: expected exactly one of sha256, file and env")));
        }
        Ok(())
    }

    pub(super) fn below(&mut self, folder: &Path) {
        self.file.iter_mut().for_each(|path| *path = folder.join(&*path));
    }
}
