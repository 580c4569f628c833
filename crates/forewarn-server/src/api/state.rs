//! What every route has.

use super::{
    alarms::notes::SilenceNotes,
    fleet::{day::Day, overview::Graphs},
    live::LiveTexts,
    words::Time,
};
use crate::{
    SourceConfig,
    chaos::{CallReading, ChaosControl, Readings},
    http::{Guard, Limit, Problem},
    runtime::{HttpContext, Snapshot},
};
use axum::http::StatusCode;
use forewarn_live::{Input, LedgerBook, ServiceView};
use forewarn_schema::Timestamp;
use forewarn_topology::{BoundHealthRules, HealthRules};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};

/// Longest wait until what an operator did shows.
const SHOWN: Duration = Duration::from_secs(2);

/// What every route has.
pub(crate) struct Api {
    pub(crate) context: HttpContext,
    pub(crate) guard: Arc<Guard>,
    /// Becomes true when streams are to end.
    pub(crate) end: watch::Receiver<bool>,
    /// What clients of the live stream share.
    pub(crate) live: LiveTexts,
    health: Option<BoundHealthRules>,
    sockets: Arc<Semaphore>,
    most_sockets: usize,
    day: Mutex<Option<Arc<Day>>>,
    /// A copy of the ledger, and of which minute it is: the engine's thread does not wait for figures.
    ledger: Mutex<Option<(Option<Timestamp>, Arc<LedgerBook>)>>,
    graphs: Mutex<Option<Arc<Graphs>>>,
    /// What was said when services were silenced.
    pub(crate) notes: SilenceNotes,
}

/// What handlers take.
pub(crate) type Shared = Arc<Api>;

impl Api {
    pub(crate) fn new(
        context: HttpContext,
        guard: Arc<Guard>,
        end: watch::Receiver<bool>,
        sockets: u32,
    ) -> Self {
        let health = HealthRules::v1().bind(&context.handle.view().about.metrics).ok();
        Self {
            notes: SilenceNotes::open(&context.config.store.path),
            health,
            sockets: Arc::new(Semaphore::new(sockets as usize)),
            most_sockets: sockets as usize,
            context,
            guard,
            end,
            live: LiveTexts::new(),
            day: Mutex::default(),
            ledger: Mutex::default(),
            graphs: Mutex::default(),
        }
    }

    /// The service as it was published last.
    pub(crate) fn view(&self) -> Arc<Snapshot> {
        self.context.handle.view()
    }

    /// What injects faults, if anything does.
    pub(crate) fn chaos(&self) -> Result<&Arc<dyn ChaosControl>, Problem> {
        self.context.chaos.as_ref().ok_or_else(|| {
            let detail =
                "nothing here takes faults: the source is not a simulation, and no target is configured";
            Problem::new(StatusCode::NOT_FOUND, "chaos_unavailable", detail)
        })
    }

    /// What a simulation does at this moment, where one is the source.
    pub(crate) fn readings(&self) -> Option<Readings> {
        self.context.chaos.as_ref().and_then(|chaos| chaos.readings())
    }

    /// What goes over the calls of the graph: what a simulation does at this moment, or what the source read last.
    pub(crate) fn call_readings(&self) -> Vec<CallReading> {
        self.readings().map_or_else(|| self.context.flows.get(), |readings| readings.calls)
    }

    /// The clock of the data: simulated time, or the time of day. A file that is only read has none.
    pub(crate) fn data_clock(&self) -> Option<Timestamp> {
        if let Some(readings) = self.readings() {
            return Some(readings.time);
        }
        match &self.context.config.source {
            SourceConfig::File { follow: false, .. } | SourceConfig::Simulator { .. } => None,
            _ => Some(self.context.clock.now()),
        }
    }

    /// The clock that pages show: that of the data, or the time of day where that has none.
    pub(crate) fn now(&self) -> Timestamp {
        self.data_clock().unwrap_or_else(|| self.context.clock.now())
    }

    /// Seconds since the last closed row, by the clock of the data.
    pub(crate) fn age_seconds(&self, snapshot: &Snapshot) -> Option<f64> {
        let (now, row) = (self.data_clock()?, snapshot.last_row?);
        Some((now.millis() - row.millis()).max(0) as f64 / 1e3)
    }

    /// Health by the usual rules, where the metrics have what those look at.
    pub(crate) fn health(&self, service: &ServiceView) -> Option<f64> {
        let row: Vec<f32> = service.row.iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        self.health.as_ref().map(|rules| rules.health(&row)).filter(|health| !health.is_nan())
    }

    /// What is worked out of the last hours once a minute.
    pub(crate) fn day(&self, snapshot: &Snapshot) -> Arc<Day> {
        let mut day = lock(&self.day);
        match &*day {
            Some(day) if day.is_of(snapshot) => Arc::clone(day),
            _ => {
                let fresh = Arc::new(Day::of(snapshot));
                *day = Some(Arc::clone(&fresh));
                fresh
            }
        }
    }

    /// The ledger of all models, as of about the snapshot's minute.
    pub(crate) fn ledger(&self, snapshot: &Snapshot) -> Arc<LedgerBook> {
        let mut ledger = lock(&self.ledger);
        match &*ledger {
            Some((of, book)) if *of == snapshot.last_row => Arc::clone(book),
            _ => {
                let book = Arc::new(lock(&snapshot.about.ledger).clone());
                *ledger = Some((snapshot.last_row, Arc::clone(&book)));
                book
            }
        }
    }

    /// What depends on the service graph alone.
    pub(crate) fn graphs(&self, calls: &[(String, String)]) -> Result<Arc<Graphs>, Problem> {
        let mut graphs = lock(&self.graphs);
        if let Some(graphs) = graphs.as_ref().filter(|graphs| graphs.calls == calls) {
            return Ok(Arc::clone(graphs));
        }
        let fresh = Graphs::new(calls).map_err(|error| Problem::internal(error.to_string()))?;
        let fresh = Arc::new(fresh);
        *graphs = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// A place among the live streams.
    pub(crate) fn socket(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.sockets).try_acquire_owned().map_err(|_| {
            self.guard.counters.hit(Limit::Sockets);
            Problem::unavailable("as many live streams as http.limits.sockets allows are open")
        })
    }

    /// Live streams that are open.
    pub(crate) fn open_sockets(&self) -> usize {
        self.most_sockets.saturating_sub(self.sockets.available_permits())
    }

    /// Waits until no live stream is open.
    pub(crate) async fn streams_ended(&self) {
        let all = u32::try_from(self.most_sockets).unwrap_or(u32::MAX);
        // The semaphore is never closed, and then there would be nothing to wait for.
        let _ = self.sockets.acquire_many(all).await;
    }

    /// Sends what an operator did, waits until it is in the journal, and then until it shows.
    ///
    /// # Errors
    /// A problem where the service is too busy, ends, or refuses it.
    pub(crate) async fn act(&self, input: Input) -> Result<Arc<Snapshot>, Problem> {
        let pending = self.context.handle.submit(vec![input]);
        let pending = pending.map_err(|error| Problem::unavailable(error.to_string()))?;
        let ack = pending.acknowledged().await.map_err(|error| Problem::unavailable(error.to_string()))?;
        if let Some(refused) = ack.refused.first() {
            return Err(Problem::conflict(refused.reason.clone()));
        }
        let mut updates = self.context.handle.updates();
        let shown = updates.wait_for(|snapshot| snapshot.events.next() >= ack.next_event);
        match timeout(SHOWN, shown).await {
            Ok(Ok(snapshot)) => Ok(Arc::clone(&snapshot)),
            // It is in the journal, and shows later.
            _ => Ok(self.view()),
        }
    }

    /// The clock that silences end by: of the last row.
    pub(crate) fn row_clock(&self, snapshot: &Snapshot) -> Time {
        snapshot.last_row.unwrap_or_else(|| self.context.clock.now()).into()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What was kept is replaced whole, so that a panic elsewhere leaves it usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
