//! Fits, saved models, streams and refusals, through the public interface.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod learns;
#[cfg(feature = "libtorch")]
mod libtorch;
mod refuses;
mod saves;
mod scores;
mod task;
