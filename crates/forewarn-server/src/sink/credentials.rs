//! Who a request is from.

use crate::{ServerError, config::TargetConfig, runtime::HttpRequest};
use forewarn_core::{SMALL_FILE_BYTES, read_text_file};
use std::{path::Path, time::Duration};

/// Headers that the configuration of a target gives to each of its requests.
#[derive(Clone, Debug)]
pub(crate) struct Credentials(TargetConfig);

impl Credentials {
    pub(crate) fn new(target: &TargetConfig) -> Self {
        Self(target.clone())
    }

    /// The request with them. Files are read each time, so that what is in them may be rotated.
    ///
    /// # Errors
    /// [`ServerError::File`].
    pub(crate) fn add(&self, mut request: HttpRequest) -> Result<HttpRequest, ServerError> {
        for (name, value) in &self.0.headers {
            request = request.with_header(name, value);
        }
        if let Some(path) = &self.0.bearer_file {
            let token = String::from_utf8_lossy(&read_secret(path)?).into_owned();
            request = request.with_header("Authorization", format!("Bearer {token}"));
        }
        if let Some(basic) = &self.0.basic {
            let mut pair = format!("{}:", basic.username).into_bytes();
            pair.extend(read_secret(&basic.password_file)?);
            request = request.with_header("Authorization", format!("Basic {}", base64(&pair)));
        }
        Ok(request.with_timeout(Duration::from_secs(self.0.timeout_secs.into())))
    }
}

/// The secret in a file, without the line break that editors put at its end.
///
/// # Errors
/// [`ServerError::File`] for a file that cannot be read, [`ServerError::Config`] for an empty one or one of several
/// lines.
pub(crate) fn read_secret(path: &Path) -> Result<Vec<u8>, ServerError> {
    let text = read_text_file(path, SMALL_FILE_BYTES)
        .map_err(|source| ServerError::File { path: path.to_owned(), source })?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || secret.contains(char::is_control) {
        let reason = format!("{}: expected a secret on one line", path.display());
        return Err(ServerError::Config { reason });
    }
    Ok(secret.as_bytes().to_vec())
}

/// Base 64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            text.push(if digit > chunk.len() { '=' } else { char::from(DIGITS[value as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_that_of_the_rfc() {
        let expected = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, expected) in expected.iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), *expected);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn a_rotated_token_is_used_and_an_empty_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let toml =
            format!("url = \"http://a\"\nbearer_file = {path:?}\nheaders = {{ X-Scope-OrgID = \"t\" }}");
        let credentials = Credentials::new(&toml::from_str(&toml).unwrap());
        let header = || {
            let request = credentials.add(HttpRequest::get("http://a"));
            request.map(|request| request.headers).map_err(|error| error.to_string())
        };
        assert!(header().unwrap_err().contains("token"));
        for token in ["one\n", "two\r\n"] {
            std::fs::write(&path, token).unwrap();
            let expected = [
                ("X-Scope-OrgID".to_owned(), "t".to_owned()),
                ("Authorization".to_owned(), format!("Bearer {}", token.trim_end())),
            ];
            assert_eq!(header().unwrap(), expected);
        }
        std::fs::write(&path, "\n").unwrap();
        assert!(header().unwrap_err().contains("on one line"));
        let password = folder.path().join("password");
        std::fs::write(&password, "open sesame").unwrap();
        let toml =
            format!("url = \"http://a\"\nbasic = {{ username = \"Aladdin\", password_file = {password:?} }}");
        let request =
            Credentials::new(&toml::from_str(&toml).unwrap()).add(HttpRequest::get("http://a")).unwrap();
        assert_eq!(request.headers[0].1, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
