//! Features of the time of day and week, and of what a metric was at that time before.

mod calendar;
mod cycle;
mod profile;
mod residual;

pub use calendar::Calendar;
pub use cycle::Cycle;
pub use profile::{Profile, SeasonalProfile};
pub(crate) use residual::Season;
pub use residual::SeasonalResidual;
