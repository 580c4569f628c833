use crate::{
    IoError, ReadOptions, Recording, csv,
    sniff::{Content, sniff, take_prefix},
};
use std::{fs, io::Read, path::Path};

/// Reads a recording from a file, CSV or Parquet by its content.
///
/// A file that begins with Parquet's magic number is Parquet whatever its name; one that is called `.parquet` or `.pq`
/// and does not is an error; everything else is read as CSV. See [`csv::read_from`](crate::csv::read_from) for what a CSV
/// file may look like.
///
/// # Errors
/// [`IoError`], with the file, the row and the column in question.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Recording, IoError> {
    let path = path.as_ref();
    let mut file = open(path)?;
    let name = path.display().to_string();
    let prefix = take_prefix(&mut file).map_err(|source| IoError::Read { file: name.clone(), source })?;
    let content = sniff(&prefix);
    let named_parquet = path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("parquet") || extension.eq_ignore_ascii_case("pq")
    });
    match content {
        Content::Empty => Err(IoError::Empty { file: name }),
        Content::Parquet => read_parquet(path, options),
        _ if named_parquet => Err(IoError::NotParquet { file: name, looks_like: content.looks_like() }),
        _ => csv::read_from(prefix.as_slice().chain(file), &name, options),
    }
}

/// Opens a file that is not a directory.
pub(crate) fn open(path: &Path) -> Result<fs::File, IoError> {
    let name = || path.display().to_string();
    let refuse = |source| IoError::Open { file: name(), source };
    let file = fs::File::open(path).map_err(refuse)?;
    if file.metadata().map_err(refuse)?.is_dir() {
        return Err(IoError::Directory { file: name() });
    }
    Ok(file)
}

#[cfg(feature = "parquet")]
fn read_parquet(path: &Path, options: &ReadOptions) -> Result<Recording, IoError> {
    crate::parquet::read(path, options)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(path: &Path, _: &ReadOptions) -> Result<Recording, IoError> {
    Err(IoError::ParquetDisabled { file: path.display().to_string() })
}
