#![doc = include_str!("../README.md")]

mod cell;
mod fit;
mod gemm;
mod gradient;
mod gru;
mod head;
mod history;
mod input;
#[cfg(feature = "libtorch")]
mod libtorch;
mod lstm;
mod model;
mod network;
mod optimiser;
mod random;
mod real;
mod saved;
mod settings;
mod shape;
mod state;
mod workspace;

pub use cell::Cell;
pub use history::{Epoch, History};
pub use model::RecurrentModel;
#[cfg(feature = "libtorch")]
pub use settings::Device;
pub use settings::{Recurrent, Schedule, Settings, Trainer};
pub use state::RecurrentState;
