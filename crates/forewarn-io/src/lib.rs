#![doc = include_str!("../README.md")]

mod arrays;
mod assemble;
mod columns;
pub mod csv;
mod error;
pub mod json;
mod options;
#[cfg(feature = "parquet")]
pub mod parquet;
mod read;
mod recording;
mod step;

pub use arrays::{Cell, Column, ColumnKind, from_columns};
pub use assemble::coded::SidedRecording;
pub use error::{IoError, Place};
pub use forewarn_core::table::{DateOrder, Decimal};
pub use options::{Duplicates, MetricSpec, ReadOptions, Shape};
pub use read::cell_rows::CellRows;
pub use read::source::FileSource;
pub use read::{inspect, inspect_from, read, read_files, read_from, read_metrics, read_sides};
pub use recording::{CellChange, CellCount, Format, ReadSummary, Recording, ServiceSummary};
pub use step::StepSource;
