//! Columns for models of what a failure rule says.

mod failure_history;
mod verdicts;

use crate::LabelError;
pub use failure_history::FailureHistory;
pub(crate) use failure_history::of_rule;
use forewarn_core::{ModelFileError, Registry};
pub use verdicts::Verdicts;

/// The registry with [`Verdicts`] and [`FailureHistory`] more.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry
        .with_feature(verdicts::KEY, |saved, _| {
            match Verdicts::from_saved(saved).map_err(|error| unreadable("reading verdicts", error))? {
                Some(verdicts) => Ok(Box::new(verdicts)),
                None => Err(ModelFileError::not_a_model("verdicts without their conditions")),
            }
        })
        .with_feature(failure_history::KEY, |saved, _| {
            let read = FailureHistory::from_saved(saved);
            match read.map_err(|error| unreadable("reading a history of failures", error))? {
                Some(history) => Ok(Box::new(history)),
                None => Err(ModelFileError::not_a_model("a history of failures without its rule")),
            }
        })
}

fn unreadable(what: &str, error: LabelError) -> ModelFileError {
    ModelFileError::outside(what, error)
}
