use super::wrong;
use crate::ServerError;
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
/// | `allow_origins` | other pages whose scripts may read | none | `https://host[:port]` |
/// | `tls.certificate`, `tls.key` | PEM files | plain HTTP | both |
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Path before all others.
    pub base_path: String,
    /// Other pages whose scripts may read.
    pub allow_origins: Vec<String>,
    /// Certificate and key.
    pub tls: Option<HttpTlsConfig>,
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

/// What someone may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read.
    Viewer,
    /// Acknowledge, silence, inject faults.
    Operator,
    /// Promote models, reload.
    Admin,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            base_path: String::new(),
            allow_origins: Vec::new(),
            tls: None,
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
        Ok(())
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
