#![doc = include_str!("../README.md")]
// With libtorch two calls are not safe by themselves: see `libtorch/block.rs` and `libtorch/cuda.rs`.
#![cfg_attr(not(feature = "libtorch"), forbid(unsafe_code))]

mod aligned;
mod arithmetic;
mod attention;
mod cell;
mod checkpoint;
mod ensemble;
mod examples;
mod fit;
mod fleet;
mod gates;
mod gradient;
mod gru;
mod helpers;
mod input;
mod kernel;
mod layer;
#[cfg(feature = "libtorch")]
mod libtorch;
mod linear;
mod lstm;
mod model;
mod network;
mod optimiser;
mod panels;
mod pass;
mod processor;
mod random;
mod real;
mod saved;
mod services;
mod settings;
mod shape;
mod shared;
mod state;
#[cfg(test)]
mod timings;
mod training;

pub use cell::Cell;
pub use checkpoint::Checkpoint;
pub use fleet::Fleet;
pub use forewarn_core::{Epoch, Forecast, History};
pub use model::RecurrentModel;
pub use processor::Instructions;
pub use saved::register;
#[cfg(feature = "libtorch")]
pub use settings::Device;
pub use settings::{Output, Pooling, Recurrent, Schedule, Settings, Trainer};
pub use state::{RecurrentState, SavedState};
pub use training::Training;
