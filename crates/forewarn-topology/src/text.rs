//! Reading TOML and JSON with the path of what is wrong.

use crate::TopologyError;
use forewarn_core::read_text_file;
use forewarn_schema::printable;
use serde::de::DeserializeOwned;
use std::path::Path;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Toml,
    Json,
}

impl Format {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Toml => "TOML",
            Self::Json => "JSON",
        }
    }

    fn unreadable(self, what: &'static str, field: &str, reason: &str) -> TopologyError {
        let (field, reason) = (printable(field), printable(reason));
        TopologyError::UnreadableFile { what, format: self.name(), field, reason }
    }
}

pub(crate) fn from_toml<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, TopologyError> {
    let unreadable = |field: &str, error: &toml::de::Error| {
        let place = error.span().map_or(String::new(), |span| {
            let line = text[..span.start].matches('\n').count() + 1;
            format!(" (line {line})")
        });
        Format::Toml.unreadable(what, field, &format!("{}{place}", error.message().trim_end()))
    };
    let document = toml::Deserializer::parse(text).map_err(|error| unreadable(".", &error))?;
    serde_path_to_error::deserialize(document)
        .map_err(|error| unreadable(&error.path().to_string(), error.inner()))
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, TopologyError> {
    let unreadable =
        |field: &str, error: &serde_json::Error| Format::Json.unreadable(what, field, &error.to_string());
    let mut document = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut document, &mut track);
    match T::deserialize(tracked) {
        Ok(value) => document.end().map(|()| value).map_err(|error| unreadable(".", &error)),
        Err(error) => Err(unreadable(&track.path().to_string(), &error)),
    }
}

/// A file's text, if it has no more than `most_bytes`.
pub(crate) fn read(path: &Path, most_bytes: u64) -> Result<String, TopologyError> {
    read_text_file(path, most_bytes)
        .map_err(|source| TopologyError::UnreadablePath { path: path.to_owned(), source })
}
