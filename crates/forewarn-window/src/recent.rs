//! Features of the last steps of a metric.

mod ewma;
mod moving;
mod recent_normal;
mod rolling;

pub use ewma::Ewma;
pub use recent_normal::RecentNormal;
pub use rolling::{Rolling, Statistic};
