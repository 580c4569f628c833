//! What was said when services were silenced, in a file of the store: the engine's journal has who and until when, and
//! no words.

use crate::store::{Readers, replace};
use forewarn_core::{SMALL_FILE_BYTES, read_small_file};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The file, in the folder of the store.
const FILE: &str = "silences.json";

/// What was said when a service was silenced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SilenceNote {
    pub(crate) comment: String,
    pub(crate) by: String,
    /// The end of the silence that it is of: another silence has another note, or none.
    pub(crate) until: Timestamp,
}

/// The notes of silences, by service.
#[derive(Debug)]
pub(crate) struct SilenceNotes {
    path: PathBuf,
    notes: Mutex<BTreeMap<String, SilenceNote>>,
}

impl SilenceNotes {
    /// Reads the notes of the store in `folder`. Notes that cannot be read are left out, and the log says so: silences
    /// hold without them.
    pub(crate) fn open(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let notes = match read(&path) {
            Ok(notes) => notes,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "the comments of silences cannot be read");
                BTreeMap::new()
            }
        };
        Self { path, notes: Mutex::new(notes) }
    }

    /// The note of the silence of a service that ends then.
    pub(crate) fn find(&self, service: &str, until: Timestamp) -> Option<SilenceNote> {
        self.lock().get(service).filter(|note| note.until == until).cloned()
    }

    /// Keeps a note, and forgets those of silences that were over at `now`.
    ///
    /// # Errors
    /// What the system says where it is not on disk; it is kept in memory all the same.
    pub(crate) fn keep(&self, service: &str, note: SilenceNote, now: Timestamp) -> io::Result<()> {
        let mut notes = self.lock();
        notes.retain(|_, old| old.until > now);
        notes.insert(service.to_owned(), note);
        replace(&self.path, &serde_json::to_vec(&*notes)?, Readers::Usual)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SilenceNote>> {
        // Each change of the map is one call, so that a panic elsewhere leaves it whole.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> io::Result<BTreeMap<String, SilenceNote>> {
    match read_small_file(path, SMALL_FILE_BYTES) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(comment: &str, minute: i64) -> SilenceNote {
        SilenceNote { comment: comment.to_owned(), by: "ann".to_owned(), until: at(minute) }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(60_000 * minute).unwrap()
    }

    #[test]
    fn notes_outlive_the_process_and_are_those_of_their_silence() {
        let folder = tempfile::tempdir().unwrap();
        let notes = SilenceNotes::open(folder.path());
        notes.keep("cart", note("a deploy", 30), at(0)).unwrap();
        notes.keep("database", note("a migration", 60), at(10)).unwrap();
        let again = SilenceNotes::open(folder.path());
        assert_eq!(again.find("cart", at(30)), Some(note("a deploy", 30)));
        assert_eq!(again.find("cart", at(31)), None, "another silence");
        again.keep("auth", note("", 90), at(40)).unwrap();
        let later = SilenceNotes::open(folder.path());
        assert_eq!((later.find("cart", at(30)), later.find("database", at(60)).is_some()), (None, true));
    }

    #[test]
    fn a_damaged_file_costs_the_comments_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "{").unwrap();
        let notes = SilenceNotes::open(folder.path());
        assert_eq!(notes.find("cart", at(1)), None);
        notes.keep("cart", note("a deploy", 30), at(0)).unwrap();
        assert!(SilenceNotes::open(folder.path()).find("cart", at(30)).is_some());
    }
}
