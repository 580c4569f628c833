//! The ledger: what became of every warning and failure.

use super::older::{end_of, older_outcomes};
use crate::api::{
    Shared,
    fleet::{
        day::{CalibrationBin, Day},
        services::Ledger,
    },
    page::{self, Cursor, Page, page_by_number},
    words::{Outcome, Time},
};
use crate::{
    http::{Params, Problem},
    runtime::OutcomeRecord,
};
use axum::{Json, extract::State};
use forewarn_eval::{BlockBootstrap, IntervalEstimate};
use forewarn_live::{ModelView, OutcomeKind};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use utoipa::{IntoParams, ToSchema};

/// A share and where it lies with 95 % confidence, by drawing whole days: failures of one day are not independent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Share {
    /// The share; null where nothing was counted.
    pub(crate) value: Option<f64>,
    /// Lower end; 0 while there are too few days to say.
    pub(crate) low: f64,
    /// Upper end; 1 while there are too few days to say.
    pub(crate) high: f64,
}

impl Share {
    /// `right` of `all`, and what the book says of the same share.
    fn of(right: u32, all: u32, found: Option<&IntervalEstimate>) -> Self {
        let value = (all > 0).then(|| f64::from(right) / f64::from(all));
        let interval = found.and_then(|found| found.interval).filter(|_| all > 0);
        let (low, high) = interval.map_or((0.0, 1.0), |interval| (interval.low, interval.high));
        Self { value, low, high }
    }
}

/// What became of a model's warnings.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ModelLedger {
    /// The model.
    pub(crate) name: String,
    /// Whether it only runs beside the main one.
    pub(crate) shadow: bool,
    #[serde(flatten)]
    pub(crate) counts: Ledger,
    /// Hits among hits and false alarms: late ones are left aside.
    pub(crate) precision: Share,
    /// Detected failures among those within reach.
    pub(crate) recall: Share,
    /// Median lead of the detected failures.
    pub(crate) median_lead_minutes: Option<f64>,
    /// False alarms per service and week so far.
    pub(crate) realised_per_service_week: Option<f64>,
    /// False alarms per service and week that are accepted.
    pub(crate) budget_per_service_week: f64,
    /// How often failures followed its scores: over the whole days of the span that is asked for, of the last weeks
    /// without one, and of all services. While the ledger has no such day, over the rows in memory.
    pub(crate) calibration: Vec<CalibrationBin>,
}

impl ModelLedger {
    /// Of all time and services; intervals over the days that `book` has.
    pub(crate) fn of(model: &ModelView, day: &Day, book: &forewarn_live::LedgerBook) -> Self {
        let mut shown = Self::empty(model, day);
        shown.counts = model.ledger.into();
        shown.median_lead_minutes = model.median_lead_minutes;
        shown.with_shares(book, &LedgerQuery::default())
    }

    /// The same counted from entries.
    fn counted<'a>(
        model: &ModelView,
        day: &Day,
        entries: impl Iterator<Item = &'a OutcomeRecord>,
        (book, query): (&forewarn_live::LedgerBook, &LedgerQuery),
    ) -> Self {
        let (mut shown, mut leads) = (Self::empty(model, day), Vec::new());
        for entry in entries.filter(|entry| entry.event.model == model.name) {
            count(&mut shown.counts, entry.event.outcome);
            leads.extend(entry.event.lead_minutes.filter(|_| entry.event.outcome == OutcomeKind::Detected));
        }
        leads.sort_by(f64::total_cmp);
        shown.median_lead_minutes = leads.get(leads.len().saturating_sub(1) / 2).copied();
        shown.with_shares(book, query)
    }

    fn empty(model: &ModelView, day: &Day) -> Self {
        Self {
            name: model.name.clone(),
            shadow: model.shadow,
            counts: Ledger::default(),
            precision: Share::of(0, 0, None),
            recall: Share::of(0, 0, None),
            median_lead_minutes: None,
            realised_per_service_week: model.realised_per_service_week,
            budget_per_service_week: model.budget_per_service_week,
            calibration: day.calibration(&model.name).to_vec(),
        }
    }

    fn with_shares(mut self, book: &forewarn_live::LedgerBook, query: &LedgerQuery) -> Self {
        let query = forewarn_live::LedgerQuery {
            model: Some(self.name.clone()),
            service: query.service.clone(),
            from: query.from.map(|from| from.0),
            to: query.to.map(|to| to.0),
            ..forewarn_live::LedgerQuery::default()
        };
        let found = book.figures(&query, &BlockBootstrap::default());
        let calibration: Vec<_> = book.calibration(&query).into_iter().map(CalibrationBin::from).collect();
        if !calibration.is_empty() {
            self.calibration = calibration;
        }
        let counts = &self.counts;
        let (alarms, failures) =
            (counts.hits.saturating_add(counts.false_alarms), counts.detected.saturating_add(counts.missed));
        self.precision = Share::of(counts.hits, alarms, found.precision.as_ref());
        self.recall = Share::of(counts.detected, failures, found.recall.as_ref());
        self
    }
}

fn count(counts: &mut Ledger, outcome: OutcomeKind) {
    match outcome {
        OutcomeKind::Hit => counts.hits += 1,
        OutcomeKind::Late => counts.late += 1,
        OutcomeKind::False => counts.false_alarms += 1,
        OutcomeKind::Averted => counts.averted += 1,
        OutcomeKind::Detected => counts.detected += 1,
        OutcomeKind::Missed => counts.missed += 1,
        _ => counts.censored += 1,
    }
}

/// What became of the main model's warnings of a day, by when they were judged.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct LedgerDay {
    /// The day in UTC: `2026-03-02`.
    #[schema(format = Date)]
    pub(crate) day: String,
    #[serde(flatten)]
    pub(crate) counts: Ledger,
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct LedgerEntry {
    /// Number of its event.
    pub(crate) seq: u64,
    /// Row time at which it was judged.
    pub(crate) time: Time,
    /// Of which service.
    pub(crate) service: String,
    /// Which model's warning; the main model for a missed failure.
    pub(crate) model: String,
    /// Whether that model only runs beside the main one.
    pub(crate) shadow: bool,
    /// The warning, if it is about one.
    pub(crate) warning: Option<String>,
    /// Row time of the alarm: of a model beside the main one, too, whose alarms are no warnings.
    pub(crate) alarm: Option<Time>,
    /// Onset of the failure, if there was one.
    pub(crate) onset: Option<Time>,
    /// What became of it.
    pub(crate) outcome: Outcome,
    /// Minutes between warning and onset.
    pub(crate) lead_minutes: Option<f64>,
    /// The same without what passes before a person can act.
    pub(crate) net_lead_minutes: Option<f64>,
}

impl From<&OutcomeRecord> for LedgerEntry {
    fn from(record: &OutcomeRecord) -> Self {
        let event = &record.event;
        Self {
            seq: record.seq,
            time: record.time.into(),
            service: event.service.clone(),
            model: event.model.clone(),
            shadow: event.shadow,
            warning: event.warning.clone(),
            alarm: event.alarm.map(Time),
            onset: event.onset.map(Time),
            outcome: event.outcome.into(),
            lead_minutes: event.lead_minutes,
            net_lead_minutes: event.net_lead_minutes,
        }
    }
}

/// The ledger.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct LedgerBook {
    /// The models, the main one first. Over all time and services without a filter; with one, over the entries that
    /// fit.
    pub(crate) models: Vec<ModelLedger>,
    /// The main model's entries that fit, by day.
    pub(crate) by_day: Vec<LedgerDay>,
    /// The entries that fit, the newest first: those in memory, and from `from` on those of the history on disk.
    pub(crate) entries: Page<LedgerEntry>,
    /// When the oldest entry in memory was judged.
    pub(crate) first: Option<Time>,
}

/// Which entries to give.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LedgerQuery {
    /// Of this service only.
    service: Option<String>,
    /// Of this model only.
    model: Option<String>,
    /// Judged then or later.
    from: Option<Time>,
    /// Judged before.
    to: Option<Time>,
    /// Most entries, 100 unless given.
    #[param(minimum = 1, maximum = 1_000)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

impl LedgerQuery {
    fn fits(&self, record: &OutcomeRecord) -> bool {
        self.service.as_ref().is_none_or(|service| *service == record.event.service)
            && self.model.as_ref().is_none_or(|model| *model == record.event.model)
            && self.from.is_none_or(|from| record.time >= from.0)
            && self.to.is_none_or(|to| record.time < to.0)
    }
}

/// What became of every warning and failure, and how that stands beside the budget.
#[utoipa::path(get, path = "/api/v1/ledger", tag = "ledger", params(LedgerQuery),
    responses((status = 200, body = LedgerBook)))]
pub(crate) async fn book(
    State(api): State<Shared>,
    Params(query): Params<LedgerQuery>,
) -> Result<Json<LedgerBook>, Problem> {
    let limit = page::limit(query.limit, None, page::MOST)?;
    let snapshot = api.view();
    let day = api.day(&snapshot);
    let older = match query.from {
        Some(from) => {
            let to = end_of(&snapshot, query.to);
            older_outcomes(&snapshot, query.service.as_deref(), (from.0, to)).await?
        }
        None => Vec::new(),
    };
    let all = || older.iter().chain(snapshot.recent.outcomes());
    let fitting = || all().filter(|record| query.fits(record));
    let is_filtered = query.service.is_some() || query.from.is_some() || query.to.is_some();
    let models = snapshot.view.models.iter();
    let models = models.filter(|model| query.model.as_ref().is_none_or(|name| *name == model.name));
    let book = api.ledger(&snapshot);
    let models = models.map(|model| {
        if is_filtered {
            ModelLedger::counted(model, &day, fitting().map(Arc::as_ref), (&book, &query))
        } else {
            ModelLedger::of(model, &day, &book)
        }
    });
    let show = |record: &&Arc<OutcomeRecord>| LedgerEntry::from(&***record);
    let entries = page_by_number(fitting().rev(), |record| record.seq, (query.cursor.as_ref(), limit), show)?;
    Ok(Json(LedgerBook {
        models: models.collect(),
        by_day: by_day(fitting()),
        entries,
        first: snapshot.recent.outcomes().next().map(|record| record.time.into()),
    }))
}

fn by_day<'a>(records: impl Iterator<Item = &'a Arc<OutcomeRecord>>) -> Vec<LedgerDay> {
    let mut days: BTreeMap<String, Ledger> = BTreeMap::new();
    for record in records.filter(|record| !record.event.shadow) {
        let time = record.time.to_string();
        let day = time.split('T').next().unwrap_or_default();
        count(days.entry(day.to_owned()).or_default(), record.event.outcome);
    }
    days.into_iter().map(|(day, counts)| LedgerDay { day, counts }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_eval::Interval;

    #[test]
    fn a_share_is_unknown_until_the_book_knows() {
        let unknown = Share { value: None, low: 0.0, high: 1.0 };
        assert_eq!(Share::of(0, 0, None), unknown);
        let found = IntervalEstimate {
            value: Some(0.75),
            interval: Some(Interval { low: 0.5, high: 0.9, level: 0.95 }),
        };
        assert_eq!(Share::of(3, 4, Some(&found)), Share { value: Some(0.75), low: 0.5, high: 0.9 });
        assert_eq!(Share::of(0, 0, Some(&found)), unknown);
        let few = IntervalEstimate { value: Some(0.75), interval: None };
        assert_eq!(Share::of(3, 4, Some(&few)), Share { value: Some(0.75), low: 0.0, high: 1.0 });
    }
}
