//! Frames from and to Apache Parquet.

mod chunk;
mod layout;
mod reader;
mod stream;
mod writer;

pub use reader::read;
pub use stream::ParquetStream;
pub use writer::{ParquetWriter, write, write_to};
