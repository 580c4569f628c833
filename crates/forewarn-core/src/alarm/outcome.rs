use super::Alarm;
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// What became of one alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmOutcome {
    /// A failure began in the prediction period after it.
    Hit {
        /// When the first such failure began.
        onset: Timestamp,
    },
    /// The service was failing already when it was raised: no warning, and no false alarm either.
    Late,
    /// No failure began in its prediction period, and the service was not failing.
    False,
    /// It cannot be told: the data ended within its prediction period, or whether the service failed is not known.
    Censored,
}

/// What became of one failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureOutcome {
    /// An alarm was raised in time; this is the time of the first.
    Detected(Timestamp),
    /// There were scores from which an alarm could have been raised in time, and none was.
    Missed,
    /// No score could have raised an alarm in time: the onset lies in the prediction period of none.
    OutOfReach,
}

/// An alarm with its outcome, which is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JudgedAlarm {
    /// The alarm.
    pub alarm: Alarm,
    /// What became of it.
    pub outcome: AlarmOutcome,
}

impl JudgedAlarm {
    /// Minutes from the alarm to the onset of the failure; `None` unless it is a hit.
    #[must_use]
    pub fn lead_minutes(&self) -> Option<f64> {
        match self.outcome {
            AlarmOutcome::Hit { onset } => Some(onset.minutes_since(self.alarm.time)),
            AlarmOutcome::Late | AlarmOutcome::False | AlarmOutcome::Censored => None,
        }
    }
}

/// A failure with its outcome, which is final although the failure itself may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JudgedFailure {
    /// When it began.
    pub onset: Timestamp,
    /// What became of it.
    pub outcome: FailureOutcome,
}

impl JudgedFailure {
    /// Minutes from the first alarm to the onset; `None` unless it was detected.
    #[must_use]
    pub fn lead_minutes(&self) -> Option<f64> {
        match self.outcome {
            FailureOutcome::Detected(alarm) => Some(self.onset.minutes_since(alarm)),
            FailureOutcome::Missed | FailureOutcome::OutOfReach => None,
        }
    }
}

/// An outcome that has become final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// An alarm's.
    Alarm(JudgedAlarm),
    /// A failure's.
    Failure(JudgedFailure),
}
