//! The engine of a live service: a pure function from a journal to events.

mod config;
mod event;
mod incidents;
mod intake;
mod minute;
mod model;
mod slos;
mod state;
mod warning;

pub use config::{EngineConfig, EngineModels, RecommendationRule};
pub use event::{
    AlertEvent, BudgetEvent, CannotTell, Event, EventBody, EvidenceItem, FailureEvent, FailureState,
    IncidentEvent, IncidentState, MissingReason, OutcomeEvent, OutcomeKind, ProbableKind, Recommendation,
    RowEvent, ScoreEvent, SloEvent, WarningEvent, WarningState,
};
pub use intake::input::{Action, AlertState, Input, SourceStatus};
pub use model::LedgerCounts;
pub use state::shared::{Name, RowValues};
pub use state::view::{EngineView, IncidentView, ModelView, ServiceView, SloView};
pub use warning::risk::{Risk, RiskLevel};

use crate::LiveError;
use forewarn_core::Fingerprint;
use forewarn_label::{Rule, SloState};
use forewarn_schema::{Schema, Step, Timestamp};
use forewarn_topology::{Call, ServiceGraph};
use incidents::Incidents;
use intake::inbox::Inbox;
use model::ModelRun;
use serde::{Deserialize, Serialize};
use state::service::Service;
use std::collections::{BTreeMap, BTreeSet};
use warning::risk::Onsets;

/// The engine of a live service: samples in, events out.
///
/// A pure function of configuration, models and the inputs so far, in their order: no clock, no I/O, no threads.
/// Equal journals give equal events on every machine, in however many pieces they come and however often the engine
/// is saved and restored between two inputs.
///
/// # Minutes
/// A row has the time of the end of its minute. The minute `t` is closed when the caller's clock
/// ([`advance`](Self::advance)) is at `t + settle_secs`, or when every known service has reported it and it is over:
/// the clock is at `t`, or something of a later minute has come. Samples for a closed minute are late: counted, and
/// they change no score. A clock that is set back changes nothing; one that is set forward closes the minutes between
/// one after another. A caller without a clock, such as a replay of a file, need not advance at all, or advances to
/// the time of its data.
///
/// Services appear when something comes of them, and expire after a silence; a service without anything in a minute
/// has a row without values, with the reason.
///
/// # Cost
/// Besides what the models keep (their windows), a service takes about 1 kB a model for alarms and outcomes, about
/// 0.5 kB for the failure rule, 6.3 kB for each [objective](EngineConfig::slos), and its name once, and once a model. A
/// minute is linear in services; nothing is allocated for a service but its events and what it sent.
pub struct Engine {
    config: EngineConfig,
    rule: Rule,
    metrics: Schema,
    step: Step,
    fingerprint: Fingerprint,
    models: Vec<ModelRun>,
    /// Which of the models warns.
    main: usize,
    /// The minute that is closed next; `None` before anything came.
    next: Option<Timestamp>,
    /// The caller's clock, as late as it ever was.
    now: Option<Timestamp>,
    /// Milliseconds of a row time after a whole number of steps.
    phase: i64,
    inbox: Inbox,
    services: Vec<Service>,
    by_name: BTreeMap<Name, usize>,
    /// The service that something came of last: sources bring services in one order, minute after minute.
    last_heard: usize,
    /// Services of which something came too late, and that are not known yet.
    newcomers: BTreeSet<String>,
    /// Services that have reported the next minute.
    reported: usize,
    sources: BTreeMap<String, SourceStatus>,
    calls: Vec<(String, String)>,
    incidents: Incidents,
    /// Columns whose rise is a sign of trouble.
    telling: Vec<usize>,
    /// Failures of all services, those that are gone too.
    onsets: Onsets,
    /// The objectives before any row.
    slos: Vec<SloState>,
    counters: Counters,
    /// Rows of the minute that was closed last, one a service.
    rows: Vec<f32>,
    out: Outbox,
}

/// What an engine refused or met, counted from its start on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counters {
    /// Inputs that came after their minute was closed.
    pub late: u64,
    /// Inputs too far ahead of the caller's clock, or beyond the calendar.
    pub ahead: u64,
    /// Samples of metrics that the model does not read.
    pub unknown_metrics: u64,
    /// Second rows of a service in a minute.
    pub duplicate_rows: u64,
    /// Rows with another number of values than there are metrics.
    pub wrong_rows: u64,
    /// Inputs of services without a name, or with one that is too long.
    pub refused_names: u64,
    /// Inputs of services beyond `most_services`.
    pub refused_services: u64,
    /// Samples beyond `most_samples`.
    pub refused_samples: u64,
    /// Values outside the range of their metric.
    pub out_of_range: u64,
    /// Alerts of other programs with a name that is too long, or beyond 100 of a service that fire.
    pub refused_alerts: u64,
    /// Times that the caller's clock was set back.
    pub clock_set_back: u64,
    /// Services whose outcomes could not be followed, and began again: none but for a rule that contradicts itself.
    pub ledger_faults: u64,
    /// Minutes that were closed.
    pub minutes: u64,
}

/// Events on their way out.
#[derive(Debug, Default)]
struct Outbox {
    seq: u64,
    events: Vec<Event>,
}

impl Outbox {
    fn emit(&mut self, time: Timestamp, body: EventBody) {
        self.events.push(Event { seq: self.seq, time, body });
        self.seq += 1;
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("next", &self.next)
            .field("services", &self.services.len())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that has seen nothing.
    ///
    /// # Errors
    /// [`LiveError::InvalidSetting`], [`LiveError::Models`] for models that do not read the same rows or have no
    /// alarm policy, [`LiveError::NoRule`] where nothing says what counts as failing, [`LiveError::Label`] for a rule
    /// or an objective on a metric that the models do not read.
    pub fn new(config: EngineConfig, models: EngineModels) -> Result<Self, LiveError> {
        config.check()?;
        models.check()?;
        let (name, main) = &models.main;
        let (metrics, step) = (main.metrics().clone(), main.step());
        let rule = config.rule.clone().or_else(|| main.rule().cloned());
        let rule = rule.ok_or_else(|| LiveError::NoRule { model: name.clone() })?;
        // Refuses a rule on metrics that are not there before the first service comes.
        forewarn_label::RuleState::new(&rule, &metrics, Timestamp::EPOCH, step)?;
        let mut fingerprint = Fingerprint::of("engine").and(&config)?.and(&rule)?;
        for (name, model) in models.all() {
            fingerprint = fingerprint.and_text(name).and(&model.fingerprint())?;
        }
        let runs = models.into_all().into_iter().map(|(name, model)| {
            // Checked above: each has one.
            let policy = model.policy().ok_or_else(|| LiveError::Models { reason: name.clone() })?;
            ModelRun::new(name, model, policy, config.budget)
        });
        let runs = runs.collect::<Result<_, _>>()?;
        Ok(Self {
            models: runs,
            incidents: Incidents::new(&metrics),
            telling: warning::normal::telling_columns(&metrics),
            onsets: Onsets::default(),
            slos: slos::start(&config.slos, &metrics, step)?,
            config,
            rule,
            metrics,
            step,
            fingerprint,
            main: 0,
            next: None,
            now: None,
            phase: 0,
            inbox: Inbox::default(),
            services: Vec::new(),
            by_name: BTreeMap::new(),
            last_heard: 0,
            newcomers: BTreeSet::new(),
            reported: 0,
            sources: BTreeMap::new(),
            calls: Vec::new(),
            counters: Counters::default(),
            rows: Vec::new(),
            out: Outbox::default(),
        })
    }

    /// Takes the next input of the journal, and gives the events that come of it.
    ///
    /// # Errors
    /// [`LiveError::Unknown`] for an action on what is not there, [`LiveError::Topology`] for a graph that is none,
    /// [`LiveError::Handover`] and [`LiveError::DuplicateService`] for a service that cannot be adopted, which change
    /// nothing; and those of the models, after which the engine is to be restored. What has no place
    /// (late, ahead, of an unknown metric) is not an error, but [counted](Self::counters).
    pub fn apply(&mut self, input: Input) -> Result<Vec<Event>, LiveError> {
        match input {
            Input::Sample { service, metric, time, value } => self.sample(service, &metric, time, value)?,
            Input::Row { service, time, values } => self.row(service, time, values)?,
            Input::Advance { now } => self.set_clock(now)?,
            Input::Action(action) => self.act(action)?,
            Input::Alert { service, alert, state, since } => self.alert(service, alert, state, since)?,
            // A source that tells the same graph every minute costs nothing.
            Input::Graph { calls } if calls == self.calls => {}
            Input::Graph { calls } => {
                let graph =
                    ServiceGraph::new(calls.iter().map(|(client, server)| Call::new(client, server)))?;
                self.incidents.set_graph(graph)?;
                self.calls = calls;
            }
            Input::About { .. } => {}
            Input::Adopt { state } => self.adopt(&state)?,
            Input::Release { service } => self.release(&service)?,
            Input::Source { source, status } => {
                if self.sources.get(&source) != Some(&status) {
                    self.sources.insert(source.clone(), status.clone());
                    let time = self.last_time();
                    self.out.emit(time, EventBody::Source { source, status });
                }
            }
        }
        Ok(std::mem::take(&mut self.out.events))
    }

    /// [`apply`](Self::apply) of a sample.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn push(
        &mut self,
        service: impl Into<String>,
        metric: impl Into<String>,
        time: Timestamp,
        value: f64,
    ) -> Result<Vec<Event>, LiveError> {
        self.apply(Input::Sample { service: service.into(), metric: metric.into(), time, value })
    }

    /// [`apply`](Self::apply) of the caller's clock.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn advance(&mut self, now: Timestamp) -> Result<Vec<Event>, LiveError> {
        self.apply(Input::Advance { now })
    }

    /// Metrics of a row, in order.
    #[must_use]
    pub fn metrics(&self) -> &Schema {
        &self.metrics
    }

    /// What counts as failing.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// The minute that is closed next; `None` before anything came.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Number of the next event.
    #[must_use]
    pub fn next_event(&self) -> u64 {
        self.out.seq
    }

    /// What was refused or met so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Time of the row that was closed last, or the clock where there is none yet.
    fn last_time(&self) -> Timestamp {
        let last = self.next.and_then(|next| next.checked_add(self.step, -1));
        last.or(self.now).unwrap_or(Timestamp::EPOCH)
    }

    /// What an operator did.
    fn act(&mut self, action: Action) -> Result<(), LiveError> {
        match &action {
            Action::Acknowledge { warning } => self.mark(warning, |warned| warned.acknowledged = true)?,
            Action::Acted { warning } => self.mark(warning, |warned| warned.acted = true)?,
            Action::Silence { service, until } => {
                let Some(&slot) = self.by_name.get(service.as_str()) else {
                    return Err(LiveError::Unknown { what: "service", name: service.clone() });
                };
                self.services[slot].silenced_until = Some(*until);
            }
            Action::Promote { model, .. } => {
                let found = self.models.iter().position(|run| run.name == *model);
                self.main = found.ok_or_else(|| LiveError::Unknown { what: "model", name: model.clone() })?;
            }
        }
        let time = self.last_time();
        self.out.emit(time, EventBody::Action(action));
        Ok(())
    }

    /// Marks the warning of this id. One that fires and is judged already, such as a late one, stays as it was
    /// judged.
    fn mark(&mut self, id: &str, mark: fn(&mut model::Warned)) -> Result<(), LiveError> {
        let unknown = || LiveError::Unknown { what: "open warning", name: id.to_owned() };
        let rest = id.strip_prefix("w:").ok_or_else(unknown)?;
        // Names may have colons, and so have times.
        let found = rest.match_indices(':').find_map(|(at, _)| {
            let slot = *self.by_name.get(&rest[..at])?;
            let time: Timestamp = rest[at + 1..].parse().ok()?;
            let is_open = |state: &model::ModelService| {
                state.warned.iter().any(|warned| warned.first == time)
                    || state.firing.as_ref().is_some_and(|firing| firing.first == time)
            };
            let index = self.models.iter().position(|run| is_open(&run.services[slot]))?;
            Some((index, slot, time))
        });
        let (index, slot, time) = found.ok_or_else(unknown)?;
        let warned = &mut self.models[index].services[slot].warned;
        if let Some(warned) = warned.iter_mut().find(|warned| warned.first == time) {
            mark(warned);
        }
        Ok(())
    }
}
