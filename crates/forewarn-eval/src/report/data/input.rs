use super::ServiceCounts;
use crate::{EvalError, ScoredSet};
use forewarn_core::WindowSpec;
use forewarn_schema::{FrameSet, Step, Timestamp};
use serde::{Deserialize, Serialize};

/// The data that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputSummary {
    /// Where it came from: a file's name, a simulator.
    pub description: String,
    /// Kind of file or source, such as `csv`.
    pub format: String,
    /// Number of services.
    pub services: usize,
    /// Rows of all services together, one a step, gaps included.
    pub rows: usize,
    /// Time of the first row of any service.
    pub start: Timestamp,
    /// Time of the last row of any service.
    pub end: Timestamp,
    /// Values missing in rows that have at least one value.
    pub missing_cells: usize,
    /// Rows without any value: times at which there was no sample at all.
    pub gap_rows: usize,
    /// What there is of each service, and what was left out and why; empty in reports that did not count it.
    #[serde(default)]
    pub by_service: Vec<ServiceCounts>,
    /// What the reader of the data had to say: columns left out, clocks mended.
    pub notes: Vec<String>,
}

impl InputSummary {
    /// Counts what is in `frames`. One pass.
    ///
    /// # Errors
    /// [`EvalError::NoRows`].
    pub fn new(
        description: impl Into<String>,
        format: impl Into<String>,
        frames: &FrameSet,
    ) -> Result<Self, EvalError> {
        let layout = frames.layout();
        let (start, end) = layout.span().ok_or(EvalError::NoRows)?;
        let (mut missing_cells, mut gap_rows) = (0, 0);
        for row in frames.values().chunks_exact(frames.schema().len()) {
            match row.iter().filter(|value| value.is_nan()).count() {
                missing if missing == row.len() => gap_rows += 1,
                missing => missing_cells += missing,
            }
        }
        Ok(Self {
            description: description.into(),
            format: format.into(),
            services: layout.services().len(),
            rows: layout.rows(),
            start,
            end: end.checked_add(layout.step(), -1).unwrap_or(start),
            missing_cells,
            gap_rows,
            by_service: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Counts what is in scores that came without metrics: a row is a scored window.
    ///
    /// # Errors
    /// [`EvalError::NoRows`].
    pub fn of_scores(
        description: impl Into<String>,
        format: impl Into<String>,
        scores: &ScoredSet,
    ) -> Result<Self, EvalError> {
        let (start, end) = scores.span().ok_or(EvalError::NoRows)?;
        Ok(Self {
            description: description.into(),
            format: format.into(),
            services: scores.series().len(),
            rows: scores.windows(),
            start,
            end,
            missing_cells: 0,
            gap_rows: 0,
            by_service: Vec::new(),
            notes: Vec::new(),
        })
    }
}

/// What a prediction looks at and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WindowSummary {
    /// Rows that a model sees, in steps.
    pub observation: usize,
    /// Steps between the last row seen and the prediction period.
    pub lead: usize,
    /// Length of the prediction period, in steps.
    pub period: usize,
    /// Length of a step, in minutes.
    pub step_minutes: f64,
}

impl WindowSummary {
    /// The window with the length of its steps.
    #[must_use]
    pub fn new(spec: WindowSpec, step: Step) -> Self {
        Self {
            observation: spec.observation(),
            lead: spec.lead(),
            period: spec.period(),
            step_minutes: step.minutes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Frame, Metric, Schema};

    #[test]
    fn gaps_and_missing_cells_are_counted_once() {
        let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
        let nan = f32::NAN;
        let values = vec![1.0, nan, nan, nan, 1.0, 2.0];
        let frame = Frame::new("a", schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap();
        let summary =
            InputSummary::new("a.csv", "csv", &FrameSet::from_frames(vec![frame]).unwrap()).unwrap();
        assert_eq!((summary.rows, summary.missing_cells, summary.gap_rows), (3, 1, 1));
        assert_eq!(summary.end.to_string(), "1970-01-01T00:02:00Z");
        let empty = Frame::new("a", schema, Timestamp::EPOCH, Step::MINUTE, vec![]).unwrap();
        let empty = InputSummary::new("a.csv", "csv", &FrameSet::from_frames(vec![empty]).unwrap());
        assert!(matches!(empty, Err(EvalError::NoRows)));
    }
}
