//! Service level objectives: error budgets, and how fast they burn.

mod burn;
mod slo;
mod state;

pub use burn::{BurnRate, BurnWindow};
pub use slo::{Indicator, Slo};
pub use state::{SloReport, SloState, WindowBurn};
