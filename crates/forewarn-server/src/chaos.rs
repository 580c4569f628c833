//! Faults that a person injects into what is watched while it runs.

mod error;
mod hook;
mod log;
mod simulator;
mod verdict;
mod view;

pub use error::ChaosError;
pub use hook::HookChaos;
pub use simulator::SimulatorChaos;
pub use view::{
    CallReading, ChaosExperiment, ChaosKindInfo, ChaosParameters, ChaosPhase, ChaosRequest, ChaosState,
    Reading, Readings, Span,
};

/// What can be broken on purpose, and mended again: the simulator, or whatever else a program puts in its place.
///
/// Every call is a whole: it has been done, and kept so that a restart knows of it, when it returns. Calls of several
/// threads come one after another. There is no shared field for *the* fault: each injection is an experiment with an
/// id, a severity, a timer and a recovery of its own, and as many run side by side as
/// [`ChaosState::most_active`] says.
///
/// All times are those of what is watched: simulated seconds, where it is a simulation.
pub trait ChaosControl: Send + Sync {
    /// What can be injected, and where.
    fn kinds(&self) -> Vec<ChaosKindInfo>;

    /// What runs, what is over, and the clock.
    fn state(&self) -> ChaosState;

    /// Injects a fault, which begins at once.
    ///
    /// # Errors
    /// [`ChaosError`] for a kind, service, severity or duration that cannot be, for too many at a time, and when it
    /// cannot be kept on disk; then nothing has happened.
    fn inject(&self, request: &ChaosRequest) -> Result<ChaosExperiment, ChaosError>;

    /// Begins the recovery of one. Asking twice is no error.
    ///
    /// # Errors
    /// [`ChaosError::NotFound`], [`ChaosError::Storage`].
    fn stop(&self, id: u32) -> Result<ChaosExperiment, ChaosError>;

    /// Begins the recovery of all that run. Returns them.
    ///
    /// # Errors
    /// [`ChaosError::Storage`].
    fn stop_all(&self) -> Result<Vec<ChaosExperiment>, ChaosError>;

    /// Ends everything at once, faults that came by themselves too, and makes every service whole: pods up, caches
    /// warm, queues short. Returns how many faults it ended.
    ///
    /// # Errors
    /// [`ChaosError::Storage`].
    fn reset(&self) -> Result<usize, ChaosError>;

    /// What every service does at the moment, finer than the rows that are closed once a minute; `None` where only
    /// rows tell.
    fn readings(&self) -> Option<Readings>;
}
