//! Gradient-boosted trees: histograms of eight-bit bins, grown leaf by leaf.
//!
//! `bins` turns columns into bytes, `histogram` sums gradients into bins as integers, `split` finds the best cut, `grow`
//! makes one tree, `boost` one after another until validation stops gaining, `forest` scores, `shap` explains. `views`
//! turns a window into one row of columns.

mod bins;
mod boost;
mod fitted;
mod flat;
mod forest;
mod grow;
mod histogram;
mod settings;
mod shap;
mod split;
mod views;

pub use boost::TreeFit;
pub use fitted::FittedTrees;
pub(crate) use fitted::KIND;
pub use forest::Importance;
pub use settings::BoostedTrees;
pub use views::View;
