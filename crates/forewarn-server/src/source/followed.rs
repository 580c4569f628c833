//! A file that is followed while it grows.

use super::{Minute, Minutes, Row, growing::GrowingText};
use crate::ServerError;
use forewarn_live::ServedModel;
use forewarn_schema::{Schema, Step};
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
        Self::of(path, model.metrics(), model.step())
    }

    fn of(path: PathBuf, metrics: &Schema, step: Step) -> Self {
        let text = GrowingText::new(path.display().to_string(), metrics.clone(), step);
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
            // What is late goes on before more is read, however much that is.
            if !self.read()? || self.text.has_late() {
                return Ok(None);
            }
        }
    }

    fn take_late(&mut self) -> Vec<Row> {
        self.text.take_late()
    }

    fn is_followed(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Write};

    fn row(minute: usize) -> String {
        format!("2026-01-01T00:{minute:02}:00Z,web,1,0,1,1,1,0,0,1,1,0\n")
    }

    fn drained(file: &mut FollowedFile) -> Vec<String> {
        std::iter::from_fn(|| file.next().unwrap())
            .map(|minute| minute.time.to_string()[14..16].to_owned())
            .collect()
    }

    #[test]
    fn it_is_read_from_where_it_was_and_from_its_beginning_when_it_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let header =
            Schema::v1().names().fold("timestamp,service".to_owned(), |text, name| text + "," + name) + "\n";
        fs::write(&path, &header).unwrap();
        let mut file = FollowedFile::of(path.clone(), &Schema::v1(), Step::MINUTE);
        assert!(drained(&mut file).is_empty() && file.is_followed());
        let append = |text: &str| {
            let mut file = File::options().append(true).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        append(&(row(0) + &row(1)));
        assert_eq!(drained(&mut file), ["00"]);
        let offset = file.offset;
        // Half of a row, and then the other half.
        let (begin, end) = (row(2)[..20].to_owned(), row(2)[20..].to_owned());
        append(&begin);
        assert!(drained(&mut file).is_empty());
        append(&end);
        assert_eq!(drained(&mut file), ["01"]);
        assert_eq!(file.offset, offset + row(2).len() as u64);
        fs::write(&path, header + &row(5)).unwrap();
        assert_eq!(drained(&mut file), ["02"]);
        append(&row(6));
        assert_eq!(drained(&mut file), ["05"]);
    }
}
