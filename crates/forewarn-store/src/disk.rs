//! The file layer: the few operations that everything here is made of.

mod real;
pub mod simulated;

pub use real::RealDisk;

use crate::{StoreError, error::failed};
use std::{fmt, io, path::Path};

/// A place for files, a real one or a [simulated](simulated::SimulatedDisk) one.
///
/// What is written is promised to survive a loss of power only after [`DiskFile::sync`]; names that were created,
/// renamed or removed only after [`sync_folder`](Self::sync_folder).
pub trait Disk: fmt::Debug + Send + Sync {
    /// Creates a folder with its parents, durably. One that exists already is no error.
    ///
    /// # Errors
    /// The system's.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// The names of the files in a folder, in order. Names that are not UTF-8 are left out: none of ours.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Opens an empty file for writing. One that exists loses its content.
    ///
    /// # Errors
    /// The system's.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens an existing file.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::NotFound`] where there is none.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name in the same folder, in one step, and replaces what had it.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// The system's.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Locks a file, which is created where it is missing, until the guard is dropped or the process ends.
    /// `None` where somebody else holds it.
    ///
    /// # Errors
    /// The system's.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskLock>>>;
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// For reading only.
    Read,
    /// For reading and writing.
    Write,
}

/// An open file.
pub trait DiskFile: fmt::Debug + Send {
    /// Its size in bytes.
    ///
    /// # Errors
    /// The system's.
    fn size(&mut self) -> io::Result<u64>;

    /// Reads at `offset`; fewer bytes than asked for are no error, 0 is the end of the file.
    ///
    /// # Errors
    /// The system's.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes at `offset`, maybe fewer bytes than given.
    ///
    /// # Errors
    /// The system's.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts the file to `size` bytes.
    ///
    /// # Errors
    /// The system's.
    fn truncate(&mut self, size: u64) -> io::Result<()>;

    /// Makes the content durable, that of other handles of the same file included. After an error what was written
    /// since the last success may be lost although a later sync succeeds.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;
}

/// Holds a lock until it is dropped.
pub trait DiskLock: fmt::Debug + Send {}

/// Removes a file; one that is gone already is no error.
pub(crate) fn remove(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    match disk.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(failed(path, "removing")),
    }
}

/// Writes all bytes.
pub(crate) fn write_all_at(file: &mut dyn DiskFile, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(offset, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset += written as u64;
                bytes = bytes.get(written..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills `into`, or fails with [`io::ErrorKind::UnexpectedEof`].
pub(crate) fn read_exact_at(file: &mut dyn DiskFile, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        match file.read_at(offset, into) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                offset += read as u64;
                into = into.get_mut(read..).unwrap_or_default();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
