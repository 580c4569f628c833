//! Splits, normalisation and what joins them, on labels made by hand.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod chronological;
mod fitted;
mod laws;
mod live;
mod normalise;
mod pieces;
mod regular;
mod sampling;
mod splits;
mod support;
mod threads;
