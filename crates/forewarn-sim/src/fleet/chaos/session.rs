use crate::SimError;
use crate::fleet::{
    ChaosCommand, ChaosEntry, ChaosKind, Experiment, ExperimentId, ExperimentRun, FaultId, Fleet, Simulation,
};
use std::collections::{BTreeSet, VecDeque};

/// A simulation that runs while a person breaks things in it and mends them.
///
/// Whatever is done is an [entry](ChaosEntry) first: [`order_injection`](Self::order_injection) and its like check a
/// command and change nothing, so that a program can write the entry down, and [`carry_out`](Self::carry_out) does it.
/// A session that is [resumed](Self::resume) from the entries and stepped goes on exactly as this one: entries take
/// effect at their ticks again.
///
/// # Examples
/// ```
/// use forewarn_sim::fleet::{ChaosKind, ChaosSession, Fleet};
///
/// let fleet = Fleet::shop(7);
/// let mut session = ChaosSession::new(&fleet)?;
/// session.step();
/// let entry = session.order_injection(ChaosKind::CpuSpike, "database", Some(0.9), Some(30.0))?;
/// session.carry_out(entry.clone());
/// (0..3).for_each(|_| session.step());
/// assert_eq!((session.active().count(), session.past().count()), (0, 1), "it has recovered by itself");
///
/// let mut resumed = ChaosSession::resume(&fleet, vec![entry])?;
/// (0..4).for_each(|_| resumed.step());
/// assert_eq!(resumed.simulation().metrics(0), session.simulation().metrics(0));
/// # Ok::<(), forewarn_sim::SimError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChaosSession {
    simulation: Simulation,
    runs: Vec<Run>,
    /// Entries that have not been reached, in order of tick.
    pending: VecDeque<ChaosEntry>,
    next_id: u32,
}

#[derive(Clone, Debug)]
struct Run {
    shown: ExperimentRun,
    faults: Vec<FaultId>,
}

impl ChaosSession {
    /// Most experiments side by side.
    pub const MOST_ACTIVE: usize = 100;

    /// A session that stands before the first minute, in which nothing has been done.
    ///
    /// # Errors
    /// Those of [`Fleet::check`].
    pub fn new(fleet: &Fleet) -> Result<Self, SimError> {
        Ok(Self { simulation: fleet.simulation()?, runs: Vec::new(), pending: VecDeque::new(), next_id: 1 })
    }

    /// A session that stands before the first minute, and in which everything in `entries` will be done again.
    ///
    /// # Errors
    /// [`SimError`] for an entry that does not fit the fleet, [`SimError::DuplicateExperiment`] for two experiments of
    /// one id.
    pub fn resume(fleet: &Fleet, entries: Vec<ChaosEntry>) -> Result<Self, SimError> {
        let mut session = Self::new(fleet)?;
        let mut ids = BTreeSet::new();
        for entry in &entries {
            if let ChaosCommand::Inject(experiment) = &entry.command {
                let blueprint = session.simulation.blueprint();
                experiment.faults.iter().try_for_each(|fault| fault.check(blueprint).map(drop))?;
                if !ids.insert(experiment.id) {
                    return Err(SimError::DuplicateExperiment { id: experiment.id.0 });
                }
                session.next_id = session.next_id.max(experiment.id.0.saturating_add(1));
            }
        }
        let mut entries = entries;
        // Stable: what was done before the same tick stays in its order.
        entries.sort_by_key(|entry| entry.tick);
        session.pending = entries.into();
        session.catch_up();
        Ok(session)
    }

    /// The simulation, to read from.
    #[must_use]
    pub fn simulation(&self) -> &Simulation {
        &self.simulation
    }

    /// Lets a tick pass. Returns whether a minute ended with it.
    pub fn tick(&mut self) -> bool {
        let is_whole = self.simulation.tick();
        self.catch_up();
        is_whole
    }

    /// Lets the rest of the minute pass.
    pub fn step(&mut self) {
        while !self.tick() {}
    }

    /// Does what a log says of the present tick.
    fn catch_up(&mut self) {
        let now = self.simulation.ticks();
        while self.pending.front().is_some_and(|entry| entry.tick <= now) {
            if let Some(entry) = self.pending.pop_front() {
                self.carry_out(entry);
            }
        }
    }

    /// The entry of an experiment that begins now; what is `None` is as usual for its kind.
    ///
    /// # Errors
    /// [`SimError::UnknownService`], [`SimError::InvalidField`], [`SimError::MisplacedFault`];
    /// [`SimError::TooManyExperiments`] when [`MOST_ACTIVE`](Self::MOST_ACTIVE) are active.
    pub fn order_injection(
        &self,
        kind: ChaosKind,
        service: &str,
        severity: Option<f64>,
        seconds: Option<f64>,
    ) -> Result<ChaosEntry, SimError> {
        if self.active().count() + self.waiting().count() >= Self::MOST_ACTIVE {
            return Err(SimError::TooManyExperiments { most: Self::MOST_ACTIVE });
        }
        let numbers = (severity.unwrap_or(kind.usual_severity()), seconds.unwrap_or(kind.usual_seconds()));
        let id = ExperimentId(self.next_id);
        let experiment = Experiment::new(id, kind, service, numbers, self.simulation.blueprint())?;
        Ok(self.entry(ChaosCommand::Inject(experiment)))
    }

    /// The entry of an experiment that begins with minute `minute` of the simulation, now if that is over.
    ///
    /// # Errors
    /// As [`order_injection`](Self::order_injection).
    pub fn order_later(
        &self,
        minute: usize,
        kind: ChaosKind,
        service: &str,
        severity: Option<f64>,
        seconds: Option<f64>,
    ) -> Result<ChaosEntry, SimError> {
        let entry = self.order_injection(kind, service, severity, seconds)?;
        let tick = (minute as u64).saturating_mul(Simulation::TICKS_A_MINUTE);
        Ok(ChaosEntry { tick: tick.max(entry.tick), ..entry })
    }

    /// The entry that begins the recovery of an experiment; `None` where it recovers already or is over.
    ///
    /// # Errors
    /// [`SimError::UnknownExperiment`] for an id that was never given.
    pub fn order_stop(&self, id: ExperimentId) -> Result<Option<ChaosEntry>, SimError> {
        let run = self.runs.iter().find(|run| run.shown.experiment.id == id);
        let run = run.ok_or(SimError::UnknownExperiment { id: id.0 })?;
        let is_running = self.simulation.ticks() < run.shown.ends;
        Ok(is_running.then(|| self.entry(ChaosCommand::Stop { id })))
    }

    /// The entry that begins the recovery of all experiments.
    #[must_use]
    pub fn order_stop_all(&self) -> ChaosEntry {
        self.entry(ChaosCommand::StopAll)
    }

    /// The entry that ends every fault, whoever began it, and makes all services whole.
    #[must_use]
    pub fn order_reset(&self) -> ChaosEntry {
        self.entry(ChaosCommand::Reset)
    }

    fn entry(&self, command: ChaosCommand) -> ChaosEntry {
        ChaosEntry { tick: self.simulation.ticks(), command }
    }

    /// Does what an entry says, with its tick if that is still to come. Returns how many faults it began, stopped or
    /// ended by now.
    pub fn carry_out(&mut self, entry: ChaosEntry) -> usize {
        if entry.tick > self.simulation.ticks() {
            if let ChaosCommand::Inject(experiment) = &entry.command {
                self.next_id = self.next_id.max(experiment.id.0.saturating_add(1));
            }
            let at = self.pending.partition_point(|earlier| earlier.tick <= entry.tick);
            self.pending.insert(at, entry);
            return 0;
        }
        match entry.command {
            ChaosCommand::Inject(experiment) => self.begin(experiment),
            ChaosCommand::Stop { id } => self.stop(|run| run.shown.experiment.id == id),
            ChaosCommand::StopAll => self.stop(|_| true),
            ChaosCommand::Reset => {
                let ended = self.simulation.reset();
                let now = self.simulation.ticks();
                for run in self.runs.iter_mut().filter(|run| run.shown.over > now) {
                    run.shown.is_stopped |= run.shown.ends > now;
                    (run.shown.ends, run.shown.over) = (run.shown.ends.min(now), now);
                }
                ended
            }
        }
    }

    fn begin(&mut self, experiment: Experiment) -> usize {
        self.next_id = self.next_id.max(experiment.id.0.saturating_add(1));
        let injected = experiment.faults.iter().filter_map(|fault| self.simulation.inject(fault).ok());
        let faults: Vec<FaultId> = injected.collect();
        let began = self.simulation.ticks();
        let shown = ExperimentRun { experiment, began, ends: began, over: began, is_stopped: false };
        let mut run = Run { shown, faults };
        run.follow(&self.simulation);
        let begun = run.faults.len();
        self.runs.push(run);
        begun
    }

    fn stop(&mut self, chosen: impl Fn(&Run) -> bool) -> usize {
        let now = self.simulation.ticks();
        let mut stopped = 0;
        for run in self.runs.iter_mut().filter(|run| run.shown.ends > now && chosen(run)) {
            stopped += run.faults.iter().filter(|&&fault| self.simulation.stop(fault)).count();
            run.shown.is_stopped = true;
            (run.shown.ends, run.shown.over) = (now, now);
            run.follow(&self.simulation);
        }
        stopped
    }

    /// Experiments that act or recover, in the order in which they began.
    pub fn active(&self) -> impl Iterator<Item = &ExperimentRun> {
        let now = self.simulation.ticks();
        self.runs.iter().map(|run| &run.shown).filter(move |run| run.over > now)
    }

    /// Experiments that are over, in the order in which they began.
    pub fn past(&self) -> impl DoubleEndedIterator<Item = &ExperimentRun> {
        let now = self.simulation.ticks();
        self.runs.iter().map(|run| &run.shown).filter(move |run| run.over <= now)
    }

    /// Experiments of the log that the simulation has not reached, with their ticks.
    pub fn waiting(&self) -> impl Iterator<Item = (u64, &Experiment)> {
        self.pending.iter().filter_map(|entry| match &entry.command {
            ChaosCommand::Inject(experiment) => Some((entry.tick, experiment)),
            _ => None,
        })
    }

    /// The experiment of an id that has begun.
    #[must_use]
    pub fn run(&self, id: ExperimentId) -> Option<&ExperimentRun> {
        self.runs.iter().map(|run| &run.shown).find(|run| run.experiment.id == id)
    }
}

impl Run {
    /// Takes its last ticks from its faults, as far as they are under way.
    fn follow(&mut self, simulation: &Simulation) {
        for (ends, over) in self.faults.iter().filter_map(|&fault| simulation.ends_of(fault)) {
            self.shown.ends = self.shown.ends.max(ends);
            self.shown.over = self.shown.over.max(over);
        }
    }
}
