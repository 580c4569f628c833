use super::{Minute, Minutes, Row};
use crate::ServerError;
use forewarn_io::ReadOptions;
use forewarn_live::ServedModel;
use forewarn_schema::{FrameSet, FrameView, Schema, Step, Timestamp};
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
                self.late.extend(added(&self.frames, &frames, &columns, next));
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

/// Rows before `end` of a file that was read again which it had not before.
fn added<'a>(
    before: &'a FrameSet,
    now: &'a FrameSet,
    columns: &'a [usize],
    end: Timestamp,
) -> impl Iterator<Item = Row> + 'a {
    let has_value = |row: &[f32]| row.iter().any(|value| !value.is_nan());
    now.frames().flat_map(move |frame| {
        let before = before.frames().find(|before| before.service() == frame.service());
        let known = move |time| before.and_then(|frame| row_at(frame, time)).is_some_and(has_value);
        let rows = (0..frame.rows()).map(move |row| (frame.time(row), frame.row(row).unwrap_or_default()));
        let rows = rows.take_while(move |&(time, _)| time < end);
        let new = rows.filter(move |&(time, row)| has_value(row) && !known(time));
        new.map(move |(time, row)| {
            let values = columns.iter().map(|&column| row[column]).collect();
            Row { time, service: frame.service().to_owned(), values }
        })
    })
}

/// The row of a time.
fn row_at(frame: FrameView<'_>, time: Timestamp) -> Option<&[f32]> {
    let steps = (time.millis() - frame.start().millis()).div_euclid(frame.step().millis());
    usize::try_from(steps).ok().and_then(|row| frame.row(row))
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
            let Some(row) = row_at(frame, time).filter(|row| row.iter().any(|value| !value.is_nan())) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_a_file_had_not_before_are_late() {
        let read = |rows: &[&str]| {
            let text = format!("timestamp,service,cpu,memory\n{}", rows.join("\n"));
            forewarn_io::read_from(text.as_bytes(), "metrics.csv", &ReadOptions::default()).unwrap().frames
        };
        let before =
            ["2026-01-01T00:00:00Z,web,1,5", "2026-01-01T00:01:00Z,web,2,", "2026-01-01T00:03:00Z,web,4,8"];
        let late = ["2026-01-01T00:02:00Z,web,3,7", "2026-01-01T00:01:00Z,api,9,"];
        let newest = ["2026-01-01T00:03:00Z,api,9,9"];
        let now = read(&[&before[..], &late, &newest].concat());
        let end = now.layout().span().map(|(first, _)| first.checked_add(Step::MINUTE, 3).unwrap()).unwrap();
        // The model reads memory alone.
        let found: Vec<Row> = added(&read(&before), &now, &[1], end).collect();
        let told: Vec<_> = found.iter().map(|row| (row.service.as_str(), row.time.to_string())).collect();
        let at = |minute| format!("2026-01-01T00:0{minute}:00Z");
        assert_eq!(told, [("api", at(1)), ("web", at(2))]);
        assert!(found[0].values[0].is_nan() && found[1].values == [7.0]);
    }
}
