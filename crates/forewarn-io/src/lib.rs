#![doc = include_str!("../README.md")]

mod assemble;
mod cells;
mod clocks;
mod columns;
mod counters;
pub mod csv;
mod error;
mod files;
pub mod json;
mod lines;
mod open;
mod options;
#[cfg(feature = "parquet")]
pub mod parquet;
mod read;
mod recording;
mod slots;
mod source;
mod sources;
mod step;
mod time_form;
mod writable;

pub use error::{IoError, Place};
pub use forewarn_core::table::Decimal;
pub use options::{Duplicates, MetricSpec, ReadOptions, Shape};
pub use read::{inspect, inspect_from, read, read_files, read_from, read_metrics};
pub use recording::{CellChange, CellCount, Format, ReadSummary, Recording, ServiceSummary};
pub use source::FileSource;
pub use step::StepSource;
pub use time_form::DateOrder;
