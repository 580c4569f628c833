//! Files that are written whole or not at all.

use crate::ExperimentError;
use forewarn_core::Envelope;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process,
};

/// Checks that a report can be written into `folder` before hours are spent on it, and makes the folders above it.
/// The folder itself is made when there is something to put into it. `inputs` are files that must not be replaced.
///
/// # Errors
/// [`ExperimentError::Write`] for a folder that cannot be made or written to, [`ExperimentError::WouldOverwrite`]
/// where a file of the report would replace an input.
pub fn prepare_folder(folder: &Path, inputs: &[&Path]) -> Result<(), ExperimentError> {
    for name in crate::Results::FILES {
        refuse_input(&folder.join(name), inputs)?;
    }
    Partial::folder(folder).map(drop)
}

/// Checks that a file can be written to `path`, and makes the folders above it. `inputs` are files that must not be
/// replaced.
///
/// # Errors
/// [`ExperimentError::Write`] for a path that cannot be written to, [`ExperimentError::WouldOverwrite`] for one of
/// the inputs.
pub fn prepare_file(path: &Path, inputs: &[&Path]) -> Result<(), ExperimentError> {
    refuse_input(path, inputs)?;
    if is_special(path) {
        return Ok(());
    }
    let (partial, file) = Partial::file(path)?;
    drop(file);
    drop(partial);
    Ok(())
}

/// Writes a saved model to `path` as [`write_file`] does.
///
/// # Errors
/// As [`write_file`]; [`ExperimentError::Core`] for an envelope that cannot be written.
pub fn write_model(path: &Path, envelope: &Envelope, inputs: &[&Path]) -> Result<(), ExperimentError> {
    let mut bytes = Vec::new();
    envelope.write(&mut bytes)?;
    write_file(path, inputs, |writer| writer.write_all(&bytes))
}

/// Writes a file whole or not at all: beside its place under a name that ends in `.partial`, then, when everything
/// has reached the disk, under its own name. A link is followed. What is not a file, such as a pipe or a device, is
/// written to directly.
///
/// # Errors
/// [`ExperimentError::WouldOverwrite`] for one of `inputs`, also under another name or through a link;
/// [`ExperimentError::Write`] with what went wrong, after which the earlier file, if there was one, is as it was.
pub fn write_file(
    path: &Path,
    inputs: &[&Path],
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ExperimentError> {
    refuse_input(path, inputs)?;
    if is_special(path) {
        let written = File::options().write(true).open(path).and_then(|mut file| {
            write(&mut file)?;
            file.flush()
        });
        return written.map_err(cannot(path));
    }
    let target = resolved(path);
    let (mut partial, file) = Partial::file(path)?;
    fill(file, write).and_then(|()| fs::rename(&partial.path, &target)).map_err(cannot(path))?;
    partial.is_done = true;
    sync_folder(parent(&target));
    Ok(())
}

/// A report folder in the making: files are written beside their place, and take it together.
pub(crate) struct Folder {
    folder: PathBuf,
    partial: Partial,
    names: Vec<&'static str>,
}

impl Folder {
    pub(crate) fn new(folder: &Path) -> Result<Self, ExperimentError> {
        Ok(Self { folder: folder.to_owned(), partial: Partial::folder(folder)?, names: Vec::new() })
    }

    /// Writes one of its files; the folder does not show it yet.
    pub(crate) fn write(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), ExperimentError> {
        let file = File::create_new(self.partial.path.join(name));
        file.and_then(|file| fill(file, write)).map_err(cannot(&self.folder.join(name)))?;
        self.names.push(name);
        Ok(())
    }

    /// Puts the files in their place: a new folder appears with all of them; in one that is there already each file
    /// takes the place of its predecessor, and all others stay.
    pub(crate) fn finish(mut self) -> Result<(), ExperimentError> {
        sync_folder(&self.partial.path);
        if !self.folder.exists() {
            fs::rename(&self.partial.path, &self.folder).map_err(cannot(&self.folder))?;
            self.partial.is_done = true;
            sync_folder(parent(&self.folder));
            return Ok(());
        }
        for name in &self.names {
            let place = self.folder.join(name);
            fs::rename(self.partial.path.join(name), &place).map_err(cannot(&place))?;
        }
        sync_folder(&self.folder);
        Ok(())
    }
}

/// Something that is not whole yet. It is removed when it is dropped, unless it has got its name.
struct Partial {
    path: PathBuf,
    is_done: bool,
}

impl Partial {
    /// A new folder within `folder`, where that exists (it may be a file system of its own), or beside it.
    fn folder(folder: &Path) -> Result<Self, ExperimentError> {
        let within = if folder.exists() { folder } else { parent(folder) };
        fs::create_dir_all(within).map_err(cannot(folder))?;
        let (partial, ()) = Self::new(&within.join("forewarn-report"), |path| fs::create_dir(path))
            .map_err(cannot(folder))?;
        Ok(partial)
    }

    /// A new file beside `path`.
    fn file(path: &Path) -> Result<(Self, File), ExperimentError> {
        let target = resolved(path);
        if target.is_dir() {
            return Err(cannot(path)(io::ErrorKind::IsADirectory.into()));
        }
        fs::create_dir_all(parent(&target)).map_err(cannot(path))?;
        Self::new(&target, |path| File::create_new(path)).map_err(cannot(path))
    }

    /// Made by `make` under a name of its own: another process may have the same number, in a container say, and may
    /// have been killed.
    fn new<T>(of: &Path, make: impl Fn(&Path) -> io::Result<T>) -> io::Result<(Self, T)> {
        let name = of.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        for attempt in 0..1000 {
            let path = of.with_file_name(format!(".{name}.{}-{attempt}.partial", process::id()));
            match make(&path) {
                Ok(made) => return Ok((Self { path, is_done: false }, made)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_done {
            // What cannot be removed stays under its `.partial` name, which says what it is.
            let _ = fs::remove_dir_all(&self.path).or_else(|_| fs::remove_file(&self.path));
        }
    }
}

/// Writes through a buffer and waits until the disk has it.
fn fill(file: File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    writer.into_inner()?.sync_all()
}

/// Makes renames last. Not every system can, and the files themselves are safe without.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Refuses to replace an input.
pub(crate) fn refuse_input(path: &Path, inputs: &[&Path]) -> Result<(), ExperimentError> {
    let Ok(target) = path.canonicalize() else { return Ok(()) };
    match inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == target)) {
        // Reading from and writing to one terminal or null device is fine.
        true if !is_special(path) => Err(ExperimentError::WouldOverwrite { path: path.to_owned() }),
        _ => Ok(()),
    }
}

/// Whether something is there that is neither a file nor a folder.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Where a link leads.
fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The folder that something lies in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn cannot(path: &Path) -> impl FnOnce(io::Error) -> ExperimentError {
    let path = path.to_owned();
    move |source| ExperimentError::Write { path, source }
}

#[cfg(test)]
mod tests;
