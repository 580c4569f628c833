//! The laws of live sources, as checks for the tests of your own: behind the feature `conformance`.
//!
//! ```no_run
//! use forewarn_live::ServedModel;
//! use forewarn_server::runtime::{Source, conformance::{Ends, source}};
//! use std::sync::Arc;
//! # fn my_source() -> Box<dyn Source> { unimplemented!() }
//!
//! let model = Arc::new(ServedModel::read(std::fs::File::open("model.safetensors")?)?);
//! source(&model, Ends::ByItself, || Ok(my_source()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::{
    About, Ack, Clock, EventRing, Handle, Recent, Reporter, Resume, Snapshot, Source, SourceContext, Stop,
    StoreState, channel,
    handle::{Command, EngineSide},
};
use crate::{RecentConfig, ServerError};
use forewarn_label::Rule;
use forewarn_live::{Engine, EngineConfig, EngineModels, Input, LedgerBook, ServedModel};
use forewarn_schema::{Timestamp, printable};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How long a source may take to end after it was asked to, or after the service ended.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long one that does not end by itself, or whose service has ended, may send nothing before it is asked to stop.
const IDLE: Duration = Duration::from_secs(1);

/// A law that a source breaks, and how it was seen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{law}: {found}")]
#[non_exhaustive]
pub struct Breach {
    /// The law, as a sentence.
    pub law: &'static str,
    /// What was found instead.
    pub found: String,
}

/// When a source ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// It has an end, and gives the same inputs whenever it is asked from the beginning: a file, a simulation.
    ByItself,
    /// It goes on until it is asked to stop, which is done after this number of batches, or a second without any: a
    /// server that is asked again and again. What it gives may differ from one run to the next.
    WhenAsked {
        /// Batches.
        batches: usize,
    },
}

/// Checks the laws that every live source keeps, in a service whose model is `model` and whose clock does not wait:
///
/// - its name is a line of printable text, and running does not change it;
/// - it ends soon after it is asked to, and without an error after the service has ended;
/// - each row has a value or NaN for every metric, never infinity, and rows are whole steps of the model apart;
/// - a service has one row at a time, and the clock never goes back;
/// - the engine takes all of it without an error;
/// - what the journal has already is not sent again.
///
/// For one that ends [by itself](Ends::ByItself), also:
///
/// - asked from the beginning it sends the same inputs;
/// - after a restart it goes on with the rows that the journal lacks, and sends all of them.
///
/// `open` makes the source as a service does when it starts, and is called for each run.
///
/// # Errors
/// The first [`Breach`].
pub fn source(
    model: &Arc<ServedModel>,
    ends: Ends,
    mut open: impl FnMut() -> Result<Box<dyn Source>, ServerError>,
) -> Result<(), Breach> {
    let mut opened = || works(open(), "a source can be opened");
    let most = match ends {
        Ends::ByItself => usize::MAX,
        Ends::WhenAsked { batches } => batches,
    };
    // Asked to stop before it began, and a service that has ended.
    run(opened()?, model, Resume::default(), Some(0))?;
    run(opened()?, model, Resume::default(), None)?;
    let first = run(opened()?, model, Resume::default(), Some(most))?;
    let rows = check(&first, model, &Resume::default())?;

    let (resume, left) = half(rows);
    let second = run(opened()?, model, resume.clone(), Some(most))?;
    let after = check(&second, model, &resume)?;
    if ends == Ends::ByItself {
        let again = run(opened()?, model, Resume::default(), Some(most))?;
        let law = "asked from the beginning, a source sends the same inputs";
        holds(same_inputs(&again, &first), law, || {
            format!("{} batches, and {} the first time", again.len(), first.len())
        })?;
        let law = "after a restart a source sends the rows that the journal lacks";
        holds(after == left, law, || format!("{} rows of {}", after.len(), left.len()))?;
    }
    Ok(())
}

/// Rows by time and service, as bits.
type SentRows = BTreeMap<(Timestamp, String), Vec<u32>>;

/// What a journal has after half of the rows, and the rows that are left.
fn half(mut rows: SentRows) -> (Resume, SentRows) {
    let middle = rows.keys().nth(rows.len() / 2).cloned();
    let Some((next, service)) = middle else { return (Resume::default(), rows) };
    // The minutes before `next` are closed, and of `next` one row has come.
    let taken = BTreeSet::from([(next, service.clone())]);
    let mut left = rows.split_off(&(next, String::new()));
    left.remove(&(next, service));
    (Resume { next: Some(next), taken }, left)
}

/// The rows of a run that keeps the laws of what is sent.
fn check(batches: &[Vec<Input>], model: &ServedModel, resume: &Resume) -> Result<SentRows, Breach> {
    let (width, step) = (model.metrics().len(), model.step().millis());
    let (mut rows, mut clock, mut phase) = (SentRows::new(), None::<Timestamp>, None);
    for input in batches.iter().flatten() {
        match input {
            Input::Row { service, time, values } => {
                let at = || format!("{service} at {time}");
                let law = "a row has a value or NaN for every metric, never infinity";
                let is_sound = values.len() == width && !values.iter().any(|value| value.is_infinite());
                holds(is_sound, law, || format!("{}: {values:?}, expected {width} values", at()))?;
                let own = time.millis().rem_euclid(step);
                let law = "rows are whole steps of the model apart";
                holds(*phase.get_or_insert(own) == own, law, at)?;
                let key = (*time, service.clone());
                let is_new = resume.next.is_none_or(|next| *time >= next) && !resume.taken.contains(&key);
                holds(is_new, "what the journal has already is not sent again", at)?;
                let bits = values.iter().map(|value| value.to_bits()).collect();
                holds(rows.insert(key, bits).is_none(), "a service has one row at a time", at)?;
            }
            Input::Advance { now } => {
                let before = clock.replace(*now);
                holds(before.is_none_or(|before| before <= *now), "the clock never goes back", || {
                    format!("{now} after {}", before.unwrap_or(*now))
                })?;
            }
            _ => {}
        }
    }
    Ok(rows)
}

/// Equal, where NaN equals itself.
fn same_inputs(one: &[Vec<Input>], other: &[Vec<Input>]) -> bool {
    let text = |batches: &[Vec<Input>]| postcard::to_allocvec(batches).ok();
    text(one) == text(other)
}

/// A service that takes what a source sends, one batch after another.
struct Taker {
    engine: Engine,
    side: EngineSide,
    snapshot: Snapshot,
    batches: Vec<Vec<Input>>,
}

impl Taker {
    fn start(model: &Arc<ServedModel>) -> Result<(Self, Handle), Breach> {
        let rule = model.rule().cloned().unwrap_or_else(Rule::v1);
        let config = EngineConfig { rule: Some(rule), ..EngineConfig::default() };
        let models = EngineModels::new("model", Arc::clone(model));
        let engine = works(Engine::new(config.clone(), models), "a model can be served")?;
        let about = About {
            metrics: engine.metrics().clone(),
            step: model.step(),
            rule: engine.rule().clone(),
            engine: config,
            models: vec![("model".to_owned(), Arc::clone(model))],
            ledger: Mutex::new(LedgerBook::new(model.step())),
            past: None,
        };
        let recent = RecentConfig::default();
        let snapshot = Snapshot {
            about: Arc::new(about),
            view: Arc::new(engine.view()),
            other_shards: 0,
            recent: Recent::new(recent),
            events: EventRing::new(recent.events),
            started: Hurried::START,
            now: Hurried::START,
            is_ready: true,
            replayed: 0,
            live_from: 0,
            last_row: None,
            sources: BTreeMap::new(),
            store: StoreState::default(),
        };
        let (handle, side) = channel(snapshot.clone());
        Ok((Self { engine, side, snapshot, batches: Vec::new() }, handle))
    }

    /// Applies and acknowledges a batch.
    fn take(&mut self, command: Command) -> Result<(), Breach> {
        let first_event = self.engine.next_event();
        for input in &command.inputs {
            works(self.engine.apply(input.clone()), "the engine takes all of a source without an error")?;
        }
        self.snapshot.view = Arc::new(self.engine.view());
        self.side.publisher.send_replace(Arc::new(self.snapshot.clone()));
        self.batches.push(command.inputs);
        let next_event = self.engine.next_event();
        // A source that has ended does not wait for it.
        drop(command.ack.send(Ack { is_kept: true, first_event, next_event, refused: Vec::new() }));
        Ok(())
    }
}

/// Runs a source, which is asked to stop after `most` batches; `None` for a service that has ended.
fn run(
    mut source: Box<dyn Source>,
    model: &Arc<ServedModel>,
    resume: Resume,
    most: Option<usize>,
) -> Result<Vec<Vec<Input>>, Breach> {
    let name = source.name().to_owned();
    let law = "a name is a line of printable text";
    holds(!name.trim().is_empty() && printable(&name) == name, law, || format!("{name:?}"))?;
    let (mut taker, handle) = Taker::start(model)?;
    let (stop, (reporter, _lines)) = (Stop::default(), Reporter::new());
    let context = SourceContext {
        handle: handle.named(&name),
        clock: Arc::new(Hurried::default()),
        stop: stop.clone(),
        reporter,
        metrics: model.metrics().clone(),
        step: model.step(),
        resume: Arc::new(resume),
    };
    if most.is_none() {
        handle.close();
    }
    let source = thread::spawn(move || {
        let result = source.run(&context);
        (source.name().to_owned(), result)
    });
    let (mut commands, mut asked, mut heard) = (Vec::new(), None, Instant::now());
    while !source.is_finished() {
        let is_idle = most != Some(usize::MAX) && heard.elapsed() > IDLE;
        if asked.is_none() && (is_idle || most.is_some_and(|most| taker.batches.len() >= most)) {
            stop.stop();
            asked = Some(Instant::now());
        }
        let is_late = asked.is_some_and(|asked: Instant| asked.elapsed() > PATIENCE);
        holds(!is_late, "a source ends soon after it is asked to", || format!("it runs after {PATIENCE:?}"))?;
        taker.side.queue.take(&mut commands, 1, Duration::from_millis(5));
        if !commands.is_empty() {
            heard = Instant::now();
        }
        commands.drain(..).try_for_each(|command| taker.take(command))?;
    }
    // What it did not wait for.
    taker.side.queue.take(&mut commands, usize::MAX, Duration::ZERO);
    commands.drain(..).try_for_each(|command| taker.take(command))?;
    let law = "a source does not panic";
    let (after, result) = source.join().map_err(|_| Breach { law, found: "it did".to_owned() })?;
    holds(after == name, "running does not change a name", || format!("{after:?} after {name:?}"))?;
    works(result, "a source ends without an error when it is asked to, and when the service has ended")?;
    Ok(taker.batches)
}

/// A clock on which nothing waits: whoever sleeps moves it.
#[derive(Debug, Default)]
struct Hurried(Mutex<Duration>);

impl Hurried {
    const START: Timestamp = Timestamp::EPOCH;

    fn lock(&self) -> MutexGuard<'_, Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for Hurried {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(Self::START.millis().saturating_add(passed)).unwrap_or(Self::START)
    }

    fn elapsed(&self) -> Duration {
        *self.lock()
    }

    fn sleep(&self, time: Duration, stop: &Stop) -> bool {
        if stop.is_stopped() {
            return false;
        }
        let mut passed = self.lock();
        *passed = passed.saturating_add(time);
        true
    }
}

/// Refuses what breaks a law.
fn holds(holds: bool, law: &'static str, found: impl FnOnce() -> String) -> Result<(), Breach> {
    if holds { Ok(()) } else { Err(Breach { law, found: found() }) }
}

/// Refuses an error where a law asks for an answer.
fn works<T>(result: Result<T, impl Display>, law: &'static str) -> Result<T, Breach> {
    result.map_err(|error| Breach { law, found: error.to_string() })
}

#[cfg(test)]
mod tests;
