#![doc = include_str!("../README.md")]

pub mod chaos;
mod config;
mod error;
mod journal;
mod source;
mod watch;

pub use config::{EventsConfig, ModelConfig, SimulatedSystem, SourceConfig, StoreConfig, WatchConfig};
pub use error::ServerError;
pub use journal::journal_inputs;
pub use watch::{Stop, WatchSummary, watch};
