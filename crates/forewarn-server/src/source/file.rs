use super::{
    Minute, Minutes, Row,
    late::{added, has_value, row_at},
};
use crate::ServerError;
use forewarn_io::ReadOptions;
use forewarn_live::ServedModel;
use forewarn_schema::{FrameSet, Schema, Step, Timestamp};
use std::{fs, path::PathBuf};

/// A metrics file, minute by minute. One that is followed is read again when it has grown; its newest minute is held
/// back until a later one has come, since rows of it may still be missing.
pub(super) struct MetricsFile {
    path: PathBuf,
    metrics: Schema,
    step: Step,
    frames: FrameSet,
    /// Position of each metric of the model among the columns.
    columns: Vec<usize>,
    next: Option<Timestamp>,
    follow: bool,
    bytes: u64,
    /// Rows of minutes that had been given when the file was read again.
    late: Vec<Row>,
}

impl MetricsFile {
    pub(super) fn open(path: PathBuf, follow: bool, model: &ServedModel) -> Result<Self, ServerError> {
        let (metrics, step) = (model.metrics().clone(), model.step());
        let bytes = size(&path)?;
        let (frames, columns) = read(&path, &metrics, step)?;
        let next = frames.layout().span().map(|(first, _)| first);
        Ok(Self { path, metrics, step, frames, columns, next, follow, bytes, late: Vec::new() })
    }

    /// First time after the last minute that may be given.
    fn end(&self) -> Option<Timestamp> {
        let (_, end) = self.frames.layout().span()?;
        if self.follow { end.checked_add(self.step, -1) } else { Some(end) }
    }

    /// Reads the file again if it has grown.
    fn refresh(&mut self) -> Result<(), ServerError> {
        let bytes = size(&self.path)?;
        if self.follow && bytes != self.bytes {
            let (frames, columns) = read(&self.path, &self.metrics, self.step)?;
            if let Some(next) = self.next {
                let values = |row: &[f32]| columns.iter().map(|&column| row[column]).collect();
                self.late.extend(added(Some(&self.frames), &frames, values, |time| time < next));
            }
            (self.frames, self.columns, self.bytes) = (frames, columns, bytes);
        }
        Ok(())
    }
}

fn size(path: &std::path::Path) -> Result<u64, ServerError> {
    let metadata =
        fs::metadata(path).map_err(|source| ServerError::File { path: path.to_owned(), source })?;
    Ok(metadata.len())
}

fn read(path: &PathBuf, metrics: &Schema, step: Step) -> Result<(FrameSet, Vec<usize>), ServerError> {
    let frames = forewarn_io::read(path, &ReadOptions::default())?.frames;
    let lacks = |reason| ServerError::Source { what: path.display().to_string(), reason };
    let columns = metrics.names().map(|name| frames.schema().index_of(name)).collect::<Result<Vec<_>, _>>();
    let columns = columns.map_err(|error| lacks(format!("the model reads what it lacks: {error}")))?;
    if frames.layout().step() != step {
        return Err(lacks(format!(
            "rows are {} s apart, and the model was trained on rows {} s apart",
            frames.layout().step().millis() as f64 / 1000.0,
            step.millis() as f64 / 1000.0
        )));
    }
    Ok((frames, columns))
}

impl Minutes for MetricsFile {
    fn next(&mut self) -> Result<Option<Minute>, ServerError> {
        let Some(time) = self.next else { return Ok(None) };
        if self.end().is_none_or(|end| time >= end) {
            self.refresh()?;
            if self.end().is_none_or(|end| time >= end) {
                return Ok(None);
            }
        }
        let mut rows = Vec::new();
        for frame in self.frames.frames() {
            // A row without any value is one that never came.
            let Some(row) = row_at(frame, time).filter(|row| has_value(row)) else {
                continue;
            };
            rows.push((frame.service().to_owned(), self.columns.iter().map(|&column| row[column]).collect()));
        }
        self.next = time.checked_add(self.step, 1);
        Ok(Some(Minute { time, rows }))
    }

    fn take_late(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.late)
    }

    fn is_followed(&self) -> bool {
        self.follow
    }
}
