//! Experiments as users run them.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod experiments;
mod fleet;
mod prelude;
mod sample;
mod serve;
mod topology;
mod train;
mod weighing;
