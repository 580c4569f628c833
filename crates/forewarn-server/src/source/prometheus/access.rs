//! Where a server is, and as whom it is asked.

use crate::{PrometheusConfig, ServerError};
use forewarn_core::read_text_file;
use std::path::Path;

/// Most bytes of a file with a token or password.
const MOST_SECRET_BYTES: u64 = 64 << 10;

/// Where a server is and who asks it.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// Its URL with the prefix of its path, without a slash at the end.
    base: String,
    config: PrometheusConfig,
}

impl Access {
    pub(crate) fn new(config: &PrometheusConfig) -> Result<Self, ServerError> {
        let base = base(&config.url).map_err(|reason| ServerError::Config {
            reason: format!("source.url {:?}: {reason}", forewarn_schema::printable(&config.url)),
        })?;
        Ok(Self { base, config: PrometheusConfig { more: Vec::new(), ..config.clone() } })
    }

    /// The URL of a path such as `/api/v1/query`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Headers that say who asks. Files are read each time: tokens change.
    pub(crate) fn headers(&self) -> Result<Vec<(String, String)>, String> {
        let mut headers = Vec::new();
        if let Some(path) = &self.config.bearer_file {
            headers.push(("authorization".to_owned(), format!("Bearer {}", secret(path)?)));
        }
        if let Some(basic) = &self.config.basic {
            let both = format!("{}:{}", basic.user, secret(&basic.password_file)?);
            headers.push(("authorization".to_owned(), format!("Basic {}", base64(both.as_bytes()))));
        }
        if let Some(tenant) = &self.config.tenant {
            headers.push(("x-scope-orgid".to_owned(), tenant.clone()));
        }
        Ok(headers)
    }
}

fn base(url: &str) -> Result<String, &'static str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let rest = rest.ok_or("expected http://HOST:PORT or https://HOST:PORT")?;
    if url.contains(['?', '#']) || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("expected a host, a port and the prefix of a path, and nothing behind them");
    }
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() {
        return Err("the host is missing");
    }
    if host.contains('@') {
        return Err("a password does not belong into a URL: name `basic` or `bearer_file`");
    }
    let trimmed = url.trim_end_matches('/');
    // What people copy from elsewhere.
    Ok(trimmed.strip_suffix("/api/v1").unwrap_or(trimmed).to_owned())
}

/// The first line of a file, without what is around it.
pub(crate) fn secret(path: &Path) -> Result<String, String> {
    let cannot = |reason: String| format!("{}: {reason}", path.display());
    let text = read_text_file(path, MOST_SECRET_BYTES).map_err(|error| cannot(error.to_string()))?;
    let secret = text.trim();
    if secret.is_empty() || secret.chars().any(char::is_control) {
        return Err(cannot("expected one line of text".to_owned()));
    }
    Ok(secret.to_owned())
}

/// Base64 with padding, as RFC 4648 has it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let bits =
            three.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place)) & 63;
            text.push(if place > three.len() { '=' } else { char::from(ALPHABET[index as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BasicConfig;
    use std::fs;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn a_url_has_a_prefix_and_no_secrets() {
        assert_eq!(base("https://p:9090/prom/").unwrap(), "https://p:9090/prom");
        assert_eq!(base("http://p/api/v1").unwrap(), "http://p");
        for wrong in ["p:9090", "http://", "http://u:secret@p", "http://p?x=1", "http://p /a"] {
            assert!(base(wrong).is_err(), "{wrong}");
        }
        let config = PrometheusConfig::new("http://u:secret@p", ["istio"]);
        let error = Access::new(&config).unwrap_err().to_string();
        assert!(error.contains("basic"), "{error}");
    }

    #[test]
    fn secrets_come_from_files_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "one\n").unwrap();
        let mut config = PrometheusConfig::new("http://p", ["istio"]);
        config.bearer_file = Some(file.clone());
        config.tenant = Some("shop".to_owned());
        let access = Access::new(&config).unwrap();
        let expected = [("authorization", "Bearer one"), ("x-scope-orgid", "shop")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(access.headers().unwrap(), expected);
        fs::write(&file, "two").unwrap();
        assert_eq!(access.headers().unwrap()[0].1, "Bearer two");
        fs::write(&file, "\n").unwrap();
        assert!(access.headers().unwrap_err().contains("secret"));
        fs::write(&file, "open sesame").unwrap();
        let basic = BasicConfig { user: "Aladdin".to_owned(), password_file: file };
        let config = PrometheusConfig { basic: Some(basic), ..PrometheusConfig::new("http://p", ["istio"]) };
        // The example of RFC 7617.
        let header = Access::new(&config).unwrap().headers().unwrap();
        assert_eq!(header[0].1, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
