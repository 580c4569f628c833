//! Frames from and to comma-separated text.

mod cell;
mod guard;
mod reader;
mod snapshots;
mod writer;

pub use reader::read_from;
pub use snapshots::{SnapshotTable, read_snapshots, snapshots_from};
pub use writer::write;
