#![doc = include_str!("../README.md")]

mod checkpoints;
pub mod disk;
mod error;
mod events;
mod fingerprints;
mod frame;
mod health;
#[cfg(feature = "history")]
mod history;
mod input;
mod journal;
mod options;
mod store;

pub use checkpoints::{Checkpoint, CheckpointWriter, Checkpoints, SavedCheckpoint, StateReader};
pub use error::StoreError;
pub use events::{EventFate, EventId, EventLog};
pub use fingerprints::{Fingerprint, Fingerprints};
pub use health::{Condition, Health};
#[cfg(feature = "history")]
pub use history::{History, HistoryOptions, HistoryReader, HistoryRow, HistoryTable};
pub use journal::{Journal, Record, Records};
pub use options::{Durability, Retention, StoreOptions};
pub use store::{Recovery, Store};
