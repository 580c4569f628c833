#![doc = include_str!("../README.md")]

mod cholesky;
mod hash;
mod line;
mod logistic;
mod mix;
mod moments;
mod newton;
mod quantile;
mod ranking;
mod scaling;
mod sliding;

pub use cholesky::Cholesky;
pub use hash::Fnv1a;
pub use line::{Point, fit_line};
pub use logistic::{fit_logistic, logistic_loss, sigmoid};
pub use mix::{mix, order, uniform};
pub use moments::Moments;
pub use newton::{Problem, Step, minimise};
pub use quantile::quantile;
pub use ranking::{Ranking, Tie, average_precision_of, best_f1_of};
pub use scaling::fit_scaling;
pub use sliding::{Sliding, Summary};
