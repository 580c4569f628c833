//! The ways out of a running service: those of the configuration, which a reload may change, and others.

use crate::{
    ServerError, WatchConfig,
    runtime::{ReloadHook, Reporter, Sink, SinkContext, SinkThread, Transport},
    sink::{self, Targets},
};
use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// The configuration that targets are to be changed to.
type Changed = Arc<Mutex<Option<WatchConfig>>>;

/// Threads of sinks, and what they were started with.
pub(super) struct Outlets {
    transport: Option<Arc<dyn Transport>>,
    targets: Targets,
    /// Not started before the journal is replayed.
    opened: Vec<Box<dyn Sink>>,
    /// Of the configuration.
    threads: Vec<SinkThread>,
    others: Vec<Box<dyn Sink>>,
    other_threads: Vec<SinkThread>,
    changed: Changed,
    /// Threads of the last configuration have been asked to end, to make room for those of this one.
    next: Option<WatchConfig>,
}

impl Outlets {
    /// Opens those of a configuration; nothing is sent before [`start`](Self::start).
    pub(super) fn open(
        config: &WatchConfig,
        transport: Option<Arc<dyn Transport>>,
        others: Vec<Box<dyn Sink>>,
    ) -> Result<Self, ServerError> {
        let targets = Targets::default();
        let opened = sink::open(config, transport.as_ref(), &targets)?;
        Ok(Self {
            transport,
            targets,
            opened,
            threads: Vec::new(),
            others,
            other_threads: Vec::new(),
            changed: Changed::default(),
            next: None,
        })
    }

    /// How each of the configuration does.
    pub(super) fn targets(&self) -> Targets {
        self.targets.clone()
    }

    /// Takes a changed configuration: what of it is wrong is refused, the rest holds from the next
    /// [`look`](Self::look) on.
    pub(super) fn hook(&self, config: &WatchConfig) -> ReloadHook {
        let (changed, last) = (Arc::clone(&self.changed), Arc::new(Mutex::new(config.clone())));
        Box::new(move |config| {
            sink::check(config)?;
            let (changed, last, config) = (Arc::clone(&changed), Arc::clone(&last), config.clone());
            Ok(Box::new(move || {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                if !config.has_same_targets(&last) {
                    *changed.lock().unwrap_or_else(PoisonError::into_inner) = Some(config.clone());
                    *last = config;
                }
            }))
        })
    }

    /// Starts their threads.
    pub(super) fn start(&mut self, context: &impl Fn() -> SinkContext) -> Result<(), ServerError> {
        self.other_threads = spawn(mem::take(&mut self.others), context)?;
        self.threads = spawn(mem::take(&mut self.opened), context)?;
        Ok(())
    }

    /// Replaces those of a configuration that has changed. Each keeps what it knows on disk, so that the new one of the
    /// same kind and name goes on where the old one was.
    pub(super) fn look(
        &mut self,
        context: &impl Fn() -> SinkContext,
        reporter: &Reporter,
    ) -> Result<(), ServerError> {
        if let Some(config) = self.changed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.threads.iter().for_each(SinkThread::give_up);
            self.next = Some(config);
        }
        // One that waits for an answer ends with it; until then its file is its own.
        if self.next.is_none() || !self.threads.iter().all(SinkThread::is_finished) {
            return Ok(());
        }
        let Some(config) = self.next.take() else { return Ok(()) };
        self.threads.clear();
        match sink::open(&config, self.transport.as_ref(), &self.targets) {
            Ok(opened) => self.threads = spawn(opened, context)?,
            Err(error) => reporter.tell(format!(
                "the targets of the changed configuration cannot be opened, and warnings go to none of them: {error}"
            )),
        }
        Ok(())
    }

    /// Lets them deliver what is left until `deadline`: the engine has ended.
    pub(super) fn end(self, deadline: Instant, reporter: &Reporter) {
        let threads: Vec<SinkThread> = self.threads.into_iter().chain(self.other_threads).collect();
        threads.iter().for_each(SinkThread::finish);
        for thread in threads {
            let name = thread.name().to_owned();
            if !thread.drain(deadline) {
                reporter.tell(format!("sink {name}: did not end in time"));
            }
        }
    }
}

fn spawn(
    sinks: Vec<Box<dyn Sink>>,
    context: &impl Fn() -> SinkContext,
) -> Result<Vec<SinkThread>, ServerError> {
    sinks.into_iter().map(|sink| SinkThread::spawn(sink, context())).collect()
}
