//! The engine's thread.

mod checkpoints;
mod open;

pub(crate) use open::{WorkerOptions, engine_of};

use super::{
    Ack, Clock, HistoryWriter, Numbered, Refused, Reporter, Resume, Sharding, Snapshot, StoreState,
    handle::{Command, EngineSide},
};
use crate::{ServerError, watch::WatchSummary};
use checkpoints::Checkpointing;
use forewarn_live::{Engine, Event, EventBody, FailureState, Input, LiveError, WarningState};
use forewarn_schema::Timestamp;
use forewarn_store::{EventId, Journal, Store};
use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, PoisonError, mpsc::SyncSender},
    time::Duration,
};

/// Inputs that share one commit, or a few more.
const GROUP: usize = 50_000;
/// Days that the ledger in memory has, about 2 bytes an hour of each service and model.
const LEDGER_DAYS: i64 = 28;
const DAY_MILLIS: i64 = 86_400_000;
/// Time after which a commit that failed is tried again, and between publications of samples alone.
const IDLE: Duration = Duration::from_secs(1);

/// An engine and what it keeps on disk.
pub(crate) struct Worker {
    engine: Engine,
    /// What of all inputs is its own, where it is one of several shards.
    sharding: Option<Sharding>,
    store: Store,
    side: EngineSide,
    /// What is published next.
    snapshot: Snapshot,
    clock: Arc<dyn Clock>,
    reporter: Reporter,
    checkpointing: Checkpointing,
    history: Option<HistoryWriter>,
    /// The day, since 1970, up to which the ledger was last cleared.
    ledger_day: i64,
    /// Probability from which on each model warns.
    thresholds: BTreeMap<String, f64>,
    /// Events that were not published yet.
    unpublished: Vec<Event>,
    /// When something was published last.
    published: Duration,
    /// Whether the disk failed when it was last asked.
    is_degraded: bool,
    /// Closed minutes when the replay was over.
    minutes_before: u64,
    summary: WatchSummary,
}

/// A command that was taken, and is to be acknowledged.
struct Taken {
    command: Command,
    ack: Ack,
    /// Number after its last record.
    end: u64,
}

impl Worker {
    /// Replays the journal, says what it had to `ready`, and runs until the handles are closed and all is done.
    pub(crate) fn run(mut self, ready: &SyncSender<Resume>) -> Result<WatchSummary, ServerError> {
        let resume = self.replay()?;
        // No one waits for it when the service is asked to end at once.
        ready.send(resume).ok();
        let mut commands = Vec::new();
        while self.side.queue.take(&mut commands, GROUP, IDLE) {
            self.group(mem::take(&mut commands))?;
        }
        self.checkpointing.join(&mut self.store, &self.reporter);
        self.store.commit()?;
        self.publish();
        self.checkpointing.last(&mut self.store, &self.engine, self.history.as_ref())?;
        if let Some(history) = self.history.take() {
            history.end();
        }
        self.summary.minutes = self.engine.counters().minutes - self.minutes_before;
        Ok(self.summary)
    }

    /// Takes commands, commits them together, publishes what came of them and acknowledges them.
    fn group(&mut self, commands: Vec<Command>) -> Result<(), ServerError> {
        let changes_view = commands.iter().flat_map(|command| &command.inputs).any(is_change);
        let taken = commands.into_iter().map(|command| self.take(command)).collect::<Result<Vec<_>, _>>()?;
        let was_degraded = self.is_degraded;
        if !taken.is_empty() || was_degraded {
            self.commit();
        }
        let is_due = !taken.is_empty() && self.clock.elapsed().saturating_sub(self.published) >= IDLE;
        let changes_view = changes_view || was_degraded != self.is_degraded;
        if !self.unpublished.is_empty() || changes_view || is_due {
            self.publish();
        }
        let (kept, next_event) = (self.store.kept_seq(), self.engine.next_event());
        for Taken { command, ack, end } in taken {
            // Who no longer waits needs no answer.
            command.ack.send(Ack { is_kept: end <= kept, next_event, ..ack }).ok();
        }
        let minutes = self.engine.counters().minutes;
        let engine = (&self.engine, self.history.as_ref());
        self.checkpointing.step(&mut self.store, engine, minutes, self.is_degraded, &self.reporter);
        Ok(())
    }

    fn take(&mut self, mut command: Command) -> Result<Taken, ServerError> {
        let mut ack = Ack { first_event: self.engine.next_event(), ..Ack::default() };
        for (index, input) in mem::take(&mut command.inputs).into_iter().enumerate() {
            self.note_source(command.source.as_ref(), &input);
            let Some(input) = self.own_part(input) else { continue };
            let bytes = postcard::to_allocvec(&input)
                .map_err(|source| ServerError::Record { seq: self.store.next_seq(), source })?;
            if bytes.len() > Journal::MAX_RECORD_BYTES {
                let reason = format!("{} bytes: larger than a record of the journal may be", bytes.len());
                ack.refused.push(Refused { index, reason });
                continue;
            }
            let is_row = matches!(input, Input::Row { .. });
            match self.engine.apply(input) {
                Ok(events) => {
                    let seq = self.store.append(&bytes)?;
                    self.summary.rows += u64::from(is_row);
                    self.log(seq, events)?;
                }
                Err(error) if changes_nothing(&error) => {
                    ack.refused.push(Refused { index, reason: error.to_string() });
                }
                Err(error) => return Err(error.into()),
            }
        }
        let end = self.store.next_seq();
        Ok(Taken { command, ack, end })
    }

    /// The part of an input that is this shard's; the rest is counted.
    fn own_part(&mut self, input: Input) -> Option<Input> {
        let Some(sharding) = &self.sharding else { return Some(input) };
        let own = sharding.own_part(input);
        self.snapshot.other_shards += u64::from(own.is_none());
        own
    }

    /// Hands events of a record to the log, and keeps them for the next publication.
    fn log(&mut self, seq: u64, events: Vec<Event>) -> Result<(), ServerError> {
        for (index, event) in (0..).zip(&events) {
            match &event.body {
                EventBody::Warning(warning) if warning.state == WarningState::Firing => {
                    self.summary.warnings += 1;
                }
                EventBody::Failure(failure) if failure.state == FailureState::Confirmed => {
                    self.summary.failures += 1;
                }
                _ => {}
            }
            self.store.write_event(EventId { seq, index }, event)?;
        }
        self.unpublished.extend(events);
        Ok(())
    }

    /// Makes everything so far durable. A disk that fails is told once; scoring goes on, and what could not be written
    /// waits in memory for the next try.
    fn commit(&mut self) {
        match self.store.commit() {
            Ok(_) if self.is_degraded => {
                self.is_degraded = false;
                self.reporter.tell("the disk works again: everything that waited has been written");
            }
            Ok(_) => {}
            Err(error) if !self.is_degraded => {
                self.is_degraded = true;
                self.reporter.tell(format!("the disk fails, scoring goes on and waits for it: {error}"));
            }
            Err(_) => {}
        }
    }

    /// Publishes what stands, and the events since the last time.
    fn publish(&mut self) {
        self.remember();
        let view = self.engine.view();
        self.thresholds = thresholds(&view);
        let health = self.store.health();
        let failing = [&health.journal, &health.events].into_iter().find_map(|condition| match condition {
            forewarn_store::Condition::Degraded { reason, .. } => Some(reason.clone()),
            forewarn_store::Condition::Healthy => None,
        });
        let snapshot = &mut self.snapshot;
        snapshot.last_row = view.next.and_then(|next| next.checked_add(snapshot.about.step, -1));
        snapshot.view = Arc::new(view);
        snapshot.now = self.clock.now();
        snapshot.store = StoreState {
            failing,
            pending_records: health.pending_records,
            pending_bytes: health.pending_bytes,
            pending_events: health.pending_events,
            next_record: self.store.next_seq(),
            checkpoint_error: self.checkpointing.error().map(str::to_owned),
            history_error: self.history.as_ref().and_then(|history| history.past().error()),
        };
        self.published = self.clock.elapsed();
        self.side.publisher.send_replace(Arc::new(self.snapshot.clone()));
    }

    /// Takes the events since the last time into what pages show.
    fn remember(&mut self) {
        let events = mem::take(&mut self.unpublished);
        self.snapshot.recent.extend(&events, &self.thresholds);
        self.keep_ledger(&events);
        let numbered: Vec<_> = events.into_iter().map(|event| Arc::new(Numbered::new(event))).collect();
        if let Some(history) = &self.history {
            history.take(&numbered, &self.thresholds);
        }
        self.snapshot.events.extend(numbered);
    }

    /// Takes the events into the ledger, which has the last weeks.
    fn keep_ledger(&mut self, events: &[Event]) {
        let Some(last) = events.last().map(|event| event.time) else { return };
        let mut ledger = self.snapshot.about.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().for_each(|event| ledger.take(event));
        let day = last.millis().div_euclid(DAY_MILLIS);
        if mem::replace(&mut self.ledger_day, day) != day
            && let Some(first) = Timestamp::from_millis((day - LEDGER_DAYS) * DAY_MILLIS)
        {
            ledger.forget_before(first);
        }
    }

    fn note_source(&mut self, source: Option<&Arc<str>>, input: &Input) {
        let Some(source) = source else { return };
        let now = self.clock.now();
        if !self.snapshot.sources.contains_key(source) {
            self.snapshot.sources.insert(Arc::clone(source), Default::default());
        }
        let Some(age) = self.snapshot.sources.get_mut(source) else { return };
        age.heard = Some(now);
        let time = match input {
            Input::Row { time, .. } => {
                age.rows += 1;
                *time
            }
            Input::Sample { time, .. } => {
                age.samples += 1;
                *time
            }
            _ => return,
        };
        age.last_time = age.last_time.max(Some(time));
    }
}

fn thresholds(view: &forewarn_live::EngineView) -> BTreeMap<String, f64> {
    view.models.iter().map(|model| (model.name.clone(), model.threshold)).collect()
}

/// Whether an input changes what is shown, even if it closes no minute and makes no event.
fn is_change(input: &Input) -> bool {
    !matches!(input, Input::Row { .. } | Input::Sample { .. } | Input::Advance { .. })
}

/// Whether the engine is as it was before.
pub(crate) fn changes_nothing(error: &LiveError) -> bool {
    matches!(
        error,
        LiveError::Unknown { .. }
            | LiveError::Topology(_)
            | LiveError::Handover { .. }
            | LiveError::DuplicateService { .. }
    )
}
