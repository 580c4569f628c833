use super::{
    CallReading, ChaosControl, ChaosError, ChaosExperiment, ChaosKindInfo, ChaosParameters, ChaosPhase,
    ChaosRequest, ChaosState, Reading, Readings, Span, log::ChaosLog, verdict::judge,
};
use crate::{DrillConfig, ServerError, runtime::Handle, text::hex};
use forewarn_schema::Timestamp;
use forewarn_sim::{
    SimError,
    fleet::{
        ChaosCommand, ChaosEntry, ChaosKind, ChaosSession, Experiment, ExperimentId, ExperimentRun, Fleet,
        Simulation,
    },
    stress_walk::MAX_MINUTES,
};
use sha2::{Digest, Sha256};
use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

/// Most experiments that are over and still shown.
const MOST_PAST: usize = 1_000;

/// A simulation that runs, with everything that a person did to it: one lock around both, which is held for the time
/// of a tick, or for as long as it takes to write a line to disk.
#[derive(Debug)]
pub struct SimulatorChaos {
    inner: Mutex<Inner>,
    start: Timestamp,
    /// The clock of the simulation, for readers that must not wait.
    now_millis: AtomicI64,
    /// The service that watches it, to say which failures it announced.
    watcher: OnceLock<Handle>,
}

#[derive(Debug)]
struct Inner {
    session: ChaosSession,
    log: ChaosLog,
}

impl SimulatorChaos {
    /// A simulation that stands before its first minute, with the commands of its log ahead of it.
    ///
    /// # Errors
    /// [`ServerError`] for a log that cannot be read or written, or that is one of another simulation.
    pub fn open(fleet: &Fleet, log: &Path) -> Result<Self, ServerError> {
        let (log, entries) = ChaosLog::open(log, &fingerprint(fleet)?)?;
        let session = ChaosSession::resume(fleet, entries)?;
        let now_millis = AtomicI64::new(fleet.start().millis());
        Ok(Self {
            inner: Mutex::new(Inner { session, log }),
            start: fleet.start(),
            now_millis,
            watcher: OnceLock::new(),
        })
    }

    /// Plans what begins later, unless the log has something already: then it has been planned before.
    pub(crate) fn plan(&self, drills: &[DrillConfig]) -> Result<(), ServerError> {
        let mut inner = self.lock();
        if inner.session.waiting().count() + inner.session.active().count() > 0 {
            return Ok(());
        }
        for drill in drills {
            let kind = drill.kind.parse()?;
            let entry = inner.session.order_later(
                drill.at_minute,
                kind,
                &drill.service,
                drill.severity,
                drill.seconds,
            )?;
            let path = inner.log.path().to_owned();
            inner.carry_out(entry).map_err(|error| match error {
                ChaosError::Storage { path, source } => ServerError::File { path, source },
                other => ServerError::Source { what: path.display().to_string(), reason: other.to_string() },
            })?;
        }
        Ok(())
    }

    /// The clock of the simulation.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_millis.load(Ordering::Relaxed)).unwrap_or(self.start)
    }

    /// From now on [`state`](ChaosControl::state) says which failures the service behind `watcher` announced.
    pub(crate) fn judge_by(&self, watcher: Handle) {
        self.watcher.get_or_init(|| watcher);
    }

    /// Lets five seconds pass. Returns whether a minute ended with them.
    pub(crate) fn tick(&self) -> bool {
        let mut inner = self.lock();
        let is_whole = inner.session.tick();
        self.now_millis.store(self.time(inner.session.simulation().ticks()).millis(), Ordering::Relaxed);
        is_whole
    }

    /// Reads from the simulation between two ticks.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Simulation) -> T) -> T {
        read(self.lock().session.simulation())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A simulation is whole between two calls, whatever a thread did that held it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self, tick: u64) -> Timestamp {
        let millis = i64::try_from(tick.saturating_mul(1_000 * Simulation::TICK_SECONDS)).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.start.millis().saturating_add(millis)).unwrap_or(self.start)
    }

    fn shown(&self, run: &ExperimentRun, simulation: &Simulation) -> ChaosExperiment {
        let now = simulation.ticks();
        let phase = match now {
            now if now >= run.over => ChaosPhase::Over,
            now if now >= run.ends => ChaosPhase::Recovering,
            _ => ChaosPhase::Active,
        };
        let left = run.ends.saturating_sub(now) * Simulation::TICK_SECONDS;
        ChaosExperiment {
            phase,
            started: self.time(run.began),
            ends: self.time(run.ends),
            over: self.time(run.over),
            left_seconds: left as f64,
            stopped: run.is_stopped,
            ..self.asked(run.began, &run.experiment, simulation)
        }
    }

    /// An experiment that has not begun.
    fn asked(&self, tick: u64, experiment: &Experiment, simulation: &Simulation) -> ChaosExperiment {
        let ticks = (experiment.seconds / Simulation::TICK_SECONDS as f64) as u64;
        let ends = self.time(tick.saturating_add(ticks));
        ChaosExperiment {
            id: experiment.id.0,
            kind: experiment.kind.name(),
            service: experiment.service.clone(),
            severity: experiment.severity,
            seconds: experiment.seconds,
            phase: ChaosPhase::Waiting,
            started: self.time(tick),
            ends,
            over: ends,
            left_seconds: experiment.seconds,
            stopped: false,
            reaches: experiment.reaches(simulation.blueprint()).into_iter().map(str::to_owned).collect(),
            warned: None,
            failed: None,
            minutes_ahead: None,
        }
    }

    fn one(&self, inner: &Inner, id: ExperimentId) -> Result<ChaosExperiment, ChaosError> {
        let run = inner.session.run(id).ok_or(ChaosError::NotFound { id: id.0 })?;
        Ok(self.shown(run, inner.session.simulation()))
    }
}

impl Inner {
    /// Writes an entry down, then does what it says.
    fn carry_out(&mut self, entry: ChaosEntry) -> Result<usize, ChaosError> {
        let path = self.log.path().to_owned();
        self.log.append(&entry).map_err(|source| ChaosError::Storage { path, source })?;
        Ok(self.session.carry_out(entry))
    }
}

impl ChaosControl for SimulatorChaos {
    fn kinds(&self) -> Vec<ChaosKindInfo> {
        let inner = self.lock();
        let blueprint = inner.session.simulation().blueprint();
        ChaosKind::all()
            .map(|kind| info(kind, kind.targets(blueprint).map(str::to_owned).collect()))
            .collect()
    }

    fn state(&self) -> ChaosState {
        let inner = self.lock();
        let simulation = inner.session.simulation();
        let waiting =
            inner.session.waiting().map(|(tick, experiment)| self.asked(tick, experiment, simulation));
        let mut active: Vec<ChaosExperiment> =
            inner.session.active().map(|run| self.shown(run, simulation)).chain(waiting).collect();
        active.sort_by_key(|experiment| experiment.id);
        let past = inner.session.past().rev().take(MOST_PAST).map(|run| self.shown(run, simulation));
        let mut state = ChaosState {
            now: self.time(simulation.ticks()),
            most_active: ChaosSession::MOST_ACTIVE,
            past: past.collect(),
            active,
        };
        drop(inner);
        if let Some(watcher) = self.watcher.get() {
            judge(&mut state, &watcher.view().recent);
        }
        state
    }

    fn inject(&self, request: &ChaosRequest) -> Result<ChaosExperiment, ChaosError> {
        let kind: ChaosKind = request.kind.parse().map_err(refusal)?;
        let mut inner = self.lock();
        let entry = inner
            .session
            .order_injection(kind, &request.service, request.severity, request.seconds)
            .map_err(refusal)?;
        let ChaosCommand::Inject(Experiment { id, .. }) = &entry.command else {
            return Err(ChaosError::NotFound { id: 0 });
        };
        let id = *id;
        inner.carry_out(entry)?;
        self.one(&inner, id)
    }

    fn stop(&self, id: u32) -> Result<ChaosExperiment, ChaosError> {
        let mut inner = self.lock();
        if let Some(entry) = inner.session.order_stop(ExperimentId(id)).map_err(refusal)? {
            inner.carry_out(entry)?;
        }
        self.one(&inner, ExperimentId(id))
    }

    fn stop_all(&self) -> Result<Vec<ChaosExperiment>, ChaosError> {
        let mut inner = self.lock();
        let now = inner.session.simulation().ticks();
        let running = inner.session.active().filter(|run| run.ends > now).map(|run| run.experiment.id);
        let running: Vec<ExperimentId> = running.collect();
        if !running.is_empty() {
            let entry = inner.session.order_stop_all();
            inner.carry_out(entry)?;
        }
        running.into_iter().map(|id| self.one(&inner, id)).collect()
    }

    fn reset(&self) -> Result<usize, ChaosError> {
        let mut inner = self.lock();
        let entry = inner.session.order_reset();
        inner.carry_out(entry)
    }

    fn readings(&self) -> Option<Readings> {
        let inner = self.lock();
        let simulation = inner.session.simulation();
        let services = simulation.blueprint().services().iter().enumerate();
        let reading = |(index, service): (usize, &forewarn_sim::fleet::Service)| {
            simulation.reading(index).map(|reading| Reading {
                service: service.name.clone(),
                cpu: reading.cpu,
                memory: reading.memory,
                latency: reading.p95_latency_ms,
                error_rate: reading.error_rate,
                throughput: reading.requests_per_second,
                pods_up: reading.pods_up,
            })
        };
        let calls = simulation.blueprint().calls().iter().enumerate();
        let flow = |(index, call): (usize, &forewarn_sim::fleet::PlannedCall)| {
            simulation.call_reading(index).map(|reading| CallReading {
                client: call.client.clone(),
                server: call.server.clone(),
                requests: reading.requests_per_second,
                error_rate: reading.error_rate,
            })
        };
        Some(Readings {
            time: self.time(simulation.ticks()),
            services: services.filter_map(reading).collect(),
            calls: calls.filter_map(flow).collect(),
        })
    }
}

fn info(kind: ChaosKind, services: Vec<String>) -> ChaosKindInfo {
    let name = kind.name();
    let mut label = name.replace('_', " ");
    label[..1].make_ascii_uppercase();
    let span = |(least, most), usual| Span { least, most, usual };
    ChaosKindInfo {
        kind: name,
        label,
        description: kind.description().to_owned(),
        routine: kind.is_routine(),
        gradual: kind.is_gradual(),
        parameters: ChaosParameters {
            severity: span(ChaosKind::SEVERITY, kind.usual_severity()),
            seconds: span(ChaosKind::SECONDS, kind.usual_seconds()),
        },
        services,
    }
}

/// The simulator's refusal in the words of the API.
fn refusal(error: SimError) -> ChaosError {
    match error {
        SimError::UnknownChaos { name, available } => {
            ChaosError::UnknownKind { kind: name, expected: available }
        }
        SimError::UnknownService { name, available, .. } => {
            ChaosError::UnknownService { service: name, expected: available }
        }
        SimError::MisplacedFault { kind, target, reason } => {
            ChaosError::Misplaced { kind: kind.replace('-', "_"), service: target, reason: reason.to_owned() }
        }
        SimError::InvalidField { field, value, expected, .. } => {
            ChaosError::OutOfRange { field, value, expected: expected.to_owned() }
        }
        SimError::TooManyExperiments { most } => ChaosError::TooMany { most },
        SimError::UnknownExperiment { id } => ChaosError::NotFound { id },
        other => other.into(),
    }
}

/// What a simulation is apart from how long it lasts.
fn fingerprint(fleet: &Fleet) -> Result<String, ServerError> {
    Ok(hex(&Sha256::digest(fleet.clone().with_minutes(MAX_MINUTES).to_toml()?)))
}

#[cfg(test)]
mod tests;
