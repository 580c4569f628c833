//! Figures of anomaly detection, to compare with those that others publish. None of them is a headline.

mod affiliation;
mod nab;
mod ranges;
mod runs;
mod vus;

pub use affiliation::{AffiliationFigures, affiliation};
pub use nab::{NabProfile, nab_score};
pub use ranges::{RangeFigures, range_precision_recall};
pub use vus::{Buffer, VusFigures, vus, vus_pr};

pub(crate) use affiliation::affiliation_parts;
pub(crate) use nab::nab_parts;
pub(crate) use ranges::range_parts;
pub(crate) use vus::vus_estimates;
