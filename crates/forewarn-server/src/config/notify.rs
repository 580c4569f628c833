use crate::{ServerError, runtime::TlsSettings};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// An Alertmanager that gets warnings: `[[alertmanager]]`, one for each of them.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `url` | address of the server, with its path prefix | | `http://` or `https://` |
/// | `tls.ca_file` | authorities that are trusted | those of the system | a PEM file |
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertmanagerConfig {
    /// Address of the server, with its path prefix.
    pub url: String,
    /// Whom to trust over TLS.
    #[serde(default)]
    pub tls: TlsSettings,
}

/// A web hook that gets warnings: `[[webhook]]`.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `url` | where to | | `http://` or `https://` |
/// | `secret_file` | file with the key of the signature | not signed | |
/// | `template` | file with a template of the body | Alertmanager's payload | |
/// | `tls.ca_file` | authorities that are trusted | those of the system | a PEM file |
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where to.
    pub url: String,
    /// File with the key of the signature.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// File with a template of the body.
    #[serde(default)]
    pub template: Option<PathBuf>,
    /// Whom to trust over TLS.
    #[serde(default)]
    pub tls: TlsSettings,
}

impl AlertmanagerConfig {
    pub(super) fn check(&self) -> Result<(), ServerError> {
        super::check_url("alertmanager.url", &self.url)
    }

    pub(super) fn below(&mut self, folder: &Path) {
        self.tls.below(folder);
    }
}

impl WebhookConfig {
    pub(super) fn check(&self) -> Result<(), ServerError> {
        super::check_url("webhook.url", &self.url)
    }

    pub(super) fn below(&mut self, folder: &Path) {
        let files = self.secret_file.iter_mut().chain(&mut self.template);
        files.for_each(|path| *path = folder.join(&*path));
        self.tls.below(folder);
    }
}
