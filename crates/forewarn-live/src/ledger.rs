//! The ledger over any span: figures with intervals, of models, services and kinds.

mod calibration;
mod figures;

pub use calibration::CalibrationBin;
pub use figures::{LedgerComparison, LedgerFigures};

use crate::{Event, EventBody, OutcomeKind, ProbableKind, WarningState};
use calibration::Calibration;
use forewarn_core::WindowSpec;
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
/// Memory: about 60 bytes a warning or failure, and 2 an hour of each service and model; see
/// [`forget_before`](Self::forget_before). It can be saved and read with serde.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerBook {
    step: Step,
    models: Names,
    services: Names,
    /// Kinds of warnings that are not judged yet.
    kinds: BTreeMap<String, ProbableKind>,
    entries: Vec<Entry>,
    /// Rows with a score, by model and hour, a number for each service that had one up to then.
    watched: BTreeMap<(u32, i64), Vec<u16>>,
    calibration: Calibration,
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
            calibration: Calibration::default(),
            main: None,
        }
    }

    /// Counts how often failures followed the scores of a model too: see [`calibration`](Self::calibration).
    #[must_use]
    pub fn with_window(mut self, model: &str, window: WindowSpec) -> Self {
        let model = self.models.number(model);
        self.calibration.add_window(model, window);
        self
    }

    /// Takes the next event of the engine.
    pub fn take(&mut self, event: &Event) {
        match &event.body {
            EventBody::Score(score) => {
                let model = self.models.number(&score.model);
                if !score.shadow {
                    self.main = Some(model);
                }
                if let Some(probability) = score.probability {
                    let hour = event.time.millis().div_euclid(HOUR);
                    let service = self.services.number(&score.service);
                    let rows = self.watched.entry((model, hour)).or_default();
                    let place = service as usize;
                    if rows.len() <= place {
                        rows.resize(place + 1, 0);
                    }
                    rows[place] = rows[place].saturating_add(1);
                    self.calibration.score(event.time, self.step, (model, service), probability);
                }
            }
            EventBody::Failure(failure) => {
                let service = self.services.number(&failure.service);
                self.calibration.failure(service, failure.onset, failure.end);
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

    /// Names of the models that scored or have a window, in order of the first.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.models.names.iter().map(String::as_str)
    }

    /// Forgets alarms, failures and watched hours before a time.
    pub fn forget_before(&mut self, time: Timestamp) {
        let hour = time.millis().div_euclid(HOUR);
        self.entries.retain(|entry| entry.time >= time);
        self.watched.retain(|&(_, watched), _| watched >= hour);
        self.calibration.forget_before(time);
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
    fn watched<'a>(&'a self, model: u32, query: &'a LedgerQuery) -> impl Iterator<Item = (Timestamp, u64)> {
        let service = self.service(query);
        let hour = |time: Option<Timestamp>| time.map(|time| time.millis().div_euclid(HOUR));
        let (from, to) = (hour(query.from), query.to.map(|to| (to.millis() - 1).div_euclid(HOUR)));
        let hours = (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX));
        let all = self.watched.range((model, hours.0)..=(model, hours.1.max(hours.0)));
        all.filter(move |&(&(_, hour), _)| hour <= hours.1).filter_map(move |(&(_, hour), rows)| {
            let count = |rows: &u16| u64::from(*rows);
            let rows = match service {
                None => rows.iter().map(count).sum(),
                Some(service) => service.and_then(|place| rows.get(place as usize)).map_or(0, count),
            };
            Some((Timestamp::from_millis(hour * HOUR)?, rows)).filter(|&(_, rows)| rows > 0)
        })
    }

    /// How often failures followed a model's scores, by probability: of the scores from which it is known, of all
    /// services, and of the whole days (UTC) of the query's span. Scores given in the middle of a failure are not
    /// among them. Empty for a model whose [window](Self::with_window) is not known.
    #[must_use]
    pub fn calibration(&self, query: &LedgerQuery) -> Vec<CalibrationBin> {
        let model = self.model(query.model.as_deref());
        model.map_or_else(Vec::new, |model| self.calibration.bins(model, (query.from, query.to)))
    }

    /// First hour that was watched; `None` before any score.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        let first = self.watched.keys().map(|&(_, hour)| hour).min()?;
        Timestamp::from_millis(first * HOUR)
    }

    /// The service that is asked for; `Some(None)` for one that is not known.
    fn service(&self, query: &LedgerQuery) -> Option<Option<u32>> {
        query.service.as_ref().map(|name| self.services.numbers.get(name).copied())
    }
}
