//! Who a request is from.

use crate::{
    PrometheusConfig, ServerError,
    config::{BasicConfig, TargetConfig},
};
use forewarn_core::read_text_file;
use std::path::{Path, PathBuf};

/// Most bytes of a file with a token or password.
const MOST_SECRET_BYTES: u64 = 64 << 10;

/// Headers that a configuration gives to each request of a server.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    bearer_file: Option<PathBuf>,
    basic: Option<BasicConfig>,
    headers: Vec<(String, String)>,
}

impl Credentials {
    /// Those of a target of warnings or scores.
    pub(crate) fn of_target(target: &TargetConfig) -> Self {
        Self {
            bearer_file: target.bearer_file.clone(),
            basic: target.basic.clone(),
            headers: target.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }

    /// Those of a server that is pulled from.
    pub(crate) fn of_server(server: &PrometheusConfig) -> Self {
        let tenant = server.tenant.iter().map(|tenant| ("X-Scope-OrgID".to_owned(), tenant.clone()));
        Self {
            bearer_file: server.bearer_file.clone(),
            basic: server.basic.clone(),
            headers: tenant.collect(),
        }
    }

    /// The headers. Files are read each time, so that what is in them may be rotated.
    ///
    /// # Errors
    /// [`ServerError::Config`] for a file that cannot be read or has no secret.
    pub(crate) fn headers(&self) -> Result<Vec<(String, String)>, ServerError> {
        let mut headers = self.headers.clone();
        let mut authorize = |value: String| headers.push(("Authorization".to_owned(), value));
        if let Some(path) = &self.bearer_file {
            authorize(format!("Bearer {}", read_secret(path)?));
        }
        if let Some(basic) = &self.basic {
            let both = format!("{}:{}", basic.user, read_secret(&basic.password_file)?);
            authorize(format!("Basic {}", base64(both.as_bytes())));
        }
        Ok(headers)
    }
}

/// The secret in a file: its only line, without what is around it.
///
/// # Errors
/// [`ServerError::Config`] for a file that cannot be read, or is not one line.
pub(crate) fn read_secret(path: &Path) -> Result<String, ServerError> {
    let cannot = |reason: String| ServerError::Config { reason: format!("{}: {reason}", path.display()) };
    let text = read_text_file(path, MOST_SECRET_BYTES).map_err(|error| cannot(error.to_string()))?;
    let secret = text.trim();
    if secret.is_empty() || secret.chars().any(char::is_control) {
        return Err(cannot("expected one line of text".to_owned()));
    }
    Ok(secret.to_owned())
}

/// Base64 with padding, as RFC 4648 has it.
fn base64(bytes: &[u8]) -> String {
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
    use std::fs;

    fn target(toml: &str) -> Result<Vec<(String, String)>, String> {
        Credentials::of_target(&toml::from_str(toml).unwrap()).headers().map_err(|error| error.to_string())
    }

    fn pairs(pairs: [(&str, &str); 2]) -> [(String, String); 2] {
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

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
    fn a_rotated_token_is_used_and_an_empty_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let toml =
            format!("url = \"http://a\"\nbearer_file = {path:?}\nheaders = {{ X-Scope-OrgID = \"t\" }}");
        assert!(target(&toml).unwrap_err().contains("token"));
        let mut server = PrometheusConfig::new("http://p", ["istio"]);
        (server.bearer_file, server.tenant) = (Some(path.clone()), Some("t".to_owned()));
        let server = Credentials::of_server(&server);
        for token in ["one\n", "two\r\n"] {
            fs::write(&path, token).unwrap();
            let bearer = format!("Bearer {}", token.trim_end());
            let expected = pairs([("X-Scope-OrgID", "t"), ("Authorization", &bearer)]);
            assert_eq!(target(&toml).unwrap(), expected);
            assert_eq!(server.headers().unwrap(), expected);
        }
        fs::write(&path, "\n").unwrap();
        assert!(target(&toml).unwrap_err().contains("one line"));
    }

    #[test]
    fn users_and_passwords_are_those_of_rfc_7617() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "open sesame").unwrap();
        let toml = format!("url = \"http://a\"\nbasic = {{ user = \"Aladdin\", password_file = {path:?} }}");
        assert_eq!(target(&toml).unwrap()[0].1, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
