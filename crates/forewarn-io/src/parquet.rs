//! Frames from and to Apache Parquet.

mod batch;
mod chunk;
mod file_columns;
mod layout;
mod pages;
mod reader;
mod stream;
mod thrift;
mod writer;

pub use reader::read;
pub(crate) use reader::read_into;
pub use stream::ParquetStream;
pub use writer::{ParquetWriter, write, write_to};
