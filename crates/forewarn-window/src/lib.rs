#![doc = include_str!("../README.md")]

mod carry;
mod chronological;
mod delta;
mod error;
mod features;
mod metrics;
mod zscore;

pub use carry::{Carried, carry_forward};
pub use chronological::{Fractions, chronological};
pub use delta::Deltas;
pub use error::WindowError;
pub use features::{FeatureStream, Features};
pub use metrics::Metrics;
pub use zscore::{Scope, ZScore};
