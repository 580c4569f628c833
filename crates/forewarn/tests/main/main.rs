//! Experiments as users run them.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

#[path = "../../../../examples/custom_model.rs"]
mod custom_model;
mod experiments;
mod fleet;
mod outside;
mod saved;
mod serve;
mod topology;
