//! Small files that are always whole: another content is written beside, and takes the place of the old one.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the system lets.
    Usual,
    /// Its owner alone, where the system knows owners.
    Owner,
}

/// Gives the file another content, once that is on the disk.
///
/// # Errors
/// What the system says; the file is as it was then.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
