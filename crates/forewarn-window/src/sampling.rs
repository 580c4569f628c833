//! Which training windows a fit sees, and in which order.

mod batches;
mod picks;

pub use batches::BalancedBatches;
pub use picks::{Picked, Skip, downsample_negatives, hard_negatives, stride};
