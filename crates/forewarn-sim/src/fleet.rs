//! A fleet of services that fails for reasons: requests queue, wait for servers, time out and are tried again; memory
//! fills up; pods die and come back with cold caches. Faults change one number of one service, everything else
//! follows.
//!
//! # What happens in a tick
//!
//! A tick is five seconds, a minute twelve of them. In each, every service, clients before their servers as far as
//! calls go round in no circle, has
//!
//! 1. its pods: memory, garbage collection, kills, restarts, warming caches;
//! 2. its calls, by how servers answered in the last tick: time-outs, retries, breaker, connection pool;
//! 3. its queue: capacity is what cores and workers allow, and a worker is held for the service's own time and for
//!    its calls. A fluid queue in balance with the stationary one, so Little's law and the utilisation law hold at
//!    every moment;
//! 4. its answers: log-logistic response times, errors by deadline, full queue, dead pods and failed calls.
//!
//! Once a minute users move on (a day, a week, noise that lasts), faults arrive, and the ten metrics are measured
//! with the noise of measuring.
//!
//! # What is random
//!
//! Two `ChaCha8` streams of the seed: 0 for the world (users, faults, the engineer on call), 1 for telemetry. Each
//! draw takes one word, whatever its parameters, so two worlds that differ in a fault share all of their luck: see
//! [`Fleet::causes`].

mod blueprint;
mod chaos;
mod check;
mod defects;
mod faults;
mod math;
mod plant;
mod random;
mod run;
mod scenario;
mod settings;
mod simulation;
mod truth;

use blueprint::{call, order, provision, service};
use faults::{active, effects, fault, injection, schedule};
use plant::{attempt, hidden, latency, load, plan, pods, reading, state, station, tally};
use truth::{cascade, causes, ceiling, failure};

pub use active::{FaultId, FaultRecord};
pub use blueprint::{Blueprint, MAX_SERVICES};
pub use call::{Breaker, Need, PlannedCall, Retry};
pub use causes::Causes;
pub use ceiling::{Foresight, RollOuts};
pub use chaos::{ChaosCommand, ChaosEntry, ChaosKind, ChaosSession, Experiment, ExperimentId, ExperimentRun};
pub use defects::Defects;
pub use failure::Failure;
pub use fault::FaultKind;
pub use hidden::hidden_schema;
pub use injection::Injection;
pub use load::Load;
pub use reading::{CallReading, Reading};
pub use run::FleetRun;
pub use schedule::FaultSchedule;
pub use service::Service;
pub use settings::Fleet;
pub use simulation::Simulation;
pub use truth::{FaultVictims, TruthRow};
