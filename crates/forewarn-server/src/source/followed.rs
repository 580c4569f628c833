//! A file that is followed while it grows.

use super::{Minute, Minutes, growing::GrowingText};
use crate::ServerError;
use forewarn_live::ServedModel;
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
};

/// Bytes that are read at once.
const PIECE_BYTES: usize = 4 << 20;

/// CSV or JSON lines in a file. Only what is new is read; one that has become shorter is read from its beginning, since
/// it is another file under the same name.
pub(super) struct FollowedFile {
    path: PathBuf,
    /// Bytes that have been read.
    offset: u64,
    text: GrowingText,
}

impl FollowedFile {
    pub(super) fn new(path: PathBuf, model: &ServedModel) -> Self {
        let text = GrowingText::new(path.display().to_string(), model.metrics().clone(), model.step());
        Self { path, offset: 0, text }
    }

    /// Reads the next piece; whether there was one.
    fn read(&mut self) -> Result<bool, ServerError> {
        let cannot = |source| ServerError::File { path: self.path.clone(), source };
        let mut file = File::open(&self.path).map_err(cannot)?;
        let bytes = file.metadata().map_err(cannot)?.len();
        if bytes < self.offset {
            self.offset = 0;
            self.text.begin_again();
        }
        if bytes == self.offset {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(self.offset)).map_err(cannot)?;
        let mut piece = Vec::new();
        file.take(PIECE_BYTES as u64).read_to_end(&mut piece).map_err(cannot)?;
        self.offset += piece.len() as u64;
        self.text.push(&piece)?;
        Ok(!piece.is_empty())
    }
}

impl Minutes for FollowedFile {
    fn next(&mut self) -> Result<Option<Minute>, ServerError> {
        loop {
            if let Some(minute) = self.text.next(false) {
                return Ok(Some(minute));
            }
            if !self.read()? {
                return Ok(None);
            }
        }
    }

    fn is_followed(&self) -> bool {
        true
    }
}
