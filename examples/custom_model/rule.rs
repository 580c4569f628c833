//! A failure rule of one's own.

use forewarn::{
    core::{Assessment, CoreError},
    prelude::*,
    schema::FrameView,
};

/// Failing: more jobs wait than this.
pub(crate) struct Backlog {
    pub(crate) jobs: f32,
}

impl FailureRule for Backlog {
    fn describe(&self) -> String {
        format!("more than {} jobs wait", self.jobs)
    }

    fn confirmation(&self) -> usize {
        1
    }

    fn assess(&self, frame: FrameView<'_>) -> Result<Assessment, CoreError> {
        let failing = frame.column("depth")?.map(|depth| depth > self.jobs);
        let episodes = Episodes::from_flags(frame.start(), frame.step(), self.confirmation(), failing)?;
        // Missing is not zero: whether these rows fail is left open.
        let missing = frame.column("depth")?.enumerate().filter(|(_, depth)| depth.is_nan());
        Ok(Assessment { episodes, unknown: missing.map(|(row, _)| row..row + 1).collect() })
    }
}
