#![doc = include_str!("../README.md")]

mod ceiling_score;
mod error;
pub mod fleet;
pub mod stress_walk;

pub use ceiling_score::CeilingScore;
pub use error::SimError;
pub use fleet::Fleet;
pub use stress_walk::{
    CeilingScores, StressWalk, StressWalkRun, WalkCeiling, bayes_filter, ceiling, ceiling_scores, oracle,
};
