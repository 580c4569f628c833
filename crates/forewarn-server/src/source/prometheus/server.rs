//! One server among those that are pulled from: what it was asked, and what it gave.

use super::{
    client::{About, Client},
    fetch::Fetcher,
    graph::{CALLS, Calls, FAILED, Flow, Pair},
    late::Given,
    queries::PrometheusQueries,
    retry::Retries,
    rows::Rows,
    span::{MOST_POINTS, Span},
};
use crate::{
    PrometheusConfig, ServerError,
    runtime::{Clock, Stop, Transport},
};
use forewarn_live::{Input, SourceStatus};
use forewarn_prometheus::Flavour;
use forewarn_schema::{Schema, Step, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// How often a query is asked within one try.
const ATTEMPTS: u32 = 4;

/// A server and how far it has been read.
pub(super) struct Server {
    pub(super) name: String,
    pub(super) config: PrometheusConfig,
    pub(super) queries: PrometheusQueries,
    /// The first minute that has not been given.
    pub(super) next: Timestamp,
    /// Not asked before then: it failed.
    pub(super) retry_at: Option<Timestamp>,
    pub(super) status: Option<SourceStatus>,
    /// What it gave of the last minutes.
    pub(super) given: Given,
    /// Names of all services that it has given.
    pub(super) services: BTreeSet<String>,
    pub(super) calls: Vec<Pair>,
    /// What goes over them.
    pub(super) flows: BTreeMap<Pair, Flow>,
    pub(super) graph_at: Option<Timestamp>,
    client: Client,
    retries: Retries,
    about: Option<About>,
    /// For each of its metrics the position in a row of the model.
    positions: Vec<Option<usize>>,
    /// Metrics of such a row.
    metrics: Schema,
    /// Whether it makes all of them, so that its rows are whole ones.
    is_whole: bool,
}

/// What a try came to.
pub(super) enum Try {
    /// Rows of the span, which may lack metrics.
    Rows(Rows),
    /// Nothing, and why.
    Failed(String),
    /// A stop was asked for.
    Stopped,
}

impl Server {
    pub(super) fn new(
        config: &PrometheusConfig,
        metrics: &Schema,
        step: Step,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        let queries = PrometheusQueries::new(config, step)?;
        let positions = queries.positions(metrics)?;
        let is_whole = (0..metrics.len()).all(|at| positions.contains(&Some(at)));
        // Another for each server and start.
        let salt = clock.now().millis().unsigned_abs();
        Ok(Self {
            name: config.name.clone(),
            client: Client::new(config, transport, clock)?,
            config: PrometheusConfig { more: Vec::new(), ..config.clone() },
            queries,
            next: Timestamp::EPOCH,
            retry_at: None,
            status: None,
            given: Given::default(),
            services: BTreeSet::new(),
            calls: Vec::new(),
            flows: BTreeMap::new(),
            graph_at: None,
            retries: Retries::new(ATTEMPTS, &config.url, salt),
            about: None,
            positions,
            metrics: metrics.clone(),
            is_whole,
        })
    }

    /// How long after its end a minute is asked for.
    pub(super) fn settle(&self) -> Duration {
        let flavour = self.about.as_ref().map_or(Flavour::Prometheus, |about| about.flavour);
        let seconds = self.config.settle_secs.unwrap_or_else(|| settle_secs(flavour));
        Duration::from_secs(u64::from(seconds))
    }

    /// When it is to be asked next.
    pub(super) fn due(&self) -> Timestamp {
        let settled = self.next.millis().saturating_add(self.settle().as_millis() as i64);
        Timestamp::from_millis(settled).unwrap_or(self.next).max(self.retry_at.unwrap_or(Timestamp::EPOCH))
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(self.status, Some(SourceStatus::Down { .. }))
    }

    /// Finds out which server it is, where that is not known; says so the first time.
    pub(super) fn meet(&mut self) -> Result<Option<String>, String> {
        let is_new = self.about.is_none();
        if is_new {
            self.about = Some(self.client.about().map_err(|failure| failure.words)?);
        }
        self.client.check_clock().map_err(|failure| failure.words)?;
        Ok(self.about.as_ref().filter(|_| is_new).map(ToString::to_string))
    }

    /// Reads the rows of a span.
    pub(super) fn read(&mut self, span: Span, clock: &dyn Clock, stop: &Stop) -> Try {
        // One that is down is only knocked at: others wait meanwhile.
        self.retries.attempts = if self.is_down() { 1 } else { ATTEMPTS };
        let expressions: Vec<&str> =
            self.queries.set().queries().iter().map(|query| query.expression.as_str()).collect();
        let fetcher = Fetcher {
            client: &self.client,
            clock,
            stop,
            concurrency: self.config.concurrency as usize,
            most_points: MOST_POINTS,
        };
        let Some(fetched) = fetcher.fetch(&expressions, span, &mut self.retries) else { return Try::Stopped };
        if let Err(failure) = self.client.check_clock() {
            return Try::Failed(failure.words);
        }
        let rows = Rows::of(&self.queries, fetched);
        match rows.failures.first() {
            Some((_, words)) if rows.failures.len() == expressions.len() => Try::Failed(words.clone()),
            _ => Try::Rows(rows),
        }
    }

    /// A row as inputs of the engine: whole, or sample by sample where other servers have the rest.
    pub(super) fn inputs(&self, service: &str, time: Timestamp, values: &[f32], inputs: &mut Vec<Input>) {
        let placed = self.positions.iter().zip(values).filter_map(|(at, &value)| Some(((*at)?, value)));
        if self.is_whole {
            let mut row = vec![f32::NAN; self.metrics.len()];
            placed.for_each(|(at, value)| row[at] = value);
            inputs.push(Input::Row { service: service.to_owned(), time, values: row });
            return;
        }
        for (at, value) in placed.filter(|(_, value)| !value.is_nan()) {
            let metric = self.metrics.metrics()[at].name.clone();
            inputs.push(Input::Sample { service: service.to_owned(), metric, time, value: f64::from(value) });
        }
    }

    /// Looks at who calls whom; whether that has changed. What cannot be read changes nothing.
    pub(super) fn look_at_graph(
        &mut self,
        time: Timestamp,
        services: &BTreeSet<String>,
    ) -> Result<bool, String> {
        self.graph_at = Some(time);
        let answer = self.client.at(CALLS, Some(time)).map_err(|failure| failure.words)?;
        if answer.partial {
            return Ok(false);
        }
        let series = answer.data.into_series().map_err(|error| error.to_string())?;
        let found = Calls::of(&series, services);
        let failed = self.client.at(FAILED, Some(time)).ok().filter(|answer| !answer.partial);
        let failed = failed.and_then(|answer| answer.data.into_series().ok());
        self.flows = found.flows(failed.map(|series| Calls::of(&series, services)).as_ref());
        let found: Vec<Pair> = found.calls.into_keys().collect();
        // Without any call there may only be no traffic, or no such metrics at all.
        let is_changed = !found.is_empty() && found != self.calls;
        if is_changed {
            self.calls = found;
        }
        Ok(is_changed)
    }
}

/// How long samples take to be there. VictoriaMetrics hides the last 30 seconds.
pub(super) fn settle_secs(flavour: Flavour) -> u32 {
    match flavour {
        Flavour::Prometheus => 15,
        Flavour::VictoriaMetrics => 45,
        _ => 30,
    }
}
