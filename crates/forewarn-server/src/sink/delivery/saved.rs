//! What a way out keeps on disk: a file that is always whole.

use crate::sink::TargetKind;
use crate::{
    ServerError,
    store::{Readers, replace},
    text::percent_encoded,
};
use forewarn_core::{SMALL_FILE_BYTES, read_small_file};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The file of one target, and what it had at the start.
#[derive(Debug)]
pub(crate) struct SavedState {
    path: PathBuf,
    found: Option<Vec<u8>>,
    /// Whether the last write failed.
    pub(crate) is_failing: bool,
}

impl SavedState {
    /// The file of the target of this kind and name.
    ///
    /// # Errors
    /// [`ServerError::File`] when it is there and cannot be read.
    pub(crate) fn open(folder: &Path, kind: TargetKind, name: &str) -> Result<Self, ServerError> {
        let path = folder.join(format!("{}-{}.json", kind.word(), percent_encoded(name)));
        let found = match read_small_file(&path, SMALL_FILE_BYTES) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(ServerError::File { path, source }),
        };
        Ok(Self { path, found, is_failing: false })
    }

    /// What was found at the start.
    pub(crate) fn read(&self) -> Option<&[u8]> {
        self.found.as_deref()
    }

    /// Whether there was none at the start.
    pub(crate) fn is_new(&self) -> bool {
        self.found.is_none()
    }

    /// That what was found cannot be used.
    pub(crate) fn damaged(&self, error: &serde_json::Error) -> ServerError {
        let reason = format!(
            "{}: cannot be understood: {error}; remove it to begin again, which may tell of alerts twice",
            self.path.display()
        );
        ServerError::Config { reason }
    }

    /// Writes another content beside it, and puts that in its place.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), ServerError> {
        let written = self.replace(bytes);
        self.is_failing = written.is_err();
        written.map_err(|source| ServerError::File { path: self.path.clone(), source })
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        fs::create_dir_all(folder)?;
        replace(&self.path, bytes, Readers::Usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_content_is_read_again_and_names_are_safe_in_paths() {
        let folder = tempfile::tempdir().unwrap();
        let open = || SavedState::open(folder.path(), TargetKind::Webhook, "../chat:1/ä").unwrap();
        let mut state = open();
        assert!(state.is_new() && state.read().is_none());
        state.write(b"one").unwrap();
        state.write(b"two").unwrap();
        assert_eq!(open().read(), Some(&b"two"[..]));
        let names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["webhook-..%2Fchat%3A1%2F%C3%A4.json"]);
        drop(folder);
        assert!(state.write(b"three").is_ok(), "the folder is made again");
    }
}
