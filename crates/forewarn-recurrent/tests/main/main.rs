//! Fits, saved models, streams and refusals, through the public interface.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod fleets;
mod hazards;
mod laws;
mod learns;
#[cfg(feature = "libtorch")]
mod libtorch;
mod pinned;
mod pytorch;
mod refuses;
mod resumes;
mod saves;
mod scores;
mod seeds;
mod task;
