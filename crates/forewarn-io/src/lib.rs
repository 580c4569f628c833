#![doc = include_str!("../README.md")]

mod assemble;
mod clocks;
mod columns;
pub mod csv;
mod error;
mod options;
#[cfg(feature = "parquet")]
pub mod parquet;
mod read;
mod recording;
mod sniff;
mod source;
mod time_form;
mod writable;

pub use error::{IoError, Place};
pub use options::ReadOptions;
pub use read::read;
pub use recording::{Format, ReadSummary, Recording, ServiceSummary};
pub use source::FileSource;
