//! The tokens of a configuration, whose secrets come from files and the environment.

use crate::http::{KnownToken, TokenHash, Tokens, check_token};
use crate::{ServerError, TokenConfig};
use forewarn_core::read_text_file;
use forewarn_schema::printable;
use std::{collections::BTreeSet, env};

/// Most bytes of a file with a token.
const MOST_BYTES: u64 = 4 << 10;

/// Reads the secrets and keeps their hashes.
///
/// # Errors
/// [`ServerError::File`] for a file that cannot be read, [`ServerError::Config`] for what is no token or is there
/// twice. Neither has a secret in it.
pub(crate) fn read_tokens(configs: &[TokenConfig]) -> Result<Tokens, ServerError> {
    let (mut names, mut hashes) = (BTreeSet::new(), BTreeSet::new());
    let mut tokens = Vec::with_capacity(configs.len());
    for config in configs {
        let wrong = |reason: &str| {
            let name = printable(&config.name);
            ServerError::Config { reason: format!("token {name:?}: {reason}") }
        };
        let hash = hash(config, &wrong)?;
        let is_name = (1..=100).contains(&config.name.len()) && !config.name.contains(char::is_control);
        if !is_name {
            return Err(wrong("expected a name of 1 to 100 bytes without control characters"));
        }
        if !names.insert(config.name.as_str()) || !hashes.insert(hash) {
            return Err(wrong("another one has the same name or secret; expected one of its own"));
        }
        tokens.push(KnownToken { name: config.name.clone(), role: config.role, hash });
    }
    Ok(Tokens::new(tokens))
}

fn hash(config: &TokenConfig, wrong: &dyn Fn(&str) -> ServerError) -> Result<TokenHash, ServerError> {
    if let Some(hex) = &config.sha256 {
        return TokenHash::from_hex(hex).ok_or_else(|| wrong("sha256: expected 64 hexadecimal digits"));
    }
    let secret = match (&config.file, &config.env) {
        (Some(path), _) => {
            let text = read_text_file(path, MOST_BYTES);
            text.map_err(|source| ServerError::File { path: path.clone(), source })?
        }
        (None, Some(variable)) => {
            let missing = format!("the environment variable {:?} is not set", printable(variable));
            env::var(variable).map_err(|_| wrong(&missing))?
        }
        (None, None) => return Err(wrong("expected exactly one of sha256, file and env")),
    };
    let secret = secret.trim();
    check_token(secret).map_err(wrong)?;
    Ok(TokenHash::of(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;
    use std::path::PathBuf;

    const SECRET: &str = "0123456789012345678901234567890123456789012345";

    fn config(name: &str) -> TokenConfig {
        let hash = TokenHash::of(name).to_string();
        TokenConfig { name: name.to_owned(), role: Role::Viewer, sha256: Some(hash), file: None, env: None }
    }

    fn from_file(path: PathBuf) -> TokenConfig {
        TokenConfig { sha256: None, file: Some(path), ..config("from file") }
    }

    #[test]
    fn secrets_are_read_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, format!("{SECRET}\n")).unwrap();
        let tokens = read_tokens(&[config("by hash"), from_file(path)]).unwrap();
        assert_eq!(tokens.find(SECRET).map(|known| known.name.as_str()), Some("from file"));
        assert_eq!(tokens.find("by hash").map(|known| known.name.as_str()), Some("by hash"));
        assert!(!format!("{tokens:?}").contains(SECRET));
    }

    #[test]
    fn what_is_no_token_is_named_without_its_secret() {
        let folder = tempfile::tempdir().unwrap();
        let short = folder.path().join("short");
        std::fs::write(&short, "hunter2").unwrap();
        let missing = TokenConfig { sha256: None, env: Some("FOREWARN_NOT_SET".to_owned()), ..config("env") };
        let wrong_hash = TokenConfig { sha256: Some("hunter2".to_owned()), ..config("hash") };
        for (configs, told) in [
            (vec![from_file(short)], "43 to 512"),
            (vec![missing], "FOREWARN_NOT_SET"),
            (vec![wrong_hash], "64 hexadecimal digits"),
            (vec![config("a"), config("a")], "same name"),
            (vec![TokenConfig { name: String::new(), ..config("a") }], "1 to 100 bytes"),
            (vec![from_file(folder.path().join("none"))], "none"),
        ] {
            let error = read_tokens(&configs).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("hunter2"), "{error}");
        }
    }
}
