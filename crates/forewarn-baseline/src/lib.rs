#![doc = include_str!("../README.md")]

mod calibration;
mod design;
mod error;
mod hash;
mod logistic;
mod logistic_model;
mod minimise;
mod objective;
mod rolling_mean;
mod rule;
mod saved;
mod static_threshold;
mod statistic;
mod trees;
mod trend;
mod views;
mod watch;

pub use design::Input;
pub use error::BaselineError;
pub use logistic::{ClassWeight, LogisticRegression};
pub use logistic_model::FittedLogisticRegression;
pub use minimise::Convergence;
pub use rolling_mean::RollingMean;
pub use rule::FittedRule;
pub use static_threshold::StaticThreshold;
pub use trees::{BoostedTrees, FittedTrees, Importance, TreeFit};
pub use trend::Trend;
pub use views::View;
pub use watch::{Direction, Watch, Watched};
