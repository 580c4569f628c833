//! Raw samples of a service, at whatever times, to rows on a clock: at once, and live.

mod aligner;
mod frame;
mod plan;

pub use aligner::{AlignedRow, Aligner};
pub use plan::{Alignment, AlignmentCounts, Duplicates, GaugeRule};
