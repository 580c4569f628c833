use crate::{ReadOptions, ReadSummary, read};
use forewarn_core::{CoreError, Source};
use forewarn_schema::{FrameSet, printable};
use std::path::PathBuf;

/// A file as a [`Source`] of metrics.
#[derive(Clone, Debug)]
pub struct FileSource {
    path: PathBuf,
    options: ReadOptions,
    summary: Option<ReadSummary>,
}

impl FileSource {
    /// The file at `path`, which is opened when its frames are asked for.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, options: ReadOptions) -> Self {
        Self { path: path.into(), options, summary: None }
    }

    /// What the last reading found, with its notes; `None` before the first, and after one that failed.
    #[must_use]
    pub fn summary(&self) -> Option<&ReadSummary> {
        self.summary.as_ref()
    }
}

impl Source for FileSource {
    fn describe(&self) -> String {
        printable(&self.path.display().to_string())
    }

    fn frames(&mut self) -> Result<FrameSet, CoreError> {
        self.summary = None;
        let recording = read(&self.path, &self.options).map_err(|error| CoreError::Outside {
            what: "reading the recording".to_owned(),
            source: Box::new(error),
        })?;
        self.summary = Some(recording.summary);
        Ok(recording.frames)
    }
}
