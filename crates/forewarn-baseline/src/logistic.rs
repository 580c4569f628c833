//! Logistic regression: `design` makes terms of windows, `objective` is the penalised loss, `minimise` finds its
//! least, `fitted` scores.

mod design;
mod fitted;
mod minimise;
mod objective;
mod settings;

pub use design::Input;
pub use fitted::FittedLogisticRegression;
pub(crate) use fitted::KIND;
pub use minimise::Convergence;
pub use settings::{ClassWeight, LogisticRegression};
