#![doc = include_str!("../README.md")]

mod calendar;
mod carry;
mod chronological;
mod delta;
mod error;
mod ewma;
mod features;
mod metrics;
mod moving;
mod per_column;
mod recent_normal;
mod rolling;
mod seasonal;
mod select;
mod settings;
mod then;
mod transform;
mod zscore;

pub use calendar::Calendar;
pub use carry::{Carried, carry_forward};
pub use chronological::{Fractions, chronological};
pub use delta::Deltas;
pub use error::WindowError;
pub use ewma::Ewma;
pub use features::{FeatureStream, Features};
pub use metrics::Metrics;
pub use recent_normal::RecentNormal;
pub use rolling::{Rolling, Statistic};
pub use seasonal::SeasonalResidual;
pub use select::Select;
pub use then::{FeatureExt, Then};
pub use transform::{Logs, RatioOf};
pub use zscore::{Scope, ZScore};
