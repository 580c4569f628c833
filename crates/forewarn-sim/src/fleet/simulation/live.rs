//! What a simulation that somebody watches has beyond minutes: ticks, readings between two minutes, and a way back to
//! health.

use super::Simulation;
use crate::fleet::{
    CallReading, FaultId, Reading,
    plan::{TICK_SECONDS, TICKS},
    state::State,
};

impl Simulation {
    /// Seconds of a tick.
    pub const TICK_SECONDS: u64 = TICK_SECONDS as u64;

    /// Ticks of a minute.
    pub const TICKS_A_MINUTE: u64 = TICKS;

    /// Ticks that have passed.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.tick
    }

    /// What a service did in the last tick, by its position in the graph, as it really was: no noise of measuring.
    /// `None` before the first tick.
    ///
    /// # Panics
    /// Beyond the last service.
    #[must_use]
    pub fn reading(&self, service: usize) -> Option<Reading> {
        let plan = &self.plan.services[service];
        let tally = self.state.tallies[service].since(&self.before[service]);
        let up = self.state.services[service].crew.up / plan.pods.len() as f64;
        (self.tick > 0).then(|| tally.reading(plan, up))
    }

    /// What went over a call in the last tick, by its position in the [blueprint](Self::blueprint), as it really was.
    /// `None` before the first tick.
    ///
    /// # Panics
    /// Beyond the last call.
    #[must_use]
    pub fn call_reading(&self, call: usize) -> Option<CallReading> {
        (self.tick > 0).then(|| self.state.flow(call))
    }

    /// Ends every fault at once, without a recovery, and makes every service whole: pods up, caches warm, queues in
    /// balance with the load. Returns how many faults it ended. What chance decides later stays as it would have been.
    pub fn reset(&mut self) -> usize {
        let tick = self.tick;
        let begun = |begins: u64| begins <= tick;
        let ended: Vec<FaultId> =
            self.active.iter().filter(|active| begun(active.onset())).map(|active| active.id).collect();
        ended.iter().for_each(|&fault| self.close_log(fault));
        self.active.retain(|active| !begun(active.onset()));
        (self.emergency, self.shedding) = (0, 0);
        let whole = State::new(&self.plan);
        let was = std::mem::replace(&mut self.state, whole);
        for (service, was) in self.state.services.iter_mut().zip(&was.services) {
            (service.drift, service.noise) = (was.drift, was.noise);
        }
        self.settle();
        // The minute's figures stay those of all of its ticks.
        self.state.tallies = was.tallies;
        ended.len()
    }

    /// The ticks in which a fault that is under way begins to recover, and is over.
    pub(crate) fn ends_of(&self, fault: FaultId) -> Option<(u64, u64)> {
        self.active.iter().find(|active| active.id == fault).map(|active| active.ends())
    }
}
