//! How an engine's thread begins: the last checkpoint, what the log says of the time before, and the journal after it.

use super::{Checkpointing, Worker, changes_nothing, thresholds};
use crate::{
    ServerError, WatchConfig,
    runtime::{
        About, Clock, EventRing, Handle, HistoryWriter, Numbered, Recent, Reporter, Resume, Sharding,
        Snapshot, StoreState, channel, views::past::past_events,
    },
    watch::WatchSummary,
};
use forewarn_live::{Engine, EngineModels, Input, LedgerBook, ServedModel};
use forewarn_store::{Recovery, Retention, Store, StoreOptions};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    mem,
    sync::{Arc, Mutex},
    time::Duration,
};

/// What an engine's thread is started with.
pub(crate) struct WorkerOptions<'a> {
    pub(crate) config: &'a WatchConfig,
    /// The models by name, the main one first.
    pub(crate) models: Vec<(String, Arc<ServedModel>)>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) reporter: Reporter,
}

impl Worker {
    /// Restores the last checkpoint. The journal after it is replayed by [`run`](Self::run).
    pub(crate) fn open(options: WorkerOptions<'_>) -> Result<(Self, Handle), ServerError> {
        let WorkerOptions { config, models, clock, reporter } = options;
        let folder = &config.store.path;
        let store_options = StoreOptions::default()
            .with_durability(config.store.durability.into())
            .with_retention(Retention::Bytes(config.store.journal_bytes))
            .with_events(&config.events.path);
        let store = Store::open(folder, &store_options)?;
        let recovery = store.recovery();
        report_recovery(recovery, &reporter);
        let engine = engine_of(config, &models, &store)?;
        let sharding = Sharding::open(config)?;
        report_foreign(sharding.as_ref(), &engine, &reporter);
        let mut recent = Recent::new(config.recent);
        let mut events = EventRing::new(config.recent.events);
        let end = recovery.checkpoint.as_ref().map_or(0, forewarn_store::Checkpoint::next_seq);
        let step = models[0].1.step();
        let empty = LedgerBook::new(step);
        let mut ledger =
            models.iter().fold(empty, |book, (name, model)| book.with_window(name, model.window()));
        let past = past_events(&config.events.path, end, |past| {
            past.iter().for_each(|event| ledger.take(event));
            recent.extend(&past, &BTreeMap::new());
            events.extend(past.into_iter().map(|event| Arc::new(Numbered::new(event))).collect());
        });
        match past {
            Ok(0) => {}
            Ok(unclear) => reporter.tell(format!("passed over {unclear} lines of the log of events")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => reporter.tell(format!("the log of events cannot be read back: {error}")),
        }
        events.begin_at(engine.next_event());
        let history = config.store.history_options().map(|options| {
            HistoryWriter::start(&folder.join("history"), options, engine.metrics(), reporter.clone())
        });
        let history = history.transpose()?;
        let view = engine.view();
        let about = About {
            metrics: engine.metrics().clone(),
            step,
            rule: engine.rule().clone(),
            engine: config.engine(),
            models,
            ledger: Mutex::new(ledger),
            past: history.as_ref().map(|history| Arc::clone(history.past())),
        };
        let snapshot = Snapshot {
            about: Arc::new(about),
            recent,
            events,
            started: clock.now(),
            now: clock.now(),
            is_ready: false,
            replayed: 0,
            live_from: engine.next_event(),
            last_row: view.next.and_then(|next| next.checked_add(step, -1)),
            sources: BTreeMap::new(),
            other_shards: 0,
            store: StoreState::default(),
            view: Arc::new(view),
        };
        let (handle, side) = channel(snapshot.clone());
        let worker = Self {
            checkpointing: Checkpointing::new(config.store.checkpoint_minutes, engine.counters().minutes),
            thresholds: thresholds(&snapshot.view),
            engine,
            sharding,
            store,
            history,
            ledger_day: i64::MIN,
            side,
            snapshot,
            clock,
            reporter,
            unpublished: Vec::new(),
            published: Duration::ZERO,
            is_degraded: false,
            minutes_before: 0,
            summary: WatchSummary::default(),
        };
        Ok((worker, handle))
    }

    /// Goes on from the last checkpoint, and publishes.
    pub(super) fn replay(&mut self) -> Result<Resume, ServerError> {
        let (mut taken, mut minutes) = (BTreeSet::new(), self.engine.counters().minutes);
        for record in self.store.tail()? {
            let record = record?;
            let input: Input = postcard::from_bytes(&record.bytes)
                .map_err(|source| ServerError::Record { seq: record.seq, source })?;
            match &input {
                Input::Row { service, time, .. } => drop(taken.insert((*time, service.clone()))),
                Input::Advance { .. } => taken.clear(),
                _ => {}
            }
            match self.engine.apply(input) {
                Ok(events) => self.log(record.seq, events)?,
                Err(error) if changes_nothing(&error) => {}
                Err(error) => return Err(error.into()),
            }
            let closed = self.engine.counters().minutes;
            if mem::replace(&mut minutes, closed) != closed {
                self.remember();
                self.thresholds = thresholds(&self.engine.view());
            }
            self.summary.replayed += 1;
        }
        // Warnings of the replay were told before.
        (self.summary.warnings, self.summary.failures) = (0, 0);
        self.minutes_before = minutes;
        self.snapshot.replayed = self.summary.replayed;
        self.snapshot.live_from = self.engine.next_event();
        self.snapshot.is_ready = true;
        self.publish();
        Ok(Resume { next: self.engine.next(), taken })
    }
}

/// The engine as the last checkpoint of a store has it, or a new one. The journal after it is still to be replayed.
///
/// # Errors
/// [`ServerError::State`] for a checkpoint of another configuration or other models.
pub(crate) fn engine_of(
    config: &WatchConfig,
    models: &[(String, Arc<ServedModel>)],
    store: &Store,
) -> Result<Engine, ServerError> {
    let folder = &config.store.path;
    let Some(checkpoint) = &store.recovery().checkpoint else {
        return Ok(Engine::new(config.engine(), engine_models(models)?)?);
    };
    let mut state = Vec::new();
    let file = |source| ServerError::File { path: folder.clone(), source };
    checkpoint.state()?.read_to_end(&mut state).map_err(file)?;
    Engine::restore(config.engine(), engine_models(models)?, &state)
        .map_err(|source| ServerError::State { path: folder.clone(), source: Box::new(source) })
}

/// Services that were this shard's before the shards were divided otherwise.
fn report_foreign(sharding: Option<&Sharding>, engine: &Engine, reporter: &Reporter) {
    let Some(sharding) = sharding else { return };
    let services = engine.view().services;
    let foreign = services.iter().filter(|service| !sharding.is_own(&service.name)).count();
    if foreign > 0 {
        reporter.tell(format!(
            "{foreign} services are of other shards, and get no rows here: stop, and hand them over by forewarn state \
             export"
        ));
    }
}

fn engine_models(models: &[(String, Arc<ServedModel>)]) -> Result<EngineModels, ServerError> {
    let mut all = models.iter().map(|(name, model)| (name.clone(), Arc::clone(model)));
    let Some((name, main)) = all.next() else {
        return Err(ServerError::Config { reason: "model: there is none".to_owned() });
    };
    Ok(all.fold(EngineModels::new(name, main), |models, (name, model)| models.with_shadow(name, model)))
}

fn report_recovery(recovery: &Recovery, reporter: &Reporter) {
    for damaged in &recovery.damaged_checkpoints {
        reporter.tell(format!("passed over a damaged checkpoint: {damaged}"));
    }
    if recovery.torn_bytes > 0 {
        let bytes = recovery.torn_bytes;
        reporter.tell(format!("cut {bytes} bytes that the last end had torn off the journal"));
    }
}
