//! Who a request is from.

use crate::{
    ServerError,
    config::TargetConfig,
    runtime::HttpRequest,
    source::{base64, secret},
};
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
    /// [`ServerError::Config`] for a file that cannot be read or has no secret.
    pub(crate) fn add(&self, mut request: HttpRequest) -> Result<HttpRequest, ServerError> {
        for (name, value) in &self.0.headers {
            request = request.with_header(name, value);
        }
        if let Some(path) = &self.0.bearer_file {
            request = request.with_header("Authorization", format!("Bearer {}", read_secret(path)?));
        }
        if let Some(basic) = &self.0.basic {
            let both = format!("{}:{}", basic.user, read_secret(&basic.password_file)?);
            request = request.with_header("Authorization", format!("Basic {}", base64(both.as_bytes())));
        }
        Ok(request.with_timeout(Duration::from_secs(self.0.timeout_secs.into())))
    }
}

/// The secret in a file.
///
/// # Errors
/// [`ServerError::Config`] for a file that cannot be read, or is not one line.
pub(crate) fn read_secret(path: &Path) -> Result<String, ServerError> {
    secret(path).map_err(|reason| ServerError::Config { reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(toml: &str) -> Result<Vec<(String, String)>, String> {
        let credentials = Credentials::new(&toml::from_str(toml).unwrap());
        let request = credentials.add(HttpRequest::get("http://a"));
        request.map(|request| request.headers).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rotated_token_is_used_and_an_empty_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let toml =
            format!("url = \"http://a\"\nbearer_file = {path:?}\nheaders = {{ X-Scope-OrgID = \"t\" }}");
        assert!(headers(&toml).unwrap_err().contains("token"));
        for token in ["one\n", "two\r\n"] {
            std::fs::write(&path, token).unwrap();
            let bearer = format!("Bearer {}", token.trim_end());
            let expected = [("X-Scope-OrgID", "t"), ("Authorization", &bearer)];
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(headers(&toml).unwrap(), expected);
        }
        std::fs::write(&path, "\n").unwrap();
        assert!(headers(&toml).unwrap_err().contains("one line"));
        let password = folder.path().join("password");
        std::fs::write(&password, "open sesame").unwrap();
        let toml =
            format!("url = \"http://a\"\nbasic = {{ user = \"Aladdin\", password_file = {password:?} }}");
        assert_eq!(headers(&toml).unwrap()[0].1, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
