//! A live service from its start to its end.

mod check;
mod options;
mod outlets;
mod running;
mod summary;

pub use check::{CheckedConfig, check_config};
pub use options::WatchOptions;
pub use running::Running;
pub use summary::WatchSummary;

pub(crate) use running::models;

use crate::{ServerError, WatchConfig, runtime::Stop};

/// Runs a live service until its source ends or it is asked to stop: every input goes into the journal before its
/// events go into the file, so that after a kill at any moment the next run goes on where this one was and the file
/// of events has each event once.
///
/// `report` is told what an operator should see, a line at a time.
///
/// # Errors
/// [`ServerError`] for a configuration, model, source or store that cannot be used.
pub fn watch(
    config: &WatchConfig,
    stop: &Stop,
    report: &mut dyn FnMut(&str),
) -> Result<WatchSummary, ServerError> {
    Running::start(config.clone(), WatchOptions::default())?.wait(stop, report)
}
