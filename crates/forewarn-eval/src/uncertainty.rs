//! How sure a figure is: blocks of time drawn with replacement, left out one at a time, or counted.

mod bootstrap;
mod counted;
mod interval;
mod left_out;
pub(crate) mod parts;
mod resample;

pub use bootstrap::BlockBootstrap;
pub use interval::{Interval, IntervalEstimate};
pub use parts::RatioPart;

pub(crate) use bootstrap::{Blocks, invalid};
pub(crate) use interval::{effective, widened};
pub(crate) use resample::{Areas, RankedBlocks};
