//! Chaos by hand: what a person breaks in a simulation that runs, as a session that can be recorded and gone on with.

mod command;
mod experiment;
mod kind;
mod session;

pub use command::{ChaosCommand, ChaosEntry};
pub use experiment::{Experiment, ExperimentId, ExperimentRun};
pub use kind::ChaosKind;
pub use session::ChaosSession;
