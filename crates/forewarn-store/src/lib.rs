#![doc = include_str!("../README.md")]

mod checkpoints;
pub mod disk;
mod error;
mod events;
mod fingerprints;
mod frame;
mod health;
mod input;
mod journal;
mod options;
mod store;

pub use checkpoints::{Checkpoint, CheckpointWriter, Checkpoints, SavedCheckpoint, StateReader};
pub use error::StoreError;
pub use events::{EventFate, EventId, EventLog};
pub use fingerprints::{Fingerprint, Fingerprints};
pub use health::{Condition, Health};
pub use journal::{Journal, Record, Records};
pub use options::{Durability, Retention, StoreOptions};
pub use store::{Recovery, Store};
