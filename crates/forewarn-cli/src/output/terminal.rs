//! Where results go: standard output, or a file that is there whole or not at all.

use crate::{
    error::CliError,
    output::{files::NewFile, printable},
};
use std::{
    io::{self, BufWriter, Stdout, Write},
    path::Path,
};

/// Prints a result to standard output.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(printable::text(text).as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// A place for many lines.
pub(crate) enum Sink {
    Stdout(BufWriter<Stdout>),
    File(NewFile),
}

impl Sink {
    /// A file, or standard output without one or for `-`.
    pub(crate) fn open(path: Option<&Path>, inputs: &[&Path]) -> Result<Self, CliError> {
        Ok(match path.filter(|path| *path != Path::new("-")) {
            None => Self::Stdout(BufWriter::new(io::stdout())),
            Some(path) => Self::File(NewFile::create(path, inputs)?),
        })
    }

    /// Says that everything has been written. A file gets its name only now.
    pub(crate) fn finish(self) -> Result<(), CliError> {
        match self {
            Self::Stdout(mut out) => Ok(out.flush()?),
            Self::File(file) => file.finish(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(file) => file.flush(),
        }
    }
}
