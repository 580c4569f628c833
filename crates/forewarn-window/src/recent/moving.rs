//! Statistics over the last `steps` samples without a running sum that drifts.

use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_numerics::{Sliding, Summary};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The summary of the last `steps` samples, in the middle of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Moving<S>(Sliding<S>);

impl<S: Summary + Serialize + DeserializeOwned> Moving<S> {
    /// Nothing seen yet; `steps` is at least 1.
    pub(crate) fn new(steps: usize) -> Self {
        Self(Sliding::new(steps))
    }

    /// Takes the next sample; the one `steps` before it is forgotten.
    pub(crate) fn push(&mut self, sample: S) {
        self.0.push(sample);
    }

    /// The summary of the samples in the window.
    pub(crate) fn total(&self) -> S {
        self.0.total()
    }

    /// Appends both stacks to `out`: which samples were joined before decides how they are rounded later.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(self.0.older(), self.0.newer()), out)
    }

    /// Takes what [`save`](Self::save) wrote.
    pub(crate) fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (older, newer): (Vec<S>, Vec<S>) = restore_part(&mut rest)?;
        let (got, steps) = (older.len().saturating_add(newer.len()), self.0.steps());
        let restored = Sliding::restored(steps, older, newer).ok_or_else(|| {
            CoreError::damaged_state(format!("{got} samples are more than the last {steps} steps have"))
        })?;
        (self.0, *from) = (restored, rest);
        Ok(())
    }
}

/// Count, smallest and largest sample.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Extremes {
    pub(crate) count: f64,
    pub(crate) min: f32,
    pub(crate) max: f32,
}

impl Extremes {
    /// One sample; none where it is missing.
    pub(crate) fn of(sample: f32) -> Self {
        match sample.is_nan() {
            true => Self::EMPTY,
            false => Self { count: 1.0, min: sample, max: sample },
        }
    }
}

impl Summary for Extremes {
    const EMPTY: Self = Self { count: 0.0, min: f32::INFINITY, max: f32::NEG_INFINITY };

    fn join(self, later: Self) -> Self {
        Self { count: self.count + later.count, min: self.min.min(later.min), max: self.max.max(later.max) }
    }
}

/// What a straight line through samples over time needs: means, and sums of products of distances from them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) count: f64,
    time: f64,
    value: f64,
    time_squares: f64,
    products: f64,
}

impl Line {
    /// One sample at step `time`; none where it is missing.
    pub(crate) fn of(time: f64, sample: f32) -> Self {
        match sample.is_nan() {
            true => Self::EMPTY,
            false => Self { count: 1.0, time, value: f64::from(sample), time_squares: 0.0, products: 0.0 },
        }
    }

    /// Slope of the least-squares line, per step; NaN for fewer than two samples.
    pub(crate) fn slope(&self) -> f64 {
        self.products / self.time_squares
    }
}

impl Summary for Line {
    const EMPTY: Self = Self { count: 0.0, time: 0.0, value: 0.0, time_squares: 0.0, products: 0.0 };

    fn join(self, later: Self) -> Self {
        if self.count == 0.0 {
            return later;
        }
        if later.count == 0.0 {
            return self;
        }
        let count = self.count + later.count;
        let (share, weight) = (later.count / count, self.count * later.count / count);
        let (time, value) = (later.time - self.time, later.value - self.value);
        Self {
            count,
            time: self.time + time * share,
            value: self.value + value * share,
            time_squares: self.time_squares + later.time_squares + time * time * weight,
            products: self.products + later.products + time * value * weight,
        }
    }
}
