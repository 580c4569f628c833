//! Files that are there whole or not at all, and never in place of an input.

use crate::error::CliError;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// A file that is written beside its place and gets its name when it is complete.
pub(crate) struct NewFile {
    place: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
}

impl NewFile {
    /// Begins a file that is to replace whatever lies at `place`, which must not be one of `inputs`.
    pub(crate) fn create(place: &Path, inputs: &[&Path]) -> Result<Self, CliError> {
        expect_no_input(place, inputs)?;
        let cannot = |path: &Path, error: io::Error| {
            CliError::Failed(format!("{}: cannot be written: {error}", path.display()))
        };
        if place.is_dir() {
            return Err(CliError::Failed(format!("{}: is a folder; name a file in it", place.display())));
        }
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
        }
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let temporary = place.with_file_name(name);
        let file = File::create(&temporary).map_err(|error| cannot(place, error))?;
        Ok(Self { place: place.to_owned(), temporary, file: Some(BufWriter::new(file)) })
    }

    /// Gives the file its name, once all of it is on the disk.
    pub(crate) fn finish(mut self) -> Result<(), CliError> {
        let cannot = |error: io::Error| {
            CliError::Failed(format!("{}: cannot be written: {error}", self.place.display()))
        };
        if let Some(mut writer) = self.file.take() {
            writer.flush().and_then(|()| writer.get_ref().sync_all()).map_err(cannot)?;
        }
        fs::rename(&self.temporary, &self.place).map_err(cannot)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Some(file) => file.write(bytes),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // After `finish` it has another name, and there is nothing to remove.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Refuses to write to a file that is read.
pub(crate) fn expect_no_input(output: &Path, inputs: &[&Path]) -> Result<(), CliError> {
    let Ok(output_place) = fs::canonicalize(output) else { return Ok(()) };
    for input in inputs {
        if fs::canonicalize(input).is_ok_and(|input| input == output_place) {
            return Err(CliError::Failed(format!(
                "{}: is an input of this command and would be overwritten; choose another name",
                output.display()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("new/out.csv");
        let mut file = NewFile::create(&place, &[]).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert!(!place.exists());
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 0);
        let mut file = NewFile::create(&place, &[]).unwrap();
        file.write_all(b"whole").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1);
    }

    #[test]
    fn an_input_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("metrics.csv");
        fs::write(&input, "timestamp").unwrap();
        let detour = folder.path().join(".").join("metrics.csv");
        assert!(matches!(NewFile::create(&detour, &[&input]), Err(CliError::Failed(_))));
        assert_eq!(fs::read(&input).unwrap(), b"timestamp");
    }
}
