//! One service under a hidden stress that walks up and down, jumps at random, and drives every metric.
//!
//! The process has no precursor but the stress itself, and the jumps that cause most failures come from nowhere. So its
//! value is in what is known about it: [`ceiling`] computes the best score that any predictor can give to each minute.
//! [`process`] states it in full.

mod ceiling;
mod filter;
mod grid;
mod likelihood;
mod outlook;
pub mod process;
mod walk;

pub use ceiling::{
    CeilingScores, MAX_HORIZON_MINUTES, WalkCeiling, bayes_filter, ceiling, ceiling_scores, oracle,
};
pub use process::RuleState;
pub(crate) use walk::check_span;
pub use walk::{MAX_MINUTES, Steps, StressWalk, StressWalkRun, WalkMinute};
