//! What goes over the calls of the service graph.

use crate::chaos::CallReading;
use std::sync::{Arc, Mutex, PoisonError};

/// The calls that a source knows the traffic of, as it read them last: for people, not for the engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flows {
    calls: Arc<Mutex<Vec<CallReading>>>,
}

impl Flows {
    /// Replaces what was known.
    pub(super) fn set(&self, calls: Vec<CallReading>) {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner) = calls;
    }

    /// What was read last; empty where the source knows nothing of traffic.
    pub(crate) fn get(&self) -> Vec<CallReading> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
