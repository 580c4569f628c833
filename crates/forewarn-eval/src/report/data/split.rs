use crate::{EvalError, ScoredSet};
use forewarn_core::{CoreError, ExclusionCounts, Samples, Split};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// Which windows models were fitted on, chosen with and tested on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SplitSummary {
    /// Fitted on; `None` for scores that were given, whose training is not known.
    pub train: Option<PartSummary>,
    /// Thresholds chosen on.
    pub validation: PartSummary,
    /// Reported on.
    pub test: PartSummary,
    /// Steps between the parts at least, so that they share no row and no label.
    pub purge: usize,
}

/// One part of a split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartSummary {
    /// Time of the first window of any service (of its last row).
    pub start: Timestamp,
    /// Time of the last window of any service.
    pub end: Timestamp,
    /// Labelled windows.
    pub windows: usize,
    /// Positive ones among them.
    pub positives: usize,
    /// Windows without a label, by reason. They are not among `windows`. `None` for scores that were given.
    pub excluded: Option<ExclusionCounts>,
}

impl SplitSummary {
    /// Counts the parts of a split.
    ///
    /// # Errors
    /// [`CoreError::EmptyPart`], which a [`Split`] does not have.
    pub fn new(split: &Split) -> Result<Self, EvalError> {
        Ok(Self {
            train: Some(PartSummary::new("train", split.train())?),
            validation: PartSummary::new("validation", split.validation())?,
            test: PartSummary::new("test", split.test())?,
            purge: split.purge(),
        })
    }

    /// The parts of scores whose training is not known; what was left out is not known either.
    ///
    /// # Errors
    /// [`CoreError::EmptyPart`] for a part without windows.
    pub fn of_scores(validation: &ScoredSet, test: &ScoredSet, purge: usize) -> Result<Self, EvalError> {
        let part = |part, set: &ScoredSet| -> Result<PartSummary, EvalError> {
            let (start, end) = set.span().ok_or(CoreError::EmptyPart { part })?;
            let (windows, positives) = (set.windows(), set.positives());
            Ok(PartSummary { start, end, windows, positives, excluded: None })
        };
        Ok(Self {
            train: None,
            validation: part("validation", validation)?,
            test: part("test", test)?,
            purge,
        })
    }

    /// The parts that are known with their names, in order of time.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &PartSummary)> {
        let train = self.train.iter().map(|train| ("train", train));
        train.chain([("validation", &self.validation), ("test", &self.test)])
    }
}

impl PartSummary {
    /// Counts the windows of one part; `part` names it in the error.
    ///
    /// # Errors
    /// [`CoreError::EmptyPart`].
    pub fn new(part: &'static str, samples: &Samples) -> Result<Self, EvalError> {
        let (start, end) = samples.time_span().ok_or(CoreError::EmptyPart { part })?;
        Ok(Self {
            start,
            end,
            windows: samples.len(),
            positives: samples.positives(),
            excluded: Some(samples.excluded()),
        })
    }
}
