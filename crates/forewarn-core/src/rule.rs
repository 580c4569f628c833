use crate::CoreError;
use forewarn_schema::{Episodes, FrameView};
use std::ops::Range;

/// What counts as failing: from one service's metrics to its failure episodes.
///
/// A rule is pure: the same frame gives the same answer. NaN (a missing sample) never makes a failure.
pub trait FailureRule: Send {
    /// The rule as a sentence, such as `error_rate >= 0.05 for 2 consecutive steps`.
    fn describe(&self) -> String;

    /// How many steps from the onset on the rule must have seen to be sure of it: 1 when one bad sample is enough.
    fn confirmation(&self) -> usize;

    /// Finds the episodes of one service.
    ///
    /// # Errors
    /// [`CoreError::Schema`] when the frame lacks a metric that the rule needs; [`CoreError::Outside`] for an error of the
    /// rule's own.
    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError>;
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

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        (**self).assess(frame)
    }
}
