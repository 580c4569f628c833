//! Ground truth by name, for files.

pub(crate) mod cascade;
pub(crate) mod causes;
pub(crate) mod ceiling;
pub(crate) mod ceiling_score;
pub(crate) mod failure;

use crate::fleet::{Causes, FaultKind, FaultRecord};
use forewarn_schema::Timestamp;
use serde::Serialize;

/// One failure of a run with its root, services by name: a line of a file of ground truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TruthRow<'a> {
    /// The service that failed.
    pub service: &'a str,
    /// First minute.
    pub onset: Timestamp,
    /// Minute in which the failure rule was satisfied.
    pub confirmed_at: Timestamp,
    /// First minute after.
    pub end: Timestamp,
    /// Number of the root fault; `None` where no single fault was needed.
    pub root: Option<u32>,
    /// Its kind.
    pub kind: Option<FaultKind>,
    /// The service that it struck.
    pub root_service: Option<&'a str>,
    /// The service whose failure this one followed from; `None` where the fault itself did it.
    pub parent: Option<&'a str>,
    /// Whether the fault struck another service: a failure that came over calls.
    pub is_victim: bool,
}

/// A fault and all that failed because of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FaultVictims<'a> {
    /// The root.
    pub fault: &'a FaultRecord,
    /// Services that failed of it, in the order in which they first did, the service that the fault struck included
    /// if it failed.
    pub victims: Vec<&'a str>,
    /// Failures of them, as positions in [`Causes::failures`].
    pub failures: Vec<usize>,
}

impl Causes {
    /// All failures by name, in order of onset.
    pub fn rows(&self) -> impl Iterator<Item = TruthRow<'_>> {
        let name = |service: usize| self.services.get(service).map_or("", String::as_str);
        self.failures.iter().map(move |failure| TruthRow {
            service: name(failure.service),
            onset: failure.episode.onset(),
            confirmed_at: failure.episode.confirmed_at(),
            end: failure.episode.end(),
            root: failure.root.map(|root| root.0),
            kind: failure.root.and_then(|root| self.fault(root)).map(|fault| fault.injection.kind),
            root_service: failure.root_service.map(name),
            parent: failure
                .parent
                .and_then(|parent| self.failures.get(parent))
                .map(|parent| name(parent.service)),
            is_victim: failure.root_service.is_some_and(|root| root != failure.service),
        })
    }

    /// The faults that made anything fail, in the order in which they began, each with its victims.
    pub fn cascades(&self) -> impl Iterator<Item = FaultVictims<'_>> {
        self.log.iter().filter_map(|fault| {
            let failures: Vec<usize> = (0..self.failures.len())
                .filter(|&failure| self.failures[failure].root == Some(fault.id))
                .collect();
            let mut victims: Vec<&str> = Vec::new();
            for &failure in &failures {
                let name = self.services.get(self.failures[failure].service).map_or("", String::as_str);
                if !victims.contains(&name) {
                    victims.push(name);
                }
            }
            (!failures.is_empty()).then_some(FaultVictims { fault, victims, failures })
        })
    }
}
