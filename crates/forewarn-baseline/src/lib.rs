#![doc = include_str!("../README.md")]

mod baseline;
mod context;
mod control;
mod error;
mod logistic;
mod parts;
mod rules;
mod trees;

pub use baseline::{Baseline, register};
pub use context::Context;
pub use control::{Control, FittedControl};
pub use error::BaselineError;
pub use logistic::{ClassWeight, Convergence, FittedLogisticRegression, Input, LogisticRegression};
pub use rules::{
    Cusum, Direction, DoubleExponential, Ewma, FittedRule, RollingMean, RollingZScore, SeasonalBand,
    StaticThreshold, TheilSen, Trend, Watch, Watched,
};
pub use trees::{BoostedTrees, FittedTrees, Importance, TreeFit, View};
