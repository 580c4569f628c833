#![doc = include_str!("../README.md")]

mod error;
pub mod fleet;
pub mod stress_walk;

pub use error::SimError;
pub use fleet::Fleet;
pub use stress_walk::{Ceiling, StressWalk, StressWalkRun, bayes_filter, ceiling, oracle};
