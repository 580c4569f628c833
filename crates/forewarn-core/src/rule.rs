pub(crate) mod v1_rule;

use crate::{CoreError, Feature};
use forewarn_schema::{Episodes, FrameSet, FrameView, Schema, Step};
use std::ops::Range;

/// What counts as failing: from one service's metrics to its failure episodes.
///
/// A rule is pure: the same frame gives the same answer. NaN (a missing sample) never makes a failure.
pub trait FailureRule: Send + Sync {
    /// The rule as a sentence, such as `error_rate >= 0.05 for 2 consecutive steps`.
    fn describe(&self) -> String;

    /// How many steps from the onset on the rule must have seen to be sure of it: 1 when one bad sample is enough.
    fn confirmation(&self) -> usize;

    /// [`confirmation`](Self::confirmation) on a clock of `step`, for rules that speak of minutes and not of steps.
    fn confirmation_at(&self, _step: Step) -> usize {
        self.confirmation()
    }

    /// How many steps after a minute it is final whether that minute belongs to the confirmed part of an episode: 0
    /// for a rule that says so in the minute itself, more for one that bridges gaps.
    fn settling_at(&self, _step: Step) -> usize {
        0
    }

    /// What the rule says of each row by itself, as columns for models of the metrics of `schema`: where its limits
    /// lie, which a model would have to learn otherwise. None unless a rule says so. They may look at no later row
    /// and at no outcome.
    fn verdicts(&self, _schema: &Schema) -> Option<Box<dyn Feature>> {
        None
    }

    /// The failures so far of each service as columns for models of the metrics of `schema`, as they are known live.
    /// None unless a rule says so.
    fn history(&self, _schema: &Schema) -> Option<Box<dyn Feature>> {
        None
    }

    /// How near each row of `frames` is to the onset of a failure: 0 where the service is calm, 1 where the rule is
    /// satisfied since that row, and in between by the way from calm to its limits. It looks ahead no further than what
    /// [confirms](Self::confirmation_at) an onset. What is calm is learnt from `rows`, ascending rows of the frames: those
    /// of train. None unless a rule says so.
    ///
    /// # Errors
    /// [`CoreError::Outside`] for an error of the rule's own.
    fn nearness(&self, _frames: &FrameSet, _rows: &[u32]) -> Result<Option<Vec<f32>>, CoreError> {
        Ok(None)
    }

    /// The rule as data to be saved with a model, from which the same rule can be made again; `None`, unless a rule
    /// says so.
    fn saved(&self) -> Option<serde_json::Value> {
        None
    }

    /// Finds the episodes of one service.
    ///
    /// # Errors
    /// [`CoreError::Schema`] when the frame lacks a metric that the rule needs; [`CoreError::Outside`] for an error
    /// of the rule's own.
    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError>;

    /// Finds the episodes, and the rows that have no sample at all (disjoint, in order). A rule that can tell both in
    /// one pass over the frame overrides this: on long frames the pass is what labelling costs.
    ///
    /// # Errors
    /// As [`assess`](Self::assess).
    fn assess_with_gaps(&self, frame: FrameView<'_>) -> Result<(Assessment, Vec<Range<usize>>), CoreError> {
        Ok((self.assess(frame)?, rows_without_samples(frame)))
    }
}

/// Rows in which every metric is missing, as disjoint ranges in order. One pass over the frame.
#[must_use]
pub fn rows_without_samples(frame: FrameView<'_>) -> Vec<Range<usize>> {
    let mut gaps: Vec<Range<usize>> = Vec::new();
    for (row, sample) in frame.values().chunks_exact(frame.schema().len()).enumerate() {
        if sample.iter().all(|value| value.is_nan()) {
            match gaps.last_mut() {
                Some(gap) if gap.end == row => gap.end += 1,
                _ => gaps.push(row..row + 1),
            }
        }
    }
    gaps
}

/// What a rule found in one frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assessment {
    /// The failures, disjoint and in order, with times on the frame's clock.
    pub episodes: Episodes,
    /// Rows in which missing samples leave open whether the service was failing, disjoint and in order.
    pub unknown: Vec<Range<usize>>,
}

impl<R: FailureRule + ?Sized> FailureRule for Box<R> {
    fn describe(&self) -> String {
        (**self).describe()
    }

    fn confirmation(&self) -> usize {
        (**self).confirmation()
    }

    fn confirmation_at(&self, step: Step) -> usize {
        (**self).confirmation_at(step)
    }

    fn settling_at(&self, step: Step) -> usize {
        (**self).settling_at(step)
    }

    fn verdicts(&self, schema: &Schema) -> Option<Box<dyn Feature>> {
        (**self).verdicts(schema)
    }

    fn history(&self, schema: &Schema) -> Option<Box<dyn Feature>> {
        (**self).history(schema)
    }

    fn nearness(&self, frames: &FrameSet, rows: &[u32]) -> Result<Option<Vec<f32>>, CoreError> {
        (**self).nearness(frames, rows)
    }

    fn saved(&self) -> Option<serde_json::Value> {
        (**self).saved()
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        (**self).assess(frame)
    }

    fn assess_with_gaps(&self, frame: FrameView<'_>) -> Result<(Assessment, Vec<Range<usize>>), CoreError> {
        (**self).assess_with_gaps(frame)
    }
}
