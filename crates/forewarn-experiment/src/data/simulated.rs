use crate::{Data, ExperimentError};
use forewarn_sim::{Fleet, StressWalk, fleet::Blueprint};
use std::str::FromStr;

/// A simulation that comes ready-made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Simulated {
    /// Four services, gateway, auth, user and database, that fail for reasons.
    #[default]
    Shop,
    /// A shop of twelve services.
    Twelve,
    /// One service under a stress that walks at random.
    StressWalk,
}

impl Simulated {
    /// The simulations by name.
    pub const NAMES: [(&'static str, Self); 3] =
        [("shop", Self::Shop), ("twelve", Self::Twelve), ("stress-walk", Self::StressWalk)];
}

impl FromStr for Simulated {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self, ExperimentError> {
        let found = Self::NAMES.into_iter().find(|&(known, _)| known == name);
        found.map(|(_, simulated)| simulated).ok_or_else(|| ExperimentError::UnknownSimulation {
            name: name.to_owned(),
            available: Self::NAMES.map(|(known, _)| known).to_vec(),
        })
    }
}

impl Data {
    /// `minutes` minutes of a simulation, whose truth is known: the report then shows the ceiling, and for a fleet
    /// the faults behind failures.
    ///
    /// # Errors
    /// [`ExperimentError::Simulate`] for no minutes, or too many.
    pub fn simulated(what: Simulated, minutes: usize, seed: u64) -> Result<Self, ExperimentError> {
        let graph = match what {
            Simulated::StressWalk => return Self::from_stress_walk(StressWalk::new(minutes, seed).run()?),
            Simulated::Shop => Blueprint::shop(),
            Simulated::Twelve => Blueprint::twelve(),
        };
        Self::from_fleet(Fleet::new(graph, minutes, seed))
    }
}
