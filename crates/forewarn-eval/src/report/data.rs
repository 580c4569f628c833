//! What the data of an evaluation were.

mod input;
mod service_counts;
mod split;
mod test_part;

pub use input::{InputSummary, WindowSummary};
pub use service_counts::{LeftOut, LeftOutReason, ServiceCounts};
pub use split::{PartSummary, SplitSummary};
pub use test_part::TestSummary;
