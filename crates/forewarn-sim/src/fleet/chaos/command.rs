use crate::fleet::{Experiment, ExperimentId};
use serde::{Deserialize, Serialize};

/// What a person does to a simulation that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChaosCommand {
    /// Begins an experiment.
    Inject(Experiment),
    /// Begins the recovery of one.
    Stop {
        /// Which.
        id: ExperimentId,
    },
    /// Begins the recovery of all.
    StopAll,
    /// Ends every fault at once and makes every service whole.
    Reset,
}

/// A command with the tick before which it was carried out: a line of the log of a [`ChaosSession`].
///
/// The log, the fleet and its seed are all that a session is made of.
///
/// [`ChaosSession`]: crate::fleet::ChaosSession
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChaosEntry {
    /// Ticks that had passed.
    pub tick: u64,
    /// What was done.
    #[serde(flatten)]
    pub command: ChaosCommand,
}
