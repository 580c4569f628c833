//! Frames from and to comma-separated text.

mod cell;
mod guard;
mod reader;
mod writer;

pub use reader::read_from;
pub use writer::write;
