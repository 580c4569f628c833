use crate::SimError;
use forewarn_core::{Score, average_precision};
use serde::Serialize;

/// How well a ceiling ranks labelled windows: what a model's own figure is to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CeilingScore {
    /// Area under the precision-recall curve; see [`average_precision`].
    pub average_precision: f64,
    /// Share of positive windows: the average precision of scores that know nothing.
    pub prevalence: f64,
    /// Labelled windows.
    pub windows: usize,
    /// Positive ones among them.
    pub positives: usize,
}

impl CeilingScore {
    pub(crate) fn new(scores: &[Score], positive: &[bool]) -> Result<Self, SimError> {
        let positives = positive.iter().filter(|&&positive| positive).count();
        Ok(Self {
            average_precision: average_precision(scores, positive)?,
            prevalence: positives as f64 / positive.len() as f64,
            windows: positive.len(),
            positives,
        })
    }
}
