mod file;
mod head;

pub use file::StateReader;

use crate::{
    Fingerprints, StoreError,
    disk::{Disk, remove},
    error::{damaged, failed},
};
use file::Verified;
pub(crate) use head::Head;
use std::{
    fmt,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// States of the engine on disk, the last few.
///
/// A checkpoint is written beside its place, synced and renamed: one that has its name is whole, unless the disk
/// damages it.
#[derive(Debug)]
pub struct Checkpoints {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    keep: usize,
    /// Positions of the files, in order; the damaged ones that were met are not among them.
    positions: Vec<u64>,
    damaged: Vec<(PathBuf, StoreError)>,
}

/// A checkpoint on disk that was read from end to end and found whole.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    pub(crate) head: Head,
    state_bytes: u64,
}

impl Checkpoint {
    /// The first record that is not in the state: a replay begins here.
    pub const fn next_seq(&self) -> u64 {
        self.head.next_seq
    }

    /// What the state belongs to. Compare them before it is read: [`Fingerprints::check`].
    pub const fn fingerprints(&self) -> &Fingerprints {
        &self.head.fingerprints
    }

    /// The size of the state in bytes.
    pub const fn state_bytes(&self) -> u64 {
        self.state_bytes
    }

    /// Opens the state for reading.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn state(&self) -> Result<StateReader, StoreError> {
        StateReader::open(&*self.disk, &self.path, self.state_bytes)
    }
}

impl Checkpoints {
    /// Opens the folder, or creates it, and looks for the last checkpoint that is whole. Older ones are not read.
    ///
    /// # Errors
    /// [`StoreError::File`]; [`StoreError::NewerVersion`], which is not passed over: the state of a later release
    /// would be lost in silence.
    pub fn open(
        disk: Arc<dyn Disk>,
        folder: &Path,
        keep: usize,
    ) -> Result<(Self, Option<Checkpoint>), StoreError> {
        disk.create_folder(folder).map_err(failed(folder, "creating"))?;
        let mut positions = Vec::new();
        for name in disk.list(folder).map_err(failed(folder, "reading"))? {
            if name.ends_with(file::TEMPORARY) {
                remove(&*disk, &folder.join(&name))?;
            } else if let Some(next_seq) = file::next_seq_of(&name) {
                positions.push(next_seq);
            }
        }
        let mut checkpoints = Self { disk, folder: folder.to_owned(), keep, positions, damaged: Vec::new() };
        let last = checkpoints.find_last()?;
        Ok((checkpoints, last))
    }

    fn find_last(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        while let Some(&next_seq) = self.positions.last() {
            let path = file::path(&self.folder, next_seq);
            match file::verify(&*self.disk, &path)? {
                Verified::Good { head, state_bytes } if head.next_seq == next_seq => {
                    return Ok(Some(Checkpoint { disk: Arc::clone(&self.disk), path, head, state_bytes }));
                }
                Verified::Good { .. } => {
                    let error = damaged(&path, 16, "the header belongs to a checkpoint of another name");
                    self.pass_over(path, error);
                }
                Verified::Damaged(error) => self.pass_over(path, error),
            }
        }
        Ok(None)
    }

    fn pass_over(&mut self, path: PathBuf, error: StoreError) {
        self.positions.pop();
        self.damaged.push((path, error));
    }

    /// A writer of one checkpoint, which may go to another thread.
    pub(crate) fn writer(&self, head: Head) -> CheckpointWriter {
        CheckpointWriter { disk: Arc::clone(&self.disk), folder: self.folder.clone(), head }
    }

    /// Counts a checkpoint in and removes damaged and surplus ones. Gives the position of the oldest that stays.
    pub(crate) fn finish(&mut self, saved: &SavedCheckpoint) -> Result<u64, StoreError> {
        self.damaged.retain(|(path, _)| *path != file::path(&self.folder, saved.next_seq));
        if let Err(place) = self.positions.binary_search(&saved.next_seq) {
            self.positions.insert(place, saved.next_seq);
        }
        while let Some((path, _)) = self.damaged.last() {
            remove(&*self.disk, path)?;
            self.damaged.pop();
        }
        while self.positions.len() > self.keep {
            remove(&*self.disk, &file::path(&self.folder, self.positions[0]))?;
            self.positions.remove(0);
        }
        self.disk.sync_folder(&self.folder).map_err(failed(&self.folder, "syncing"))?;
        Ok(self.positions.first().copied().unwrap_or(saved.next_seq))
    }

    /// Positions of the checkpoints on disk, in order.
    pub fn positions(&self) -> &[u64] {
        &self.positions
    }

    /// What is wrong with the checkpoints that were found damaged and passed over when the folder was opened, the
    /// newest first. The next checkpoint removes them.
    pub fn damaged(&self) -> impl ExactSizeIterator<Item = &StoreError> {
        self.damaged.iter().map(|(_, error)| error)
    }
}

/// Writes one checkpoint. Made by [`Store::begin_checkpoint`](crate::Store::begin_checkpoint); it may go to another
/// thread, so that the minute goes on while a large state is written.
#[must_use = "a checkpoint is not there until it is written"]
pub struct CheckpointWriter {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    head: Head,
}

impl fmt::Debug for CheckpointWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckpointWriter").field("head", &self.head).finish_non_exhaustive()
    }
}

/// A checkpoint that is on disk. Hand it to [`Store::finish_checkpoint`](crate::Store::finish_checkpoint), which
/// drops what it replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "older checkpoints and records stay until the store knows of it"]
#[non_exhaustive]
pub struct SavedCheckpoint {
    /// The first record that is not in the state.
    pub next_seq: u64,
    /// The size of the state.
    pub state_bytes: u64,
}

impl CheckpointWriter {
    /// Writes the checkpoint: `state` writes the bytes of the state, of any number. They need no buffer.
    ///
    /// # Errors
    /// [`StoreError::File`], also for an error that `state` gives. Nothing has changed then: the checkpoints before
    /// are there.
    pub fn write(
        self,
        state: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<SavedCheckpoint, StoreError> {
        let next_seq = self.head.next_seq;
        let path = file::path(&self.folder, next_seq);
        let temporary = file::temporary(&self.folder, next_seq);
        let mut out = self.disk.create(&temporary).map_err(failed(&temporary, "creating"))?;
        let state_bytes = match file::write(&mut *out, &self.head, state) {
            Ok(state_bytes) => state_bytes,
            Err(error) => {
                // Room on a full disk. What cannot be removed goes when the store is opened again.
                self.disk.remove(&temporary).ok();
                return Err(failed(&temporary, "writing")(error));
            }
        };
        self.disk.rename(&temporary, &path).map_err(failed(&path, "renaming"))?;
        self.disk.sync_folder(&self.folder).map_err(failed(&self.folder, "syncing"))?;
        Ok(SavedCheckpoint { next_seq, state_bytes })
    }
}
