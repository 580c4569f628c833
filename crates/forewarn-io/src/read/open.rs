use crate::IoError;
pub(crate) use forewarn_core::table::{Unpacked as Opened, unpack};
use std::{fs, path::Path};

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
