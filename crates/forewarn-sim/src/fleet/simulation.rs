use crate::SimError;
use crate::fleet::{
    FaultId, FaultRecord, Fleet, Injection,
    active::Active,
    effects::Effects,
    load::Drift,
    plan::{Plan, TICK_SECONDS, TICKS},
    random::{Draws, Stream},
    state::State,
    tally::Tally,
};
use forewarn_schema::{Step, Timestamp};
use std::{fmt, sync::Arc};

mod live;

/// Deviation of the wandering factor on a service's own time, and minutes in which it forgets.
const DRIFT: (f64, f64) = (0.04, 30.0);
/// Share of failing requests at an entry that calls an engineer, and what becomes of the load meanwhile.
const EMERGENCY: f64 = 0.25;
const SHED: f64 = 0.25;
const SHED_MINUTES: u32 = 5;
/// Minutes of emergency before anybody looks.
const PATIENCE_MINUTES: u32 = 5;

/// A fleet that runs: minute after minute, with faults that come by themselves and faults that are injected by hand.
///
/// A simulation is a value: its [`Clone`] goes on exactly as the original does. [`fork`](Self::fork) gives one that
/// has the same present and another future.
///
/// Memory: about 0.6 kB a service, 0.2 kB a call.
///
/// # Examples
/// ```
/// use forewarn_sim::fleet::{FaultKind, Fleet, Injection};
///
/// let mut simulation = Fleet::shop(7).simulation()?;
/// let fault = simulation.inject(&Injection::new(FaultKind::HttpAbort, "user").with_severity(0.5).with_duration_minutes(10.0))?;
/// simulation.step();
/// let user = simulation.blueprint().index_of("user")?;
/// assert!(simulation.metrics(user)[1] > 0.3, "half of the requests are aborted");
/// simulation.stop(fault);
/// assert!(simulation.log().iter().any(|record| record.id == fault && record.ended.is_some()));
/// # Ok::<(), forewarn_sim::SimError>(())
/// ```
#[derive(Clone)]
pub struct Simulation {
    plan: Arc<Plan>,
    state: State,
    world: Draws,
    telemetry: Draws,
    noises: Vec<[f64; 2]>,
    users: Vec<f64>,
    active: Vec<Active>,
    log: Vec<FaultRecord>,
    start: Timestamp,
    seed: u64,
    tick: u64,
    /// Minutes that entries have been failing, and minutes for which load is still shed.
    emergency: u32,
    shedding: u32,
    next_id: u32,
    /// A fault that does not happen, where the simulation asks what would have been without it.
    without: Option<FaultId>,
    metrics: Vec<[f32; 10]>,
    /// What services had done in the minute before its last tick.
    before: Vec<Tally>,
    /// Of the strongest fault on each service at the end of the minute.
    intensities: Vec<f64>,
    is_logging: bool,
    /// Faults that a scenario injects, by minute, the last first.
    pending: Vec<(usize, Injection, usize)>,
}

impl Fleet {
    /// A simulation that stands before the first minute. It can be stepped beyond [`minutes`](Self::minutes).
    ///
    /// # Errors
    /// Those of [`check`](Self::check).
    pub fn simulation(&self) -> Result<Simulation, SimError> {
        self.check()?;
        Ok(Simulation::new(self))
    }
}

impl Simulation {
    fn new(fleet: &Fleet) -> Self {
        let plan =
            Plan::new(fleet.blueprint.clone(), fleet.load.clone(), &fleet.faults, fleet.on_call_minutes);
        let (services, entries) = (plan.services.len(), plan.entries.len());
        let mut simulation = Self {
            state: State::new(&plan),
            world: Draws::new(fleet.seed, Stream::WORLD),
            telemetry: Draws::new(fleet.seed, Stream::TELEMETRY),
            noises: vec![[0.0; 2]; entries],
            users: vec![0.0; entries],
            active: Vec::new(),
            log: Vec::new(),
            start: fleet.start,
            seed: fleet.seed,
            tick: 0,
            emergency: 0,
            shedding: 0,
            next_id: 0,
            without: None,
            metrics: vec![[f32::NAN; 10]; services],
            before: vec![Tally::default(); services],
            intensities: vec![0.0; services],
            is_logging: true,
            pending: fleet.pending(),
            plan: Arc::new(plan),
        };
        simulation.settle();
        simulation
    }

    /// Ten minutes at the first minute's load, so that queues are in balance when the first minute begins.
    fn settle(&mut self) {
        self.set_users();
        for _ in 0..10 * TICKS {
            self.state.tick(&self.plan, &self.users);
        }
        self.state.tallies.fill(Tally::default());
    }

    /// The services and calls that are simulated.
    #[must_use]
    pub fn blueprint(&self) -> &crate::fleet::Blueprint {
        &self.plan.blueprint
    }

    /// Whole minutes that have passed.
    #[must_use]
    pub fn minutes(&self) -> usize {
        (self.tick / TICKS) as usize
    }

    /// Time of the minute that comes next, or that is under way.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.time_of(self.tick)
    }

    fn time_of(&self, tick: u64) -> Timestamp {
        // Whole minutes: the calendar was checked for them.
        self.start.checked_add(Step::MINUTE, (tick / TICKS) as i64).unwrap_or(self.start)
    }

    /// The last minute's metrics of a service, by its position in the graph: the ten of
    /// [`Schema::v1`](forewarn_schema::Schema::v1). NaN before the first minute, and where there is nothing to
    /// measure: no request has no latency.
    ///
    /// # Panics
    /// Beyond the last service.
    #[must_use]
    pub fn metrics(&self, service: usize) -> &[f32; 10] {
        &self.metrics[service]
    }

    /// The faults that have begun, in the order in which they did.
    #[must_use]
    pub fn log(&self) -> &[FaultRecord] {
        &self.log
    }

    /// Injects a fault, which begins with the next [`tick`](Self::tick), beside whatever else goes wrong.
    ///
    /// # Errors
    /// [`SimError::UnknownService`], [`SimError::InvalidField`], [`SimError::MisplacedFault`].
    pub fn inject(&mut self, injection: &Injection) -> Result<FaultId, SimError> {
        let target = injection.check(&self.plan.blueprint)?;
        Ok(self.begin(injection, target, self.tick, true))
    }

    /// Lets the recovery of a fault begin now. Returns whether there was anything to stop.
    pub fn stop(&mut self, fault: FaultId) -> bool {
        let tick = self.tick;
        let Some(active) = self.active.iter_mut().find(|active| active.id == fault) else { return false };
        let is_stopped = active.stop(tick);
        if active.is_over(tick) {
            self.close_log(fault);
        }
        is_stopped
    }

    /// Stops every fault. Returns how many.
    pub fn stop_all(&mut self) -> usize {
        let ids: Vec<FaultId> = self.active.iter().map(|active| active.id).collect();
        ids.into_iter().filter(|&id| self.stop(id)).count()
    }

    /// The same present with another future: all that chance decides from now on is drawn from stream `stream` of the
    /// seed. The same present and stream have the same future. Faults that a scenario would inject later are no part
    /// of the present.
    #[must_use]
    pub fn fork(&self, stream: u64) -> Self {
        let mut fork = self.clone();
        fork.branch(stream);
        fork
    }

    /// [`fork`](Self::fork) in the memory of a simulation that is no longer needed.
    pub(crate) fn fork_into(&self, stream: u64, fork: &mut Self) {
        fork.state.copy_from(&self.state);
        fork.noises.copy_from_slice(&self.noises);
        fork.active.clone_from(&self.active);
        fork.log.clear();
        (fork.tick, fork.emergency, fork.shedding) = (self.tick, self.emergency, self.shedding);
        fork.next_id = self.next_id;
        fork.is_logging = false;
        fork.branch(stream);
    }

    fn branch(&mut self, stream: u64) {
        let stream = Stream::FIRST_FREE.wrapping_add(stream.wrapping_mul(2));
        self.pending.clear();
        self.world = Draws::new(self.seed, Stream(stream));
        self.telemetry = Draws::new(self.seed, Stream(stream.wrapping_add(1)));
    }

    /// The same simulation, in which one fault never begins.
    pub(crate) fn without(&self, fault: FaultId) -> Self {
        Self { without: Some(fault), is_logging: false, log: Vec::new(), ..self.clone() }
    }

    /// Whether everything that the future depends on is as in another simulation of the same fleet, to a billionth.
    pub(crate) fn has_converged_to(&self, other: &Self) -> bool {
        self.active.len() == other.active.len()
            && (self.emergency, self.shedding) == (other.emergency, other.shedding)
            && self.state.is_close_to(&other.state)
    }

    /// Lets a minute pass, or the rest of the one that is under way.
    pub fn step(&mut self) {
        while !self.tick() {}
    }

    /// Lets five seconds pass. Returns whether a minute ended with them, so that it has [`metrics`](Self::metrics).
    pub fn tick(&mut self) -> bool {
        if self.tick.is_multiple_of(TICKS) {
            self.begin_minute();
        }
        self.before.copy_from_slice(&self.state.tallies);
        self.advance_faults();
        self.state.tick(&self.plan, &self.users);
        self.tick += 1;
        let is_whole = self.tick.is_multiple_of(TICKS);
        if is_whole {
            self.end_minute();
        }
        is_whole
    }

    /// Faults and users of the coming minute.
    fn begin_minute(&mut self) {
        while let Some((_, injection, target)) =
            self.pending.pop_if(|(at, ..)| (*at as u64).saturating_mul(TICKS) <= self.tick)
        {
            self.begin(&injection, target, self.tick, true);
        }
        let arrivals = self.plan.arrivals.minute(&self.plan.blueprint, &mut self.world);
        for (injection, second) in arrivals {
            let late = (second / TICK_SECONDS) as u64;
            // What is drawn from the graph is in it.
            if let Ok(target) = self.plan.blueprint.index_of(&injection.target) {
                self.begin(&injection, target, self.tick + late, false);
            }
        }
        let noises = self.plan.load.noises();
        for noise in &mut self.noises {
            for (value, drift) in noise.iter_mut().zip(noises) {
                *value = drift.step(*value, &mut self.world);
            }
        }
        let drift = Drift::new(DRIFT.0, DRIFT.1);
        for service in &mut self.state.services {
            service.drift = drift.step(service.drift, &mut self.world);
            service.noise = crate::fleet::math::exp(service.drift);
        }
        self.set_users();
        self.state.tallies.fill(Tally::default());
    }

    /// What monitoring and engineers see of the minute.
    fn end_minute(&mut self) {
        let rows = self.metrics.iter_mut().zip(&self.state.tallies).zip(&self.plan.services);
        for ((row, tally), plan) in rows {
            *row = tally.sample(plan, &mut self.telemetry);
        }
        self.intensities.fill(0.0);
        for active in &self.active {
            let strongest = &mut self.intensities[active.target];
            *strongest = strongest.max(active.intensity(self.tick));
        }
        self.call_engineer();
    }

    fn set_users(&mut self) {
        let shed = if self.shedding > 0 { SHED } else { 1.0 };
        let season = self.plan.load.season(self.time_of(self.tick)) * shed;
        for ((users, noise), &entry) in self.users.iter_mut().zip(&self.noises).zip(&self.plan.entries) {
            *users =
                self.plan.services[entry].arrivals * season * crate::fleet::math::exp(noise[0] + noise[1]);
        }
    }

    fn begin(&mut self, injection: &Injection, target: usize, tick: u64, is_injected: bool) -> FaultId {
        let id = FaultId(self.next_id);
        self.next_id += 1;
        if self.without == Some(id) {
            return id;
        }
        self.active.push(Active::new(id, injection, target, tick));
        if self.is_logging {
            let onset = self.time_of(tick);
            self.log.push(FaultRecord { id, injection: injection.clone(), onset, ended: None, is_injected });
        }
        id
    }

    /// Brings the effects of all faults up to the present tick.
    fn advance_faults(&mut self) {
        if self.active.is_empty() {
            return;
        }
        let tick = self.tick;
        for active in &self.active {
            self.state.effects[active.target] = Effects::NONE;
            if active.strikes(tick) {
                self.state.strike(&self.plan, active.kind, active.target, active.severity);
            }
            if active.mends(tick) {
                self.state.mend(&self.plan, active.kind, active.target);
            }
        }
        for index in 0..self.active.len() {
            if self.active[index].is_over(tick) {
                self.close_log(self.active[index].id);
            }
        }
        self.active.retain(|active| !active.is_over(tick));
        for active in &self.active {
            let intensity = active.intensity(tick);
            if intensity > 0.0 {
                let plan = &self.plan.services[active.target];
                self.state.effects[active.target].add(active.kind, intensity, plan);
            }
        }
    }

    fn close_log(&mut self, fault: FaultId) {
        let time = self.time_of(self.tick);
        if let Ok(at) = self.log.binary_search_by_key(&fault, |record| record.id) {
            self.log[at].ended.get_or_insert(time);
        }
    }

    /// When users have suffered for a while, somebody turns most of them away until the system has caught its breath.
    fn call_engineer(&mut self) {
        // Drawn in any case, so that luck does not depend on what happens.
        let luck = self.world.uniform();
        self.shedding = self.shedding.saturating_sub(1);
        let Some(minutes) = self.plan.on_call_minutes else { return };
        let suffers = |&entry: &usize| self.state.tallies[entry].error() > EMERGENCY;
        let is_emergency = self.plan.entries.iter().any(suffers);
        self.emergency = if is_emergency { self.emergency + 1 } else { 0 };
        if self.emergency > PATIENCE_MINUTES && self.shedding == 0 && luck * minutes < 1.0 {
            self.shedding = SHED_MINUTES;
        }
    }

    /// The last minute's hidden state of a service, in the columns of [`hidden_schema`](crate::fleet::hidden_schema).
    ///
    /// # Panics
    /// Beyond the last service.
    #[must_use]
    pub fn hidden(&self, service: usize) -> [f32; 10] {
        let state = &self.state.services[service];
        let intensity = self.intensities[service];
        self.state.tallies[service].hidden(state.number, state.crew.warmth, state.crew.up, intensity)
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.plan.services.len();
        f.debug_struct("Simulation")
            .field("services", &services)
            .field("now", &self.now())
            .field("active", &self.active.len())
            .finish_non_exhaustive()
    }
}
