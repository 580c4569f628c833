use crate::Score;
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// Where the threshold of an alarm policy stands at each step.
///
/// An [`AlarmMachine`](super::AlarmMachine) asks it once for every score, in order of time. One that moves is a state of the
/// service's: it learns between two scores, through [`AlarmMachine::threshold_mut`](super::AlarmMachine::threshold_mut), what
/// became of earlier alarms, and is saved with the machine.
pub trait Threshold {
    /// The threshold for the score at `time`; `base` is the policy's own.
    fn at(&mut self, time: Timestamp, base: Score) -> Score;

    /// Whether no score at all may raise an alarm, not even one of 1, which reaches every threshold. `false` unless overridden.
    fn is_silent(&self) -> bool {
        false
    }
}

/// The policy's own threshold at every step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixed;

impl Threshold for Fixed {
    fn at(&mut self, _: Timestamp, base: Score) -> Score {
        base
    }
}
