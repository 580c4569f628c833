use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// One sample of one metric as a monitoring system has it, before it lies on a regular clock.
///
/// Values stay in double precision: a counter of bytes soon exceeds what single precision resolves, and its increments
/// would be lost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawSample {
    /// Position of the metric in the schema of the raw samples.
    pub metric: usize,
    /// When it was taken, by the clock of whoever took it.
    pub time: Timestamp,
    /// Value in the metric's unit; NaN where the sample says that there is none.
    pub value: f64,
}
