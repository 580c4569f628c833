#![doc = include_str!("../README.md")]

mod error;
mod label;
mod rule;

pub use error::LabelError;
pub use label::label;
pub use rule::{Comparison, ThresholdRule};
