use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
    mpsc::{Receiver, SyncSender, sync_channel},
};

/// Lines that wait for the operator.
const MOST_LINES: usize = 1_024;

/// Takes what an operator should see, a line at a time. Clones tell the same operator. It never waits: lines beyond
/// those that fit are counted.
#[derive(Clone, Debug)]
pub struct Reporter {
    lines: SyncSender<String>,
    dropped: Arc<AtomicU64>,
}

impl Reporter {
    /// A reporter and where its lines come out.
    #[must_use]
    pub fn new() -> (Self, Receiver<String>) {
        let (lines, out) = sync_channel(MOST_LINES);
        (Self { lines, dropped: Arc::default() }, out)
    }

    /// Tells a line.
    pub fn tell(&self, line: impl Into<String>) {
        if self.lines.try_send(line.into()).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that did not fit.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
