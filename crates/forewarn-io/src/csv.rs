//! Frames from and to separated text.

mod annotated;
mod legend;
mod placing;
mod reader;
mod reading;
mod rows;
mod snapshots;
mod writer;

pub use reader::read_from;
pub(crate) use reader::{Input, Parts, read_into, time_name};
pub use snapshots::{SnapshotTable, read_snapshots, snapshots_from};
pub use writer::write;
