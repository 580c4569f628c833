#![doc = include_str!("../README.md")]
// With libtorch two calls are not safe by themselves: see `fit/libtorch/block.rs` and `fit/libtorch/cuda.rs`.
#![cfg_attr(not(feature = "libtorch"), forbid(unsafe_code))]

mod cell;
mod ensemble;
mod fit;
mod input;
mod model;
mod network;
mod saved;
mod settings;
mod simd;
mod state;
#[cfg(test)]
mod timings;

pub use cell::Cell;
#[cfg(feature = "libtorch")]
pub use fit::libtorch::device::Device;
pub use fit::{checkpoint::Checkpoint, training::Training};
pub use forewarn_core::{Epoch, Forecast, History};
pub use model::RecurrentModel;
pub use network::pooling::Pooling;
pub use saved::register;
pub use settings::{Output, Recurrent, Schedule, Settings, Trainer};
pub use simd::processor::Instructions;
pub use state::{RecurrentState, SavedState, fleet::FleetState};
