//! Frames from and to Apache Parquet.

mod chunk;
mod layout;
mod reader;
mod writer;

pub use reader::read;
pub use writer::{write, write_to};
