//! The thread that writes.

use super::{Current, Past, tables::Tables};
use crate::{
    ServerError,
    runtime::{Numbered, Reporter},
};
use forewarn_schema::{Schema, Timestamp};
use forewarn_store::{History, HistoryOptions, StoreError};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// Rows that wait in memory before they are written without a checkpoint.
const MANY_ROWS: usize = 200_000;
/// Events that wait for the thread; more are lost and counted, as the engine waits for no disk.
const MOST_WAITING: usize = 4_000_000;

/// The engine's side of the history: hands events over and never waits.
pub(crate) struct HistoryWriter {
    past: Arc<Past>,
    messages: Sender<Message>,
    waiting: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

enum Message {
    /// Events, and from which probability on each model warned then.
    Events(Vec<Arc<Numbered>>, BTreeMap<String, f64>),
    /// Rows of times before this one are to be in files; says whether they are.
    Flush(Timestamp, SyncSender<bool>),
}

impl HistoryWriter {
    /// Opens the history of a folder, and starts its thread.
    pub(crate) fn start(
        folder: &Path,
        options: HistoryOptions,
        metrics: &Schema,
        reporter: Reporter,
    ) -> Result<Self, ServerError> {
        let tables = Tables::new(metrics);
        let history = History::open(folder, tables.specs(), options)?;
        let current = Current { reader: history.reader(), generation: 0, error: None, lost: 0 };
        let past = Arc::new(Past { tables, current: Mutex::new(current), writing: Mutex::default() });
        let (messages, inbox) = channel();
        let (waiting, lost) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
        let mut worker = Worker {
            history,
            past: Arc::clone(&past),
            waiting: Arc::clone(&waiting),
            lost: Arc::clone(&lost),
            reporter,
            has_refused: false,
        };
        let run = move || worker.run(&inbox);
        let thread = thread::Builder::new().name("history".to_owned()).spawn(run);
        let thread = thread.map_err(|source| ServerError::Thread { source })?;
        Ok(Self { past, messages, waiting, lost, thread })
    }

    /// What the API reads.
    pub(crate) fn past(&self) -> &Arc<Past> {
        &self.past
    }

    /// Hands events over, in order.
    pub(crate) fn take(&self, events: &[Arc<Numbered>], thresholds: &BTreeMap<String, f64>) {
        if self.waiting.load(Ordering::Relaxed) + events.len() > MOST_WAITING {
            self.lost.fetch_add(events.len() as u64, Ordering::Relaxed);
            return;
        }
        self.waiting.fetch_add(events.len(), Ordering::Relaxed);
        // A thread that has ended takes nothing, and the service goes on.
        self.messages.send(Message::Events(events.to_vec(), thresholds.clone())).ok();
    }

    /// Asks for the rows of times before `before` to be in files; what is given says when that is so. An error of the
    /// channel means that the thread has ended.
    pub(crate) fn flush(&self, before: Timestamp) -> Receiver<bool> {
        let (done, written) = sync_channel(1);
        self.messages.send(Message::Flush(before, done)).ok();
        written
    }

    /// Waits until the thread has done what it was asked for.
    pub(crate) fn end(self) {
        drop(self.messages);
        self.thread.join().ok();
    }
}

struct Worker {
    history: History,
    past: Arc<Past>,
    waiting: Arc<AtomicUsize>,
    lost: Arc<AtomicU64>,
    reporter: Reporter,
    /// Whether rows were refused for what they are, which is told once.
    has_refused: bool,
}

impl Worker {
    fn run(&mut self, inbox: &Receiver<Message>) {
        while let Ok(message) = inbox.recv() {
            match message {
                Message::Events(events, thresholds) => self.take(&events, &thresholds),
                Message::Flush(before, done) => {
                    let is_written = self.flush(before);
                    done.send(is_written).ok();
                }
            }
        }
    }

    fn take(&mut self, events: &[Arc<Numbered>], thresholds: &BTreeMap<String, f64>) {
        for event in events {
            let Some((table, row)) = self.past.tables.row(&event.event, thresholds) else { continue };
            if let Err(error) = self.history.push(table, row) {
                self.lost.fetch_add(1, Ordering::Relaxed);
                self.refused(&error);
            }
        }
        self.waiting.fetch_sub(events.len(), Ordering::Relaxed);
        // All of the times before the last one has come.
        if let Some(last) = events.last().filter(|_| self.history.waiting_rows() >= MANY_ROWS) {
            self.flush(last.event.time);
        }
    }

    fn refused(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.has_refused, true) {
            self.reporter.tell(format!("the history refuses a row: {error}"));
        }
    }

    /// Writes, and lets readers see it. A disk that fails is told once; rows wait for the next time.
    fn flush(&mut self, before: Timestamp) -> bool {
        let past = Arc::clone(&self.past);
        let _writing = past.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let error = self.history.flush(before.millis()).err().map(|error| error.to_string());
        let is_written = error.is_none();
        let lost = self.lost.load(Ordering::Relaxed) + self.history.refused_rows();
        let mut current = self.past.current();
        match (&error, &current.error) {
            (Some(error), None) => {
                self.reporter
                    .tell(format!("the history cannot be written, its rows wait in memory: {error}"));
            }
            (None, Some(_)) => self.reporter.tell("the history is written again"),
            _ => {}
        }
        *current = Current { reader: self.history.reader(), generation: current.generation + 1, error, lost };
        is_written
    }
}
