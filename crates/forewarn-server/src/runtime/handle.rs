use super::{
    Feed, Snapshot,
    queue::{Queue, Weight},
};
use crate::ServerError;
use forewarn_live::Input;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

/// What a source, a sink or the API holds of a running service: sends inputs, reads what was published. Cheap to
/// clone; usable from every thread.
#[derive(Clone)]
pub struct Handle {
    queue: Arc<Queue<Command>>,
    published: watch::Receiver<Arc<Snapshot>>,
    source: Option<Arc<str>>,
}

/// What became of a batch of inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ack {
    /// Whether they are on disk. `false` while the disk fails: they were taken and wait in memory, and would be lost
    /// if the process ended now. A receiver of pushed samples asks its sender to repeat them.
    pub is_kept: bool,
    /// Number of the first event that had not been said when they were taken.
    pub first_event: u64,
    /// Number of the first event that has not been said yet.
    pub next_event: u64,
    /// Inputs that changed nothing, such as an action on a warning that is not there.
    pub refused: Vec<Refused>,
}

/// An input that changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the batch.
    pub index: usize,
    /// Why.
    pub reason: String,
}

/// A batch on its way.
pub(super) struct Command {
    pub(super) source: Option<Arc<str>>,
    pub(super) inputs: Vec<Input>,
    pub(super) ack: oneshot::Sender<Ack>,
}

impl Weight for Command {
    fn weight(&self) -> usize {
        self.inputs.len()
    }
}

/// A batch that has a place in the queue, and is not acknowledged yet.
#[derive(Debug)]
#[must_use = "the batch may not be on disk yet"]
pub struct Pending(oneshot::Receiver<Ack>);

impl Pending {
    /// Waits until the batch is in the journal. Not for asynchronous code: see [`acknowledged`](Self::acknowledged).
    ///
    /// # Errors
    /// [`ServerError::Stopped`] when the service ended before.
    pub fn wait(self) -> Result<Ack, ServerError> {
        self.0.blocking_recv().map_err(|_| ServerError::Stopped)
    }

    /// [`wait`](Self::wait) for asynchronous code.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn acknowledged(self) -> Result<Ack, ServerError> {
        self.0.await.map_err(|_| ServerError::Stopped)
    }
}

/// A handle for `first`, and what the engine's thread needs of it.
pub(crate) fn channel(first: Snapshot) -> (Handle, EngineSide) {
    let (publisher, published) = watch::channel(Arc::new(first));
    let queue = Arc::new(Queue::new());
    (Handle { queue: Arc::clone(&queue), published, source: None }, EngineSide { queue, publisher })
}

/// The engine's side of a handle. Dropped, it refuses what is sent.
pub(crate) struct EngineSide {
    pub(super) queue: Arc<Queue<Command>>,
    pub(super) publisher: watch::Sender<Arc<Snapshot>>,
}

impl Drop for EngineSide {
    fn drop(&mut self) {
        self.queue.close();
        // What still waits is not acknowledged: its senders must not wait for ever.
        let mut left = Vec::new();
        while self.queue.take(&mut left, usize::MAX, std::time::Duration::ZERO) {
            left.clear();
        }
    }
}

impl Handle {
    /// The same, as the source of this name: the [snapshot](Snapshot::sources) says of which row time its last input
    /// was.
    #[must_use]
    pub fn named(&self, source: &str) -> Self {
        Self { source: Some(source.into()), ..self.clone() }
    }

    /// Sends inputs, waits for a place in the queue, and then until they are in the journal. The batch is applied as
    /// one: no other comes between. For threads; asynchronous code uses [`submit`](Self::submit).
    ///
    /// # Errors
    /// [`ServerError::Stopped`] when the service has ended.
    pub fn send(&self, inputs: Vec<Input>) -> Result<Ack, ServerError> {
        self.push(inputs, true)?.wait()
    }

    /// [`send`](Self::send) without waiting for a place.
    ///
    /// # Errors
    /// [`ServerError::Busy`] when the queue is full, [`ServerError::Stopped`].
    pub fn try_send(&self, inputs: Vec<Input>) -> Result<Ack, ServerError> {
        self.submit(inputs)?.wait()
    }

    /// Puts inputs into the queue, if it has a place, and does not wait.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn submit(&self, inputs: Vec<Input>) -> Result<Pending, ServerError> {
        self.push(inputs, false)
    }

    fn push(&self, inputs: Vec<Input>, waits: bool) -> Result<Pending, ServerError> {
        let (ack, pending) = oneshot::channel();
        self.queue.push(Command { source: self.source.clone(), inputs, ack }, waits)?;
        Ok(Pending(pending))
    }

    /// What was published last: immutable, and the engine does not wait for its readers.
    #[must_use]
    pub fn view(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.borrow())
    }

    /// Tells of each new snapshot, the last one if several came: for asynchronous code, which then reads the events
    /// after its position from [`Snapshot::events`].
    #[must_use]
    pub fn updates(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.published.clone()
    }

    /// The events from number `seq` on: those of the past that are still kept, then live.
    #[must_use]
    pub fn events_since(&self, seq: u64) -> Feed {
        Feed::new(self.published.clone(), seq)
    }

    /// Inputs that wait for the engine, and batches that were refused because too many waited.
    #[must_use]
    pub fn load(&self) -> (usize, u64) {
        self.queue.load()
    }

    /// Lets the engine end when it has taken what waits.
    pub(crate) fn close(&self) {
        self.queue.close();
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("source", &self.source).finish_non_exhaustive()
    }
}
