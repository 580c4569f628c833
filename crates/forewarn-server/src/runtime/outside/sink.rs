use super::clock::SLICE;
use crate::ServerError;
use crate::runtime::{Clock, Handle, Numbered, Reporter, Snapshot, Stop};
use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Events that are handed over at once.
const MOST_EVENTS: usize = 1_000;

/// Tells others what the engine says: an Alertmanager, a chat. It runs on a thread of its own and may block; the engine
/// does not wait for it.
///
/// It repeats by itself what failed, with [`SinkContext::clock`] and [`SinkContext::stop`], and gives up what it cannot
/// deliver with a count. Events that come meanwhile wait in the ring of recent events: those that fall out of it before
/// they are read are counted as [missed](Batch::missed).
pub trait Sink: Send {
    /// Its name, for counters and the log.
    fn name(&self) -> &str;

    /// Number of the first event that it wants; asked once. Unless it remembers how far it came before the last end,
    /// that is the first one after the replay.
    fn start(&mut self, context: &SinkContext) -> u64 {
        context.handle.view().live_from
    }

    /// Longest time between two calls of [`deliver`](Self::deliver), with events or without: to repeat what stands.
    fn interval(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// Takes the next events, in order.
    fn deliver(&mut self, batch: &Batch, context: &SinkContext);
}

/// The next events for a sink.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// The events; may be none.
    pub events: Vec<Arc<Numbered>>,
    /// Events that were lost for this sink before these, since the last call.
    pub missed: u64,
    /// What stands: at least as new as the events.
    pub snapshot: Arc<Snapshot>,
    /// Whether nothing more comes, because the service ends.
    pub is_last: bool,
}

/// What a sink has.
#[derive(Clone)]
#[non_exhaustive]
pub struct SinkContext {
    /// The service.
    pub handle: Handle,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Asks it to give up: when the service ends, some time after its last event.
    pub stop: Stop,
    /// Tells the operator.
    pub reporter: Reporter,
}

/// A sink on its thread.
pub(crate) struct SinkThread {
    name: String,
    thread: JoinHandle<()>,
    /// Nothing more comes for it.
    over: Stop,
    stop: Stop,
}

impl SinkThread {
    pub(crate) fn spawn(mut sink: Box<dyn Sink>, context: SinkContext) -> Result<Self, ServerError> {
        let (name, stop, over) = (sink.name().to_owned(), context.stop.clone(), Stop::default());
        let ends = over.clone();
        let builder = thread::Builder::new().name(format!("sink {name}"));
        let thread = builder.spawn(move || run(&mut *sink, &context, &ends)).map_err(thread_error)?;
        Ok(Self { name, thread, over, stop })
    }

    /// Says that the engine has ended: what is left is to be delivered now.
    pub(crate) fn finish(&self) {
        self.over.stop();
    }

    /// Asks it to end after the request that it is at, with what it knows on disk.
    pub(crate) fn give_up(&self) {
        self.stop.stop();
        self.over.stop();
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Lets it deliver what is left until `deadline`, then asks it to give up. `false` if it still runs a little later.
    pub(crate) fn drain(self, deadline: Instant) -> bool {
        let has_ended = |until: Instant| {
            while !self.thread.is_finished() && Instant::now() < until {
                thread::sleep(SLICE / 5);
            }
            self.thread.is_finished()
        };
        if has_ended(deadline) {
            return true;
        }
        self.stop.stop();
        has_ended(Instant::now() + GRACE)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// How long a sink may go on after it was asked to give up.
const GRACE: Duration = Duration::from_secs(2);

pub(crate) fn thread_error(source: io::Error) -> ServerError {
    ServerError::Thread { source }
}

fn run(sink: &mut dyn Sink, context: &SinkContext, over: &Stop) {
    let mut feed = context.handle.events_since(sink.start(context));
    let (mut due, mut missed) = (context.clock.elapsed(), 0);
    while !context.stop.is_stopped() {
        let events = feed.take(MOST_EVENTS);
        let (is_last, now) = (feed.is_over(), context.clock.elapsed());
        if events.is_empty() && now < due && !is_last {
            // A sink that hears of an event a moment later is no worse for it, and needs no runtime.
            context.clock.sleep(context.clock.look(), over);
            continue;
        }
        let lost = feed.missed() - std::mem::replace(&mut missed, feed.missed());
        let batch = Batch { events, missed: lost, snapshot: context.handle.view(), is_last };
        sink.deliver(&batch, context);
        due = now.saturating_add(sink.interval());
        if is_last {
            return;
        }
    }
}
