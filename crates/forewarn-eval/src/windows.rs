//! Figures of scored windows: do scores rank them well, are they right at a threshold, are they probabilities?

mod confusion;
mod counts;
mod curve;
mod probability;
mod rank;
mod ranked;
mod ranking;
mod reliability;
mod threshold;
mod timing;

pub use confusion::Confusion;
pub use counts::Counts;
pub use curve::{PrPoint, precision_recall_curve};
pub use probability::{brier, log_loss};
pub use rank::roc_auc;
pub use ranked::RankedWindows;
pub use reliability::{Reliability, ReliabilityBin};
pub use threshold::best_f1_threshold;
pub use timing::{TimingBin, TimingReliability, WithinReliability};

pub(crate) use probability::surprise;
pub(crate) use ranking::{expect_both_classes, ranking, single_class};
