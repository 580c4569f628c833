//! Checkpoints, written while the engine goes on.

use crate::{
    ServerError,
    runtime::{HistoryWriter, Reporter},
};
use forewarn_live::Engine;
use forewarn_store::{Fingerprints, SavedCheckpoint, Store, StoreError};
use std::{
    io,
    sync::mpsc::Receiver,
    thread::{self, JoinHandle},
};

type Writing = JoinHandle<Result<SavedCheckpoint, StoreError>>;

pub(super) struct Checkpointing {
    every: u64,
    /// Closed minutes at the last one.
    last_minutes: u64,
    writing: Option<Writing>,
    error: Option<String>,
}

impl Checkpointing {
    pub(super) fn new(every: u32, minutes: u64) -> Self {
        Self { every: u64::from(every), last_minutes: minutes, writing: None, error: None }
    }

    /// Why the last one could not be written.
    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Begins one if it is time, and ends the one that is written.
    pub(super) fn step(
        &mut self,
        store: &mut Store,
        (engine, history): (&Engine, Option<&HistoryWriter>),
        minutes: u64,
        is_degraded: bool,
        reporter: &Reporter,
    ) {
        if self.writing.as_ref().is_some_and(JoinHandle::is_finished) {
            self.join(store, reporter);
        }
        if self.writing.is_some() || is_degraded || minutes - self.last_minutes < self.every {
            return;
        }
        self.last_minutes = minutes;
        let begun = begin(store, engine, history);
        match begun {
            Ok(writing) => self.writing = Some(writing),
            Err(error) => self.failed(&error, reporter),
        }
    }

    /// Waits for the one that is written, if there is one.
    pub(super) fn join(&mut self, store: &mut Store, reporter: &Reporter) {
        let Some(writing) = self.writing.take() else { return };
        let written = match writing.join() {
            Ok(written) => {
                written.and_then(|saved| store.finish_checkpoint(saved)).map_err(ServerError::from)
            }
            Err(_) => Err(ServerError::Thread { source: io::Error::other("a checkpoint was not written") }),
        };
        match written {
            Ok(()) => self.error = None,
            Err(error) => self.failed(&error, reporter),
        }
    }

    /// Writes the last one, and the history before it.
    pub(super) fn last(
        &mut self,
        store: &mut Store,
        engine: &Engine,
        history: Option<&HistoryWriter>,
    ) -> Result<(), ServerError> {
        if let Some(written) = flushed(engine, history) {
            // What it could not write, it has told.
            written.recv().ok();
        }
        let state = engine.snapshot()?;
        store.checkpoint(store.next_seq(), Fingerprints::default(), |out| out.write_all(&state)).map(drop)?;
        Ok(())
    }

    /// The journal has everything: the next one is tried in its time.
    fn failed(&mut self, error: &ServerError, reporter: &Reporter) {
        if self.error.is_none() {
            reporter.tell(format!("a checkpoint cannot be written, the journal grows: {error}"));
        }
        self.error = Some(error.to_string());
    }
}

/// Asks for all closed minutes to be in the history.
fn flushed(engine: &Engine, history: Option<&HistoryWriter>) -> Option<Receiver<bool>> {
    Some(history?.flush(engine.next()?))
}

fn begin(
    store: &mut Store,
    engine: &Engine,
    history: Option<&HistoryWriter>,
) -> Result<Writing, ServerError> {
    let flushed = flushed(engine, history);
    let state = engine.snapshot()?;
    // The snapshot says by itself of which configuration and models it is.
    let writer = store.begin_checkpoint(store.next_seq(), Fingerprints::default())?;
    let builder = thread::Builder::new().name("checkpoint".to_owned());
    let writing = builder.spawn(move || {
        // A restart replays only what comes after the checkpoint, so that the history is to have what was before. One
        // that cannot be written does not hold the checkpoint up: the journal would grow without end.
        if let Some(written) = flushed {
            written.recv().ok();
        }
        writer.write(|out| out.write_all(&state))
    });
    writing.map_err(|source| ServerError::Thread { source })
}
