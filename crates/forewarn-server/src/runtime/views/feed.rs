use crate::runtime::{Numbered, Snapshot, Stop, outside::clock::SLICE};
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Events from a position on.
#[derive(Clone, Debug)]
pub struct Feed {
    published: watch::Receiver<Arc<Snapshot>>,
    position: u64,
    missed: u64,
}

impl Feed {
    pub(in crate::runtime) fn new(published: watch::Receiver<Arc<Snapshot>>, position: u64) -> Self {
        Self { published, position, missed: 0 }
    }

    /// Number of the next event that it gives.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Events that it could not give, because they were no longer kept when it was asked.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Whether the service has ended, so that nothing more comes.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.published.has_changed().is_err() && self.position >= self.published.borrow().events.next()
    }

    /// The next events, at most `most`; none if there is none now.
    #[must_use]
    pub fn take(&mut self, most: usize) -> Vec<Arc<Numbered>> {
        let snapshot = Arc::clone(&self.published.borrow());
        let first = snapshot.events.first();
        if self.position < first {
            self.missed += first - self.position;
            self.position = first;
        }
        let events: Vec<_> = snapshot.events.since(self.position).take(most).cloned().collect();
        self.position += events.len() as u64;
        events
    }

    /// [`take`](Self::take) after waiting for events, at most so long: for threads.
    #[must_use]
    pub fn wait(&mut self, most: usize, timeout: Duration, stop: &Stop) -> Vec<Arc<Numbered>> {
        let started = Instant::now();
        loop {
            let events = self.take(most);
            let left = timeout.saturating_sub(started.elapsed());
            if !events.is_empty() || left.is_zero() || stop.is_stopped() || self.is_over() {
                return events;
            }
            // A sink that hears of an event a moment later is no worse for it, and needs no runtime.
            thread::sleep(left.min(SLICE));
        }
    }
}
