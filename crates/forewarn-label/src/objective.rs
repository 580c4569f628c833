//! Service level objectives: error budgets, and how fast they burn.

mod blocks;
mod burn;
mod events;
mod slo;
mod state;

pub use burn::{BurnRate, BurnWindow};
pub use slo::{Indicator, Slo};
pub use state::{SloLevel, SloReport, SloState, WindowBurn};
