//! How sure a figure is: blocks of time drawn with replacement.

mod bootstrap;
mod interval;
pub(crate) mod parts;
mod resample;

pub use bootstrap::BlockBootstrap;
pub use interval::{Interval, IntervalEstimate};
pub use parts::RatioPart;

pub(crate) use bootstrap::{Blocks, invalid};
pub(crate) use interval::{effective, widened};
pub(crate) use resample::{Areas, RankedBlocks};
