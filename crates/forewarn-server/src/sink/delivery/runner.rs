//! Joins a way out to the service: hands it events, carries its requests, keeps its state.

use super::saved::SavedState;
use crate::sink::{Answer, Next, Outgoing, Outlet, TargetStatus, Truth, alerts::time::millis_until};
use crate::{
    ServerError,
    config::TargetConfig,
    outgoing::Credentials,
    runtime::{Batch, HttpRequest, HttpResponse, Sink, SinkContext, Snapshot, Transport},
};
use forewarn_schema::Timestamp;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Most bytes of an answer that are read.
const MOST_ANSWER_BYTES: u64 = 16 << 20;
/// Longest time between two looks at what is due.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Requests in a row after which events are taken again.
const MOST_REQUESTS: usize = 100;

/// A way out as a sink of the service.
pub(in crate::sink) struct Runner {
    name: String,
    outlet: Box<dyn Outlet>,
    credentials: Credentials,
    /// How long a request may take.
    timeout: Duration,
    transport: Arc<dyn Transport>,
    saved: SavedState,
    /// What others read.
    shared: Arc<Mutex<TargetStatus>>,
    wait: Duration,
}

impl Runner {
    pub(in crate::sink) fn new(
        outlet: Box<dyn Outlet>,
        target: &TargetConfig,
        transport: Arc<dyn Transport>,
        saved: SavedState,
    ) -> Self {
        let status = outlet.status();
        let name = format!("{} {}", status.kind.word(), status.name);
        let shared = Arc::new(Mutex::new(status));
        Self {
            name,
            outlet,
            credentials: Credentials::of_target(target),
            timeout: Duration::from_secs(target.timeout_secs.into()),
            transport,
            saved,
            shared,
            wait: Duration::ZERO,
        }
    }

    /// Where its status is read.
    pub(in crate::sink) fn shared(&self) -> Arc<Mutex<TargetStatus>> {
        Arc::clone(&self.shared)
    }

    fn reconcile(&mut self, snapshot: &Snapshot, now: Timestamp) {
        let warning = |id: &str| snapshot.recent.warning(id).map(|record| record.event.clone());
        let truth = Truth { view: &snapshot.view, next_seq: snapshot.events.next(), warning: &warning };
        self.outlet.reconcile(&truth, now);
    }

    /// Sends what is due. State is saved before a request, so that what is sent is known after a crash, and after its
    /// answer.
    fn send_due(&mut self, context: &SinkContext) {
        self.wait = Duration::ZERO;
        for _ in 0..MOST_REQUESTS {
            self.save(context);
            let next = self.outlet.next(context.clock.now());
            self.save(context);
            match next {
                Next::Send(request) => {
                    let answer = self.carry(request);
                    self.outlet.answered(&answer, context.clock.now());
                    self.tell(context);
                }
                Next::Wait(until) => {
                    let millis = millis_until(context.clock.now(), until);
                    self.wait = Duration::from_millis(millis).min(LONGEST_WAIT);
                    break;
                }
                Next::Idle => {
                    self.wait = LONGEST_WAIT;
                    break;
                }
            }
            if context.stop.is_stopped() {
                break;
            }
        }
        self.save(context);
        self.tell(context);
    }

    fn carry(&self, outgoing: Outgoing) -> Answer {
        let request = if outgoing.is_post {
            HttpRequest::post(outgoing.url, outgoing.body)
        } else {
            HttpRequest::get(outgoing.url)
        };
        let own = outgoing.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        let mut request = request.with_most_bytes(MOST_ANSWER_BYTES).with_timeout(self.timeout);
        request.headers.extend(own);
        match self.ask(request) {
            Ok(response) => Answer::Response {
                status: response.status,
                retry_after: response.retry_after_secs(),
                body: response.body,
            },
            Err(error) => Answer::Failed(error.to_string()),
        }
    }

    fn ask(&self, mut request: HttpRequest) -> Result<HttpResponse, ServerError> {
        request.headers.extend(self.credentials.headers()?);
        self.transport.send(&request)
    }

    fn save(&mut self, context: &SinkContext) {
        let Some(state) = self.outlet.changed_state() else { return };
        let was_failing = self.saved.is_failing;
        match self.saved.write(&state) {
            Ok(()) if was_failing => {
                context.reporter.tell(format!("{}: its state is saved again", self.name));
            }
            Err(error) if !was_failing => context.reporter.tell(format!(
                "{}: its state cannot be saved, and after a crash it may tell of alerts twice: {error}",
                self.name
            )),
            _ => {}
        }
    }

    /// Publishes how it does, and tells the operator what is new in it.
    fn tell(&self, context: &SinkContext) {
        let new = self.outlet.status();
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = new.last_error.as_deref().unwrap_or_default();
        let mut lines = Vec::new();
        match (shared.is_up, new.is_up) {
            (None | Some(true), Some(false)) => lines.push(format!("does not take what is sent: {reason}")),
            (Some(false), Some(true)) => lines.push("takes what is sent again".to_owned()),
            _ => {}
        }
        if new.refused > shared.refused && new.last_error != shared.last_error {
            lines.push(format!("refused something: {reason}"));
        }
        if shared.dropped == 0 && new.dropped > 0 {
            lines.push("too much waits: the oldest is dropped, and counted from now on".to_owned());
        }
        *shared = new;
        drop(shared);
        for line in lines {
            context.reporter.tell(format!("{}: {line}", self.name));
        }
    }
}

impl Sink for Runner {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&mut self, context: &SinkContext) -> u64 {
        let snapshot = context.handle.view();
        let is_beyond = self.outlet.next_seq() > snapshot.events.next();
        if self.saved.is_new() || is_beyond {
            if is_beyond {
                let line = "its state is of another journal: it goes on from what stands now";
                context.reporter.tell(format!("{}: {line}", self.name));
            }
            self.reconcile(&snapshot, context.clock.now());
        }
        self.outlet.next_seq()
    }

    fn interval(&self) -> Duration {
        self.wait
    }

    fn deliver(&mut self, batch: &Batch, context: &SinkContext) {
        let now = context.clock.now();
        if batch.missed > 0 {
            self.reconcile(&batch.snapshot, now);
        }
        for numbered in &batch.events {
            self.outlet.take(&numbered.event, now);
        }
        self.send_due(context);
        if batch.is_last {
            self.outlet.hurry(context.clock.now());
            // All that waits gets one try: what fails then is kept for the next start.
            while self.wait.is_zero() && !context.stop.is_stopped() {
                self.send_due(context);
            }
            self.send_due(context);
        }
    }
}
