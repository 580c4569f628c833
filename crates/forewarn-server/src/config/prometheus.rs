use super::wrong;
use crate::{ServerError, runtime::TlsSettings};
use serde::Deserialize;
use std::path::Path;

/// A Prometheus that is asked, or a server that speaks like one: `[source]` with `kind = "prometheus"`.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `url` | address of the server, with its path prefix | | `http://` or `https://` |
/// | `recipe` | which queries give the metrics of a service | | a recipe's name |
/// | `tls.ca_file` | authorities that are trusted | those of the system | a PEM file |
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// Address of the server, with its path prefix.
    pub url: String,
    /// Which queries give the metrics of a service.
    pub recipe: String,
    /// Whom to trust over TLS.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// Samples that others push: `[receive]`.
///
/// | name | meaning | default |
/// |---|---|---|
/// | `remote_write` | takes Prometheus remote write | off |
/// | `otlp` | takes OTLP metrics over HTTP | off |
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiveConfig {
    /// Takes Prometheus remote write.
    pub remote_write: bool,
    /// Takes OTLP metrics over HTTP.
    pub otlp: bool,
}

impl PrometheusConfig {
    pub(super) fn check(&self) -> Result<(), ServerError> {
        super::check_url("source.url", &self.url)?;
        if self.recipe.is_empty() {
            return Err(wrong("source.recipe: expected the name of a recipe"));
        }
        Ok(())
    }

    pub(super) fn below(&mut self, folder: &Path) {
        self.tls.below(folder);
    }
}
