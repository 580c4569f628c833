//! A source of metrics of one's own.

use forewarn::{
    core::CoreError,
    prelude::*,
    schema::{Kind, Unit, ValidRange},
};

/// Job queues of two workers. Work arrives in waves; a worker that gets more than it can do falls behind until the
/// wave is over.
pub(crate) struct Queues {
    pub(crate) minutes: usize,
}

impl Source for Queues {
    fn describe(&self) -> String {
        format!("two job queues over {} minutes", self.minutes)
    }

    fn frames(&mut self) -> Result<FrameSet, CoreError> {
        let jobs =
            |name| Metric::new(name, Unit::Other("jobs".into()), Kind::Gauge, ValidRange::NON_NEGATIVE);
        let schema = Schema::new(vec![jobs("arrivals"), jobs("depth")])?;
        let worker = |(service, wave_minutes): (&str, f32)| {
            let mut depth = 0.0f32;
            let samples = (0..self.minutes).flat_map(|minute| {
                let wave = (minute as f32 * std::f32::consts::TAU / wave_minutes).sin();
                // Jitter without a random generator: the fractional part of a multiple of the golden ratio.
                let jitter = (minute as f32 * 0.618_034).fract() * 30.0;
                let arrivals = 85.0 + 40.0 * wave + jitter;
                depth = (depth + arrivals - 120.0).max(0.0);
                [arrivals, depth]
            });
            Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, samples.collect())
        };
        let frames: Result<Vec<Frame>, _> =
            [("mail", 97.0), ("images", 131.0)].into_iter().map(worker).collect();
        Ok(FrameSet::from_frames(frames?)?)
    }
}
