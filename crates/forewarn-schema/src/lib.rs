#![doc = include_str!("../README.md")]

mod episode;
mod error;
mod frame;
mod frame_set;
mod layout;
mod metric;
mod raw_sample;
mod schema;
#[cfg(any(test, feature = "proptest"))]
pub mod strategies;
mod text;
mod time;
mod utc_offset;

pub use episode::{Episode, Episodes};
pub use error::SchemaError;
pub use frame::{Frame, FrameView};
pub use frame_set::FrameSet;
pub use layout::{Layout, ServiceRows};
pub use metric::{Kind, Metric, Unit, ValidRange};
pub use raw_sample::RawSample;
pub use schema::Schema;
pub use text::{name_difference, printable, printable_names};
pub use time::{Step, Timestamp};
pub use utc_offset::UtcOffset;
