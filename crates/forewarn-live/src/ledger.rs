//! The ledger over any span: figures with intervals, of models, services and kinds.

mod figures;

pub use figures::{LedgerComparison, LedgerFigures};

use crate::{Event, EventBody, OutcomeKind, ProbableKind, WarningState};
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const HOUR: i64 = 3_600_000;

/// What became of warnings and failures, from the events of an engine: give it every event, in order, and ask.
///
/// It counts as an evaluation does, and its intervals are those of a report (`forewarn_eval::BlockBootstrap`), so a
/// replay of a test part has the figures of its evaluation. Warnings that an operator acted on, and those of which it
/// is not known whether a failure came, are counted and are in no rate.
///
/// Memory: about 60 bytes a warning or failure, and 30 an hour of each service and model; see
/// [`forget_before`](Self::forget_before). It can be saved and read with serde.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerBook {
    step: Step,
    models: Names,
    services: Names,
    /// Kinds of warnings that are not judged yet.
    kinds: BTreeMap<String, ProbableKind>,
    entries: Vec<Entry>,
    /// Rows with a score, by model, service and hour.
    watched: BTreeMap<(u32, u32, i64), u32>,
    /// The model that warned last.
    main: Option<u32>,
}

/// Names with a number each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Names {
    names: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// An alarm or a failure, judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// Of the alarm, or the onset of the failure.
    time: Timestamp,
    model: u32,
    service: u32,
    kind: Option<ProbableKind>,
    outcome: OutcomeKind,
    lead_minutes: Option<f64>,
}

/// Which part of a [`LedgerBook`] is asked for. All of it by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerQuery {
    /// The model; the one that warns unless set.
    pub model: Option<String>,
    /// One service.
    pub service: Option<String>,
    /// Warnings of one kind. Failures have none, so there is no recall then.
    pub kind: Option<ProbableKind>,
    /// Alarms and onsets from this time on.
    pub from: Option<Timestamp>,
    /// Alarms and onsets before this time. Watched time is counted by whole hours.
    pub to: Option<Timestamp>,
}

impl LedgerBook {
    /// A ledger without entries, of an engine whose rows are one `step` apart.
    #[must_use]
    pub fn new(step: Step) -> Self {
        Self {
            step,
            models: Names::default(),
            services: Names::default(),
            kinds: BTreeMap::new(),
            entries: Vec::new(),
            watched: BTreeMap::new(),
            main: None,
        }
    }

    /// Takes the next event of the engine.
    pub fn take(&mut self, event: &Event) {
        match &event.body {
            EventBody::Score(score) => {
                let model = self.models.number(&score.model);
                if !score.shadow {
                    self.main = Some(model);
                }
                if score.probability.is_some() {
                    let hour = event.time.millis().div_euclid(HOUR);
                    let service = self.services.number(&score.service);
                    *self.watched.entry((model, service, hour)).or_default() += 1;
                }
            }
            EventBody::Warning(warning) if warning.state == WarningState::Firing => {
                self.kinds.insert(warning.id.clone(), warning.kind);
            }
            EventBody::Outcome(outcome) => {
                let is_failure = matches!(outcome.outcome, OutcomeKind::Detected | OutcomeKind::Missed);
                let time = if is_failure { outcome.onset } else { outcome.alarm };
                let kind = outcome.warning.as_ref().and_then(|id| self.kinds.remove(id));
                self.entries.push(Entry {
                    time: time.unwrap_or(event.time),
                    model: self.models.number(&outcome.model),
                    service: self.services.number(&outcome.service),
                    kind,
                    outcome: outcome.outcome,
                    lead_minutes: outcome.lead_minutes,
                });
            }
            _ => {}
        }
    }

    /// Names of the models that scored, in order of their first score.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.models.names.iter().map(String::as_str)
    }

    /// Forgets alarms, failures and watched hours before a time.
    pub fn forget_before(&mut self, time: Timestamp) {
        let hour = time.millis().div_euclid(HOUR);
        self.entries.retain(|entry| entry.time >= time);
        self.watched.retain(|&(_, _, watched), _| watched >= hour);
    }

    /// The number of the model that is asked for; `None` for one that never scored.
    fn model(&self, name: Option<&str>) -> Option<u32> {
        name.map_or(self.main, |name| self.models.numbers.get(name).copied())
    }

    /// The entries that are asked for.
    fn entries<'a>(&'a self, model: u32, query: &'a LedgerQuery) -> impl Iterator<Item = &'a Entry> {
        let service = self.service(query);
        self.entries.iter().filter(move |entry| {
            let is_of_kind = query.kind.is_none_or(|kind| entry.kind == Some(kind));
            entry.model == model
                && service.is_none_or(|service| service == Some(entry.service))
                && is_of_kind
                && query.from.is_none_or(|from| entry.time >= from)
                && query.to.is_none_or(|to| entry.time < to)
        })
    }

    /// Watched hours that are asked for, with the rows that were scored in each.
    fn watched<'a>(&'a self, model: u32, query: &'a LedgerQuery) -> impl Iterator<Item = (Timestamp, u32)> {
        let service = self.service(query);
        let hour = |time: Option<Timestamp>| time.map(|time| time.millis().div_euclid(HOUR));
        let (from, to) = (hour(query.from), query.to.map(|to| (to.millis() - 1).div_euclid(HOUR)));
        let all = self.watched.range((model, 0, i64::MIN)..=(model, u32::MAX, i64::MAX));
        all.filter(move |&(&(_, of, hour), _)| {
            service.is_none_or(|service| service == Some(of))
                && from.is_none_or(|from| hour >= from)
                && to.is_none_or(|to| hour <= to)
        })
        .filter_map(|(&(_, _, hour), &rows)| Some((Timestamp::from_millis(hour * HOUR)?, rows)))
    }

    /// The service that is asked for; `Some(None)` for one that is not known.
    fn service(&self, query: &LedgerQuery) -> Option<Option<u32>> {
        query.service.as_ref().map(|name| self.services.numbers.get(name).copied())
    }
}
