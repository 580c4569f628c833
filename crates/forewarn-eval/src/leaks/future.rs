use super::{LeakCheck, checked};
use crate::EvalError;
use forewarn_core::{CoreError, Score};
use forewarn_schema::{FrameSet, Layout, Timestamp};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::{ops::Range, sync::Arc};

/// Frames whose rows after a cut are in another order: what a model must not notice when it scores the rows up to it.
///
/// Make it once, score it with every model, and [show](crate::LeakAudit::with_future) what each said before and after.
#[derive(Clone, Debug)]
pub struct ShuffledFuture {
    frames: FrameSet,
    cut: Timestamp,
}

/// The first of these rows of a service, which are in order of time, after `cut`.
fn first_late(layout: &Layout, rows: Range<usize>, cut: Timestamp) -> usize {
    let (mut early, mut late) = (rows.start, rows.end);
    while early < late {
        let middle = usize::midpoint(early, late);
        match layout.locate(middle) {
            Some((_, time)) if time > cut => late = middle,
            _ => early = middle + 1,
        }
    }
    late
}

impl ShuffledFuture {
    /// Shuffles the rows after `cut`, those of each service among themselves. Copies the frames.
    ///
    /// # Errors
    /// None for a set of frames that could be made.
    pub fn new(frames: &FrameSet, cut: Timestamp) -> Result<Self, CoreError> {
        let width = frames.schema().len();
        let mut values = frames.values().to_vec();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for service in frames.layout().services() {
            let late = first_late(frames.layout(), service.rows(), cut)..service.rows().end;
            for place in (1..late.len()).rev() {
                let (a, b) = (late.start + place, late.start + random.random_range(0..=place));
                for metric in 0..width {
                    values.swap(a * width + metric, b * width + metric);
                }
            }
        }
        Ok(Self { frames: frames.derive(frames.schema().clone(), values)?, cut })
    }

    /// The frames, shuffled.
    #[must_use]
    pub fn frames(&self) -> &FrameSet {
        &self.frames
    }

    /// The last time that is as it was.
    #[must_use]
    pub fn cut(&self) -> Timestamp {
        self.cut
    }

    fn layout(&self) -> &Arc<Layout> {
        self.frames.layout()
    }

    /// Compares the scores up to the cut. A row counts when it has a score in either of both.
    pub(super) fn check(
        &self,
        before: &[Option<Score>],
        after: &[Option<Score>],
    ) -> Result<LeakCheck, EvalError> {
        let (expected, cut) = (self.layout().rows(), self.cut);
        for got in [before.len(), after.len()] {
            if got != expected {
                return Err(CoreError::LengthMismatch { what: "scores of rows", expected, got }.into());
            }
        }
        let (mut seen, mut changed, mut first) = (0usize, 0usize, None);
        for (row, (before, after)) in before.iter().zip(after).enumerate() {
            if before.is_none() && after.is_none() {
                continue;
            }
            let Some((service, time)) = self.layout().locate(row).filter(|&(_, time)| time <= cut) else {
                continue;
            };
            seen += 1;
            if before != after {
                changed += 1;
                first.get_or_insert((service, time));
            }
        }
        if seen == 0 {
            return Err(EvalError::NothingScored { cut });
        }
        let text = match first {
            None => {
                format!("none of {seen} scores up to {cut} changed when everything after it was shuffled")
            }
            Some((service, time)) => {
                let name = self.layout().services()[service].name();
                format!(
                    "{changed} of {seen} scores up to {cut} changed when everything after it was shuffled, the first at {time} of \
                     {name}: the model sees the future"
                )
            }
        };
        Ok(checked("shuffled future", changed > 0, text))
    }
}
