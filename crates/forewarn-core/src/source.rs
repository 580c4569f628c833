pub(crate) mod piece;

use crate::CoreError;
use forewarn_schema::FrameSet;

/// Where metrics come from: a file, a simulator, a monitoring system. `conformance::source` (feature `conformance`)
/// checks the laws that each keeps.
pub trait Source {
    /// The source in a few words, for reports and messages.
    fn describe(&self) -> String;

    /// Reads or makes all frames.
    ///
    /// # Errors
    /// [`CoreError::Schema`] for metrics that break their schema, [`CoreError::Outside`] for an error of the source's
    /// own.
    fn frames(&mut self) -> Result<FrameSet, CoreError>;
}
