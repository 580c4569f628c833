use crate::{
    ServerError, SourceConfig, WatchConfig,
    source::{FileSource, Minute, SimulatorSource, Source},
};
use forewarn_live::{Engine, EngineModels, EventBody, Input, ServedModel, WarningState};
use forewarn_schema::Timestamp;
use forewarn_store::{EventId, Fingerprints, Store, StoreOptions};
use std::{
    fs::File,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Asks a service to end after the minute that it is at. Clones ask the same service.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks it.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl From<Arc<AtomicBool>> for Stop {
    fn from(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }
}

/// What a service did until it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchSummary {
    /// Records of the journal that were replayed at the start.
    pub replayed: u64,
    /// Minutes taken from the source.
    pub minutes: u64,
    /// Rows taken from it.
    pub rows: u64,
    /// Warnings that were raised.
    pub warnings: u64,
    /// Failures by the failure rule.
    pub failures: u64,
}

/// Time between two looks at a file that is followed.
const POLL: Duration = Duration::from_millis(500);
/// Longest wait before a request to stop is seen.
const SLICE: Duration = Duration::from_millis(50);

/// Runs a live service until its source ends or it is asked to stop: every input goes into the journal before its
/// events go into the file, so that after a kill at any moment the next run goes on where this one was and the file
/// of events has each event once.
///
/// `report` is told what an operator should see, a line at a time.
///
/// # Errors
/// [`ServerError`] for a configuration, model, source or store that cannot be used.
pub fn watch(
    config: &WatchConfig,
    stop: &Stop,
    report: &mut dyn FnMut(&str),
) -> Result<WatchSummary, ServerError> {
    let (models, main) = models(config)?;
    let mut source = open(&config.source, &main)?;
    let options = StoreOptions::default()
        .with_durability(config.store.durability.into())
        .with_events(&config.events.path);
    let mut service = Service::start(config, models, &options, report)?;
    let settle_millis = i64::from(config.engine().settle_secs) * 1000;
    let pace = Pace::new(&config.source, main.step().millis());
    let mut since_checkpoint = 0;
    while !stop.is_stopped() {
        let Some(minute) = source.next()? else {
            if !source.is_followed() {
                break;
            }
            pause(POLL, stop);
            continue;
        };
        // What the journal has already is not taken twice.
        if service.engine.next().is_some_and(|next| minute.time < next) {
            continue;
        }
        pace.wait(service.summary.minutes, stop);
        service.take(minute, settle_millis, report)?;
        since_checkpoint += 1;
        if since_checkpoint >= config.store.checkpoint_minutes {
            service.checkpoint()?;
            since_checkpoint = 0;
        }
    }
    service.checkpoint()?;
    Ok(service.summary)
}

/// An engine and what it keeps on disk.
struct Service {
    engine: Engine,
    store: Store,
    /// Rows of the minute after the last closed one that the journal has already.
    partial: usize,
    /// Whether the disk failed when it was last asked.
    is_degraded: bool,
    summary: WatchSummary,
}

impl Service {
    /// Goes on from the last checkpoint and the journal after it.
    fn start(
        config: &WatchConfig,
        models: EngineModels,
        options: &StoreOptions,
        report: &mut dyn FnMut(&str),
    ) -> Result<Self, ServerError> {
        let store = Store::open(&config.store.path, options)?;
        let recovery = store.recovery();
        for damaged in &recovery.damaged_checkpoints {
            report(&format!("passed over a damaged checkpoint: {damaged}"));
        }
        if recovery.torn_bytes > 0 {
            report(&format!("cut {} bytes that the last end had torn off the journal", recovery.torn_bytes));
        }
        let state = |source| ServerError::State { path: config.store.path.clone(), source };
        let engine = match &recovery.checkpoint {
            Some(checkpoint) => {
                let mut snapshot = Vec::new();
                let file = |source| ServerError::File { path: config.store.path.clone(), source };
                std::io::Read::read_to_end(&mut checkpoint.state()?, &mut snapshot).map_err(file)?;
                Engine::restore(config.engine(), models, &snapshot).map_err(state)?
            }
            None => Engine::new(config.engine(), models)?,
        };
        let mut service =
            Self { engine, store, partial: 0, is_degraded: false, summary: WatchSummary::default() };
        for record in service.store.tail()? {
            let record = record?;
            let input: Input = postcard::from_bytes(&record.bytes)
                .map_err(|source| ServerError::Record { seq: record.seq, source })?;
            service.partial = match &input {
                Input::Row { .. } => service.partial + 1,
                Input::Advance { .. } => 0,
                _ => service.partial,
            };
            service.apply(record.seq, input)?;
            service.summary.replayed += 1;
        }
        // Warnings of the replay were told before.
        (service.summary.warnings, service.summary.failures) = (0, 0);
        Ok(service)
    }

    /// Takes a minute of the source, closes it and keeps everything.
    fn take(
        &mut self,
        minute: Minute,
        settle_millis: i64,
        report: &mut dyn FnMut(&str),
    ) -> Result<(), ServerError> {
        let Minute { time, rows } = minute;
        for (service, values) in rows.into_iter().skip(std::mem::take(&mut self.partial)) {
            self.input(Input::Row { service, time, values })?;
            self.summary.rows += 1;
        }
        // The calendar ends before this overflows.
        let now = Timestamp::from_millis(time.millis().saturating_add(settle_millis)).unwrap_or(time);
        self.input(Input::Advance { now })?;
        self.summary.minutes += 1;
        self.commit(report);
        Ok(())
    }

    fn input(&mut self, input: Input) -> Result<(), ServerError> {
        let bytes = postcard::to_allocvec(&input)
            .map_err(|source| ServerError::Record { seq: self.store.next_seq(), source })?;
        let seq = self.store.append(&bytes)?;
        self.apply(seq, input)
    }

    /// Gives an input to the engine, and its events to the file.
    fn apply(&mut self, seq: u64, input: Input) -> Result<(), ServerError> {
        for (index, event) in (0..).zip(self.engine.apply(input)?) {
            match &event.body {
                EventBody::Warning(warning) if warning.state == WarningState::Firing => {
                    self.summary.warnings += 1;
                }
                EventBody::Failure(failure) if failure.end.is_none() => self.summary.failures += 1,
                _ => {}
            }
            self.store.write_event(EventId { seq, index }, &event)?;
        }
        Ok(())
    }

    /// Makes everything so far durable. A disk that fails is told once; scoring goes on, and what could not be written
    /// waits in memory for the next try.
    fn commit(&mut self, report: &mut dyn FnMut(&str)) {
        match self.store.commit() {
            Ok(_) if self.is_degraded => {
                self.is_degraded = false;
                report("the disk works again: everything that waited has been written");
            }
            Ok(_) => {}
            Err(error) if !self.is_degraded => {
                self.is_degraded = true;
                report(&format!("the disk fails, scoring goes on and waits for it: {error}"));
            }
            Err(_) => {}
        }
    }

    fn checkpoint(&mut self) -> Result<(), ServerError> {
        self.store.commit()?;
        let state = self.engine.snapshot()?;
        // The snapshot says by itself of which configuration and models it is.
        let fingerprints = Fingerprints::default();
        self.store.checkpoint(self.store.next_seq(), fingerprints, |out| out.write_all(&state)).map(drop)?;
        Ok(())
    }
}

/// The models of the configuration, and the main one.
fn models(config: &WatchConfig) -> Result<(EngineModels, Arc<ServedModel>), ServerError> {
    let read = |path: &Path| -> Result<Arc<ServedModel>, ServerError> {
        let file = File::open(path).map_err(|source| ServerError::File { path: path.to_owned(), source })?;
        let model = ServedModel::read(file);
        model.map(Arc::new).map_err(|source| ServerError::Model { path: path.to_owned(), source })
    };
    let name =
        |path: &Path| path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let main = read(&config.model.path)?;
    let mut models = EngineModels::new(name(&config.model.path), Arc::clone(&main));
    for path in &config.model.shadows {
        models = models.with_shadow(name(path), read(path)?);
    }
    Ok((models, main))
}

fn open(config: &SourceConfig, model: &ServedModel) -> Result<Box<dyn Source>, ServerError> {
    Ok(match config {
        SourceConfig::File { path, follow, .. } => Box::new(FileSource::open(path.clone(), *follow, model)?),
        SourceConfig::Simulator { system, scenario, seed, minutes, .. } => {
            Box::new(SimulatorSource::new(*system, scenario.as_deref(), *seed, *minutes, model)?)
        }
    })
}

/// How fast the time of the source passes.
struct Pace {
    started: Instant,
    /// Time between two minutes of it; `None` for as fast as it goes.
    between: Option<Duration>,
}

impl Pace {
    fn new(source: &SourceConfig, step_millis: i64) -> Self {
        let speed = match source {
            SourceConfig::File { speed, .. } | SourceConfig::Simulator { speed, .. } => *speed,
        };
        let seconds = step_millis as f64 / 1000.0 / speed;
        let between = (speed > 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        Self { started: Instant::now(), between }
    }

    /// Waits until it is time for minute number `minutes`.
    fn wait(&self, minutes: u64, stop: &Stop) {
        let Some(between) = self.between else { return };
        let due = between.saturating_mul(u32::try_from(minutes).unwrap_or(u32::MAX));
        pause(due.saturating_sub(self.started.elapsed()), stop);
    }
}

/// Waits, in slices, unless asked to stop.
fn pause(time: Duration, stop: &Stop) {
    let started = Instant::now();
    while !stop.is_stopped() {
        let left = time.saturating_sub(started.elapsed());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(SLICE));
    }
}
