//! Statistics over the last `steps` samples without a running sum that drifts.

use forewarn_core::{CoreError, restore_part, save_part};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A summary of consecutive samples that can be joined with the summary of those that follow.
pub(crate) trait Summary:
    Copy + Send + Sync + std::fmt::Debug + Serialize + DeserializeOwned + 'static
{
    /// The summary of no sample.
    const EMPTY: Self;

    /// The summary of these samples and the `later` ones.
    fn join(self, later: Self) -> Self;
}

/// The summary of the last `steps` samples, by two stacks.
///
/// Samples are never subtracted again: a running sum that adds what comes and subtracts what goes keeps every rounding error for
/// ever, and one sample of 1e30 ruins it. Here each answer is joined afresh from the samples in the window, with two joins a push on
/// average and `steps` in the worst case.
///
/// # References
/// K. Tangwongsan, M. Hirzel and S. Schneider, *Low-latency sliding-window aggregation in worst-case constant time*, DEBS 2017,
/// section 3.1 ("two-stacks").
#[derive(Clone, Debug)]
pub(crate) struct Moving<S> {
    steps: usize,
    /// Summaries from each of the older samples to the last of them; the oldest sample's on top.
    older: Vec<S>,
    newer: Vec<S>,
    newer_total: S,
}

impl<S: Summary> Moving<S> {
    /// Nothing seen yet; `steps` is at least 1.
    pub(crate) fn new(steps: usize) -> Self {
        Self { steps: steps.max(1), older: Vec::new(), newer: Vec::new(), newer_total: S::EMPTY }
    }

    /// Takes the next sample; the one `steps` before it is forgotten.
    pub(crate) fn push(&mut self, sample: S) {
        if self.older.len() + self.newer.len() == self.steps {
            if self.older.is_empty() {
                let mut total = S::EMPTY;
                for sample in self.newer.drain(..).rev() {
                    total = sample.join(total);
                    self.older.push(total);
                }
                self.newer_total = S::EMPTY;
            }
            self.older.pop();
        }
        self.newer.push(sample);
        self.newer_total = self.newer_total.join(sample);
    }

    /// The summary of the samples in the window.
    pub(crate) fn total(&self) -> S {
        self.older.last().map_or(self.newer_total, |older| older.join(self.newer_total))
    }

    /// Appends both stacks to `out`.
    pub(crate) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&(&self.older, &self.newer), out)
    }

    /// Takes what [`save`](Self::save) wrote; what is newer is joined again, in the same order.
    pub(crate) fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        let mut rest = *from;
        let (older, newer): (Vec<S>, Vec<S>) = restore_part(&mut rest)?;
        let (got, steps) = (older.len().saturating_add(newer.len()), self.steps);
        if got > steps {
            return Err(CoreError::damaged_state(format!(
                "{got} samples are more than the last {steps} steps have"
            )));
        }
        self.newer_total = newer.iter().fold(S::EMPTY, |total, &sample| total.join(sample));
        (self.older, self.newer, *from) = (older, newer, rest);
        Ok(())
    }
}

/// Count, mean and sum of squared distances from it.
///
/// # References
/// T. F. Chan, G. H. Golub and R. J. `LeVeque`, *Updating formulae and a pairwise algorithm for computing sample variances*, 1979.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Moments {
    pub(crate) count: f64,
    pub(crate) mean: f64,
    squares: f64,
}

impl Moments {
    /// One sample; none where it is missing.
    pub(crate) fn of(sample: f32) -> Self {
        match sample.is_nan() {
            true => Self::EMPTY,
            false => Self { count: 1.0, mean: f64::from(sample), squares: 0.0 },
        }
    }

    /// Standard deviation of the population; what is left of equal samples by rounding counts as zero.
    pub(crate) fn deviation(&self) -> f64 {
        let deviation = (self.squares / self.count).sqrt();
        if deviation > f64::EPSILON * self.mean.abs() { deviation } else { 0.0 }
    }
}

impl Summary for Moments {
    const EMPTY: Self = Self { count: 0.0, mean: 0.0, squares: 0.0 };

    fn join(self, later: Self) -> Self {
        if self.count == 0.0 {
            return later;
        }
        if later.count == 0.0 {
            return self;
        }
        let count = self.count + later.count;
        let apart = later.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * (later.count / count),
            squares: self.squares + later.squares + apart * apart * (self.count * later.count / count),
        }
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
