//! Raw samples to a frame at once.

use super::{Aligner, Alignment, AlignmentCounts};
use crate::WindowError;
use forewarn_schema::{Frame, RawSample, Schema};

impl Alignment {
    /// Makes a frame of one service's raw samples, in any order.
    ///
    /// # Errors
    /// As [`Aligner::new`]; [`WindowError::NoSamples`], [`WindowError::DuplicateSample`], [`WindowError::GapTooLong`], and for values
    /// outside their metric's range as [`Frame::new`].
    pub fn frame(
        &self,
        service: &str,
        raw: &Schema,
        samples: impl IntoIterator<Item = RawSample>,
    ) -> Result<(Frame, AlignmentCounts), WindowError> {
        self.frame_of(Aligner::of_all(self, service, raw)?, service, raw, samples)
    }

    /// The frame that a live [`Aligner`] makes of samples in the order in which they arrived, with what came too late
    /// missing: to train on what a service will see.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub fn frame_as_live(
        &self,
        lateness_steps: usize,
        service: &str,
        raw: &Schema,
        samples: impl IntoIterator<Item = RawSample>,
    ) -> Result<(Frame, AlignmentCounts), WindowError> {
        self.frame_of(Aligner::new(self, lateness_steps, service, raw)?, service, raw, samples)
    }

    fn frame_of(
        &self,
        mut aligner: Aligner,
        service: &str,
        raw: &Schema,
        samples: impl IntoIterator<Item = RawSample>,
    ) -> Result<(Frame, AlignmentCounts), WindowError> {
        samples.into_iter().try_for_each(|sample| aligner.push(sample))?;
        let (rows, counts) = aligner.finish()?;
        let first = rows.first().map(|row| row.time);
        let start = first.ok_or_else(|| WindowError::NoSamples { service: service.to_owned() })?;
        let values = rows.into_iter().flat_map(|row| row.values).collect();
        Ok((Frame::new(service, self.schema(raw)?, start, self.step, values)?, counts))
    }
}
