//! Closed minutes, one after another, from one or more servers.

use super::{
    graph::{Flow, Pair, REFRESH_MINUTES},
    queries::{PrometheusQueries, TrainedOn, expect_all_metrics},
    rows::Rows,
    server::{Server, Try},
    span::Span,
};
use crate::{
    OtherQueries, PrometheusConfig, ServerError,
    chaos::CallReading,
    runtime::{Clock, Stop},
    source::Flows,
};
use forewarn_live::{Input, ServedModel, SourceStatus};
use forewarn_schema::{Schema, Step, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Minutes that are read at once when there is a backlog.
const CHUNK_MINUTES: i64 = 60;
/// Time between two tries of a server that fails.
const RETRY: Duration = Duration::from_secs(15);
/// Longest sleep at once: a clock that is set must not be waited for forever.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Where inputs go.
pub(crate) trait Inlet {
    /// Takes inputs; returns once they are journaled.
    fn send(&self, inputs: Vec<Input>) -> Result<(), ServerError>;

    /// The minute that the engine closes next, where it has begun.
    fn next_minute(&self) -> Option<Timestamp>;

    /// Whether the journal has a row already.
    fn has(&self, time: Timestamp, service: &str) -> bool;

    /// How a source stood when the journal ended, where it has said.
    fn status(&self, source: &str) -> Option<SourceStatus>;

    /// Tells an operator.
    fn tell(&self, line: String);
}

/// Pulls closed minutes from servers of the Prometheus API.
///
/// Each server is asked for a minute once its own settle delay is over. A minute is closed when every server that
/// answers has given it. While none answers, minutes wait, so that they are made up for from where they were; while
/// some answer, the minutes of the others are closed as missing.
pub(crate) struct Pull {
    servers: Vec<Server>,
    step: Step,
    clock: Arc<dyn Clock>,
    /// What the clock of the engine is set to after a minute's end to close it; `None` where others bring samples, and
    /// it is never ahead of the clock.
    settle_millis: Option<i64>,
    /// What an operator should know from the start.
    notes: Vec<String>,
    /// The first minute that is not closed.
    open: Timestamp,
    /// Where what goes over calls is told.
    flows: Flows,
    pub(crate) counts: PullCounts,
}

/// What a source did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PullCounts {
    /// Minutes that were closed.
    pub(crate) minutes: u64,
    /// Rows of them.
    pub(crate) rows: u64,
    /// Rows that changed, or came, after their minute had been given.
    pub(crate) late_rows: u64,
    /// Minutes that were too old to be made up for.
    pub(crate) skipped_minutes: u64,
    /// Minutes of which the server said that its answer was not complete, or did not answer a metric.
    pub(crate) partial_minutes: u64,
    /// Tries that came to nothing.
    pub(crate) failed_tries: u64,
    /// Values outside the range of their metric.
    pub(crate) out_of_range: u64,
}

impl Pull {
    /// Of the servers of `config`, for rows of `model`. `settle_secs` is the engine's, where no other source brings
    /// samples.
    pub(crate) fn new(
        config: &PrometheusConfig,
        model: &ServedModel,
        settle_secs: Option<u32>,
        clock: &Arc<dyn Clock>,
        transport: &mut super::Connect<'_>,
    ) -> Result<Self, ServerError> {
        let mut pull = Self::of(config, (model.metrics(), model.step()), settle_secs, clock, transport)?;
        let queries: Vec<PrometheusQueries> = pull.servers.iter().map(|one| one.queries.clone()).collect();
        pull.notes.extend(refuse_other_queries(config, &queries, model)?);
        Ok(pull)
    }

    /// The same for rows of these metrics, whatever reads them.
    pub(super) fn of(
        config: &PrometheusConfig,
        (metrics, step): (&Schema, Step),
        settle_secs: Option<u32>,
        clock: &Arc<dyn Clock>,
        transport: &mut super::Connect<'_>,
    ) -> Result<Self, ServerError> {
        config.check()?;
        let servers = config
            .servers()
            .map(|one| Server::new(one, metrics, step, transport(one)?, Arc::clone(clock)))
            .collect::<Result<Vec<_>, _>>()?;
        let queries: Vec<PrometheusQueries> = servers.iter().map(|server| server.queries.clone()).collect();
        expect_all_metrics(&queries, metrics)?;
        Ok(Self {
            servers,
            step,
            clock: Arc::clone(clock),
            settle_millis: settle_secs.map(|seconds| 1000 * i64::from(seconds)),
            notes: Vec::new(),
            open: Timestamp::EPOCH,
            flows: Flows::default(),
            counts: PullCounts::default(),
        })
    }

    /// Tells what goes over calls to `flows`.
    pub(super) fn with_flows(self, flows: Flows) -> Self {
        Self { flows, ..self }
    }

    /// Name of the first server.
    pub(crate) fn name(&self) -> &str {
        self.servers.first().map_or("prometheus", |server| &server.name)
    }

    /// What an operator should know from the start.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        self.notes.iter().cloned()
    }

    /// Pulls until it is asked to stop.
    pub(crate) fn run(&mut self, inlet: &dyn Inlet, stop: &Stop) -> Result<(), ServerError> {
        self.begin(inlet);
        while !stop.is_stopped() {
            let now = self.clock.now();
            let due = self.servers.iter().map(Server::due).min().unwrap_or(now);
            if due > now {
                let left = Duration::from_millis(due.millis().abs_diff(now.millis()));
                self.clock.sleep(left.min(LONGEST_SLEEP), stop);
                continue;
            }
            for index in 0..self.servers.len() {
                if self.servers[index].due() <= now {
                    self.ask(index, inlet, stop)?;
                }
            }
        }
        Ok(())
    }

    /// Goes on where the engine is, or some of the past before now.
    fn begin(&mut self, inlet: &dyn Inlet) {
        let now = self.clock.now();
        for index in 0..self.servers.len() {
            let server = &self.servers[index];
            let warm_up = i64::from(server.config.warm_up_minutes) * 60_000 / self.step.millis();
            let fresh = self.back(self.latest(now, server.settle()), warm_up - 1);
            let status = inlet.status(&server.name);
            let server = &mut self.servers[index];
            server.next = inlet.next_minute().unwrap_or(fresh);
            // What was said before this start is not said again.
            server.status = status;
        }
        self.open = self.servers.iter().map(|server| server.next).min().unwrap_or(now);
    }

    /// The last minute that is settled.
    fn latest(&self, now: Timestamp, settle: Duration) -> Timestamp {
        let settled = now.millis().saturating_sub(settle.as_millis() as i64);
        let aligned = settled - settled.rem_euclid(self.step.millis());
        Timestamp::from_millis(aligned).unwrap_or(now)
    }

    fn back(&self, time: Timestamp, steps: i64) -> Timestamp {
        time.checked_add(self.step, -steps).unwrap_or(time)
    }

    /// Reads what is due of one server, and gives it.
    fn ask(&mut self, index: usize, inlet: &dyn Inlet, stop: &Stop) -> Result<(), ServerError> {
        let now = self.clock.now();
        match self.servers[index].meet() {
            Ok(None) => {}
            Ok(Some(text)) => {
                let source = self.servers[index].name.clone();
                inlet.tell(format!("{source}: connected to {text}"));
                inlet.send(vec![Input::About { source, text }])?;
            }
            Err(words) => return self.fail(index, words, inlet),
        }
        let server = &self.servers[index];
        let latest = self.latest(now, server.settle());
        let backlog = i64::from(server.config.backlog_minutes) * 60_000 / self.step.millis();
        // What is closed already is made up for by no one.
        let oldest = self.back(latest, backlog).max(self.open);
        if server.next < oldest {
            let skipped = (oldest.millis() - server.next.millis()) / self.step.millis();
            inlet.tell(format!("{}: {skipped} minutes are too old to be made up for", server.name));
            self.counts.skipped_minutes += skipped.unsigned_abs();
            self.servers[index].next = oldest;
        }
        let server = &mut self.servers[index];
        let last = server.next.checked_add(self.step, CHUNK_MINUTES - 1).unwrap_or(latest).min(latest);
        if last < server.next {
            // A server that was away and has nothing to make up for, or one that has just said what it is.
            return if server.is_down() { self.knock(index, latest, inlet, stop) } else { Ok(()) };
        }
        let reread = i64::from(server.config.reread_minutes) * 60_000 / self.step.millis();
        let first = server.next.checked_add(self.step, -reread).unwrap_or(server.next);
        match server.read(Span { first, last, step: self.step }, &*self.clock, stop) {
            Try::Stopped => Ok(()),
            Try::Failed(words) => self.fail(index, words, inlet),
            Try::Rows(rows) => self.give(index, rows, last, reread, inlet),
        }
    }

    /// Asks a server that was away for a minute that is closed: once it answers, the next one is waited for.
    fn knock(
        &mut self,
        index: usize,
        time: Timestamp,
        inlet: &dyn Inlet,
        stop: &Stop,
    ) -> Result<(), ServerError> {
        let server = &mut self.servers[index];
        match server.read(Span { first: time, last: time, step: self.step }, &*self.clock, stop) {
            Try::Stopped => Ok(()),
            Try::Failed(words) => self.fail(index, words, inlet),
            Try::Rows(_) => {
                server.retry_at = None;
                server.status = Some(SourceStatus::Up);
                inlet.send(vec![Input::Source { source: server.name.clone(), status: SourceStatus::Up }])
            }
        }
    }

    /// Gives the rows up to `last`, minute by minute, and closes what every server has given.
    fn give(
        &mut self,
        index: usize,
        mut rows: Rows,
        last: Timestamp,
        reread: i64,
        inlet: &dyn Inlet,
    ) -> Result<(), ServerError> {
        self.counts.out_of_range += rows.out_of_range;
        let server = &mut self.servers[index];
        server.retry_at = None;
        let is_partial = rows.partial.is_some() || !rows.failures.is_empty();
        if server.status != Some(SourceStatus::Partial) {
            for (metric, words) in &rows.failures {
                inlet.tell(format!("{}: no answer for {metric}: {words}", server.name));
            }
            if let Some(words) = &rows.partial {
                inlet.tell(format!("{}: an answer is not complete: {words}", server.name));
            }
        }
        let mut inputs = Vec::new();
        let status = if is_partial { SourceStatus::Partial } else { SourceStatus::Up };
        if server.status.as_ref() != Some(&status) {
            inputs.push(Input::Source { source: server.name.clone(), status: status.clone() });
            server.status = Some(status);
        }
        for late in server.given.changes(&rows.by_time) {
            // Journaled with the rest, so that it is kept; the engine counts it, and changes no score.
            server.inputs(&late.service, late.time, &late.values, &mut inputs);
            server.services.insert(late.service);
            self.counts.late_rows += 1;
        }
        while self.servers[index].next <= last {
            let time = self.servers[index].next;
            let minute: BTreeMap<String, Vec<f32>> = rows.by_time.remove(&time).unwrap_or_default();
            let oldest = self.back(time, reread);
            let server = &mut self.servers[index];
            for (service, values) in &minute {
                if !inlet.has(time, service) {
                    server.inputs(service, time, values, &mut inputs);
                }
                if !server.services.contains(service) {
                    server.services.insert(service.clone());
                }
            }
            self.counts.rows += minute.len() as u64;
            self.counts.partial_minutes += u64::from(is_partial);
            server.given.give(time, &minute, oldest);
            let Some(next) = time.checked_add(self.step, 1) else { break };
            server.next = next;
            self.close(&mut inputs);
            inlet.send(std::mem::take(&mut inputs))?;
        }
        self.look_at_graph(index, last, inlet)
    }

    /// Closes every minute that all servers which answer have given.
    fn close(&mut self, inputs: &mut Vec<Input>) {
        let up = self.servers.iter().filter(|server| !server.is_down());
        let Some(given) = up.map(|server| server.next).min() else { return };
        while self.open < given {
            let now = match self.settle_millis {
                Some(settle) => Timestamp::from_millis(self.open.millis().saturating_add(settle)),
                None => Some(self.clock.now()),
            };
            inputs.extend(now.map(|now| Input::Advance { now }));
            self.counts.minutes += 1;
            let Some(next) = self.open.checked_add(self.step, 1) else { return };
            self.open = next;
        }
    }

    /// Tells once that a server does not answer, in its words, and lets the others go on without it.
    fn fail(&mut self, index: usize, words: String, inlet: &dyn Inlet) -> Result<(), ServerError> {
        self.counts.failed_tries += 1;
        let now = self.clock.now();
        let server = &mut self.servers[index];
        server.retry_at = Timestamp::from_millis(now.millis().saturating_add(RETRY.as_millis() as i64));
        let mut inputs = Vec::new();
        if !server.is_down() {
            inlet.tell(format!("{}: the server does not answer: {words}", server.name));
            let status = SourceStatus::Down { reason: words };
            inputs.push(Input::Source { source: server.name.clone(), status: status.clone() });
            server.status = Some(status);
            server.flows.clear();
            self.tell_flows();
        }
        self.close(&mut inputs);
        if inputs.is_empty() { Ok(()) } else { inlet.send(inputs) }
    }

    /// What goes over calls, by all servers that answer. Where two know of one call, they may be twins: the one that
    /// counts more is taken.
    fn tell_flows(&self) {
        let mut flows: BTreeMap<&Pair, Flow> = BTreeMap::new();
        for (pair, &flow) in self.servers.iter().flat_map(|server| &server.flows) {
            let known = flows.entry(pair).or_insert(flow);
            if flow.requests > known.requests {
                *known = flow;
            }
        }
        let reading = |((client, server), flow): (&Pair, Flow)| CallReading {
            client: client.clone(),
            server: server.clone(),
            requests: flow.requests,
            error_rate: flow.error_rate,
        };
        self.flows.set(flows.into_iter().map(reading).collect());
    }

    /// Every five minutes, the service graph of all servers.
    fn look_at_graph(&mut self, index: usize, time: Timestamp, inlet: &dyn Inlet) -> Result<(), ServerError> {
        let server = &self.servers[index];
        let is_fresh = server.graph_at.is_some_and(|at| time.minutes_since(at) < REFRESH_MINUTES as f64);
        if !server.config.graph || is_fresh {
            return Ok(());
        }
        let services: BTreeSet<String> =
            self.servers.iter().flat_map(|one| one.services.iter().cloned()).collect();
        let looked = self.servers[index].look_at_graph(time, &services);
        self.tell_flows();
        match looked {
            Ok(false) => Ok(()),
            Ok(true) => {
                let calls: BTreeSet<(String, String)> =
                    self.servers.iter().flat_map(|server| server.calls.iter().cloned()).collect();
                inlet.send(vec![Input::Graph { calls: calls.into_iter().collect() }])
            }
            Err(words) => {
                let source = &self.servers[index].name;
                inlet.tell(format!("{source}: the service graph cannot be read: {words}"));
                Ok(())
            }
        }
    }
}

fn refuse_other_queries(
    config: &PrometheusConfig,
    queries: &[PrometheusQueries],
    model: &ServedModel,
) -> Result<Option<String>, ServerError> {
    match PrometheusQueries::trained_on(queries, model) {
        TrainedOn::TheseQueries => Ok(None),
        TrainedOn::Unknown => {
            Ok(Some("the model's file does not say on which queries it was trained".to_owned()))
        }
        TrainedOn::OtherQueries if config.other_queries == OtherQueries::Flag => {
            Ok(Some("the model was trained on other queries than are asked now".to_owned()))
        }
        TrainedOn::OtherQueries => Err(ServerError::Config {
            reason: "the model was trained on other queries than source.recipes makes now: the same names hold other \
                     numbers; use the recipes and the scrape interval of its training, train again, or set \
                     source.other_queries = \"flag\""
                .to_owned(),
        }),
    }
}
