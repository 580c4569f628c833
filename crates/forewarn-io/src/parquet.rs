//! Frames from and to Apache Parquet.

mod batch;
mod cells;
mod chunk;
mod file_columns;
mod groups;
mod layout;
mod pages;
mod reader;
mod stream;
mod thrift;
mod writer;

pub(crate) use cells::ParquetCells;
pub use reader::read;
pub(crate) use reader::read_into;
pub use stream::ParquetStream;
pub use writer::{ParquetWriter, write, write_to};
