//! Numbers of a series with their times, and what names it.

mod counter;
mod labels;
pub(crate) mod sample;

use crate::NativeHistogram;
pub use counter::{CounterState, Increment, increase, rate};
pub use labels::{Labels, NAME};
pub use sample::{STALE_BITS, Sample, is_stale};

/// The samples of one series, oldest first as the sender has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Which series.
    pub labels: Labels,
    /// Its numbers.
    pub samples: Vec<Sample>,
    /// Its native histograms. A series has numbers or histograms, at a change of the instrumentation both.
    pub histograms: Vec<NativeHistogram>,
}
