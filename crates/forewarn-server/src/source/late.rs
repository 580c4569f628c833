//! Rows that come after their minute was given.

use super::Row;
use forewarn_schema::{FrameSet, FrameView, Timestamp};
use std::collections::BTreeMap;

/// Rows with a value at the times that are wanted which were not there before, with what `values` makes of them.
pub(super) fn added(
    before: Option<&FrameSet>,
    now: &FrameSet,
    values: impl Fn(&[f32]) -> Vec<f32>,
    is_wanted: impl Fn(Timestamp) -> bool,
) -> Vec<Row> {
    let frames = before.into_iter().flat_map(FrameSet::frames);
    let before: BTreeMap<&str, FrameView<'_>> = frames.map(|frame| (frame.service(), frame)).collect();
    let mut added = Vec::new();
    for frame in now.frames() {
        let before = before.get(frame.service());
        for (time, row) in (0..frame.rows()).map(|row| (frame.time(row), frame.row(row).unwrap_or_default()))
        {
            let is_known = || before.and_then(|frame| row_at(*frame, time)).is_some_and(has_value);
            if is_wanted(time) && has_value(row) && !is_known() {
                added.push(Row { time, service: frame.service().to_owned(), values: values(row) });
            }
        }
    }
    added
}

/// The row of a time.
pub(super) fn row_at(frame: FrameView<'_>, time: Timestamp) -> Option<&[f32]> {
    let steps = (time.millis() - frame.start().millis()).div_euclid(frame.step().millis());
    usize::try_from(steps).ok().and_then(|row| frame.row(row))
}

/// Whether anything is known of a row: one without any value never came.
pub(super) fn has_value(row: &[f32]) -> bool {
    row.iter().any(|value| !value.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_io::{ReadOptions, read_from};

    #[test]
    fn rows_that_were_not_there_before_are_found() {
        let read = |rows: &[&str]| {
            let text = format!("timestamp,service,cpu,memory\n{}", rows.join("\n"));
            read_from(text.as_bytes(), "metrics.csv", &ReadOptions::default()).unwrap().frames
        };
        let before =
            ["2026-01-01T00:00:00Z,web,1,5", "2026-01-01T00:01:00Z,web,2,", "2026-01-01T00:03:00Z,web,4,8"];
        let late = ["2026-01-01T00:02:00Z,web,3,7", "2026-01-01T00:01:00Z,api,9,"];
        let newest = ["2026-01-01T00:03:00Z,api,9,9"];
        let now = read(&[&before[..], &late, &newest].concat());
        let end: Timestamp = "2026-01-01T00:03:00Z".parse().unwrap();
        // The model reads memory alone.
        let memory = |row: &[f32]| vec![row[1]];
        let found = added(Some(&read(&before)), &now, memory, |time| time < end);
        let told: Vec<_> = found.iter().map(|row| (row.service.as_str(), row.time.to_string())).collect();
        let at = |minute| format!("2026-01-01T00:0{minute}:00Z");
        assert_eq!(told, [("api", at(1)), ("web", at(2))]);
        assert!(found[0].values[0].is_nan() && found[1].values == [7.0]);
        assert_eq!(added(None, &now, memory, |time| time < end).len(), 4);
    }
}
