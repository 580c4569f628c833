//! Train, validation and test by time, by service and by incident.

mod chronological;
mod clock;
mod incidents;
mod left_out;
pub(crate) mod train_rows;
mod walk_forward;

pub use chronological::{Fractions, chronological, chronological_without_test};
pub use incidents::grouped_by_incident;
pub use left_out::{TestSpan, leave_each_out, leave_services_out};
pub use walk_forward::{TrainSpan, WalkForward};
