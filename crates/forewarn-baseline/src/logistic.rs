//! Logistic regression: `design` makes terms of windows, `objective` is the penalised loss, `pilot` a fit on few
//! windows that shows the way, `minimise` finds the least loss, `fitted` scores.

mod design;
mod fitted;
mod minimise;
mod objective;
mod pilot;
mod settings;

pub use design::Input;
pub use fitted::FittedLogisticRegression;
pub(crate) use fitted::KIND;
pub use minimise::Convergence;
pub use settings::{ClassWeight, LogisticRegression};
