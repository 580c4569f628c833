use crate::IoError;
use forewarn_core::table::Content;
pub(crate) use forewarn_core::table::{Unpacked as Opened, unpack};
use std::{fs, io::Read, path::Path};

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

/// Opens a file and unpacks its first bytes, which say what it holds; refuses one that is named as Parquet and is not.
pub(crate) fn open_unpacked(path: &Path) -> Result<Opened<Box<dyn Read>>, IoError> {
    let file = || path.display().to_string();
    let opened = unpack(open(path)?).map_err(|source| IoError::Read { file: file(), source })?;
    if is_named_parquet(path) && !matches!(opened.content, Content::Parquet | Content::Empty) {
        return Err(IoError::NotParquet { file: file(), looks_like: opened.content.looks_like() });
    }
    Ok(opened)
}

fn is_named_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("parquet") || extension.eq_ignore_ascii_case("pq")
    })
}
