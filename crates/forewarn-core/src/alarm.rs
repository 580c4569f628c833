//! Alarms: how scores raise them, and what becomes of them. A live service and an evaluation run this same code.

use crate::Score;
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

mod batch;
mod budget;
mod machine;
mod matcher;
mod outcome;
mod policy;
mod shift;
mod supposed;
#[cfg(test)]
mod testing;
mod threshold;

pub use batch::{judge_alarms, match_alarms, match_outcomes};
pub use budget::{BudgetController, BudgetMode, BudgetSettings};
pub use machine::AlarmMachine;
pub use matcher::OutcomeMatcher;
pub use outcome::{AlarmOutcome, FailureOutcome, JudgedAlarm, JudgedFailure, Settled};
pub use policy::{AlarmPolicy, AlarmSettings};
pub use shift::Shift;
pub use supposed::{Ladder, SupposedAlarms};
pub use threshold::{Fixed, Threshold};

/// Gives the memory of an empty list back: of a hundred thousand services few have something to remember.
fn release<T>(list: &mut ThinVec<T>) {
    if list.is_empty() && list.capacity() > 0 {
        *list = ThinVec::new();
    }
}

/// A statement that a failure is coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alarm {
    /// When it was raised: the time of the last row that the score has seen.
    pub time: Timestamp,
    /// The score that raised it.
    pub score: Score,
}

impl Alarm {
    /// An alarm raised at `time` by `score`.
    #[must_use]
    pub fn new(time: Timestamp, score: Score) -> Self {
        Self { time, score }
    }
}
