//! What the history on disk has of the time before that in memory.

use crate::{
    RecentConfig,
    api::words::Time,
    http::Problem,
    runtime::{
        FailureRecord, Happened, IncidentRecord, MinuteBlock, OutcomeRecord, Past, Recent, Snapshot,
        WarningRecord,
    },
};
use axum::http::StatusCode;
use forewarn_live::Event;
use forewarn_schema::Timestamp;
use forewarn_store::StoreError;
use std::{collections::BTreeMap, sync::Arc};
use tokio::task::spawn_blocking;

/// Most days on disk that a request may look at.
const MOST_DAYS: i64 = 100;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;
/// Records that a request may look at.
const MOST_RECORDS: usize = 1_000_000;

/// The past of one service, from before what is in memory.
pub(crate) struct Older {
    pub(crate) minutes: Vec<MinuteBlock>,
    records: Recent,
}

type Span = (Timestamp, Timestamp);

impl Older {
    /// Reads what lies in a span and before the first row in memory; nothing where no history is kept.
    pub(crate) async fn read(snapshot: &Snapshot, service: &str, span: Span) -> Result<Self, Problem> {
        let until = snapshot.recent.span().map_or(span.1, |(first, _)| first.min(span.1));
        let service = service.to_owned();
        let read = move |past: &Past, span| {
            let mut events = past.events(Happened::Warnings, Some(&service), span)?;
            events.extend(past.events(Happened::Failures, Some(&service), span)?);
            events.extend(past.events(Happened::Outcomes, Some(&service), span)?);
            Ok(Self { minutes: past.minutes(&service, span)?, records: records(events) })
        };
        let nothing = || Self { minutes: Vec::new(), records: records(Vec::new()) };
        Ok(on_disk(snapshot, (span.0, until), read).await?.unwrap_or_else(nothing))
    }

    /// Warnings that are not in memory.
    pub(crate) fn warnings<'a>(
        &'a self,
        memory: &'a Recent,
    ) -> impl Iterator<Item = &'a Arc<WarningRecord>> + use<'a> {
        self.records.warnings().filter(|record| memory.warning(&record.event.id).is_none())
    }

    /// Failures that are not in memory.
    pub(crate) fn failures<'a>(
        &'a self,
        memory: &'a Recent,
    ) -> impl Iterator<Item = &'a Arc<FailureRecord>> + use<'a> {
        let first = memory.failures().next().map_or(u64::MAX, |record| record.seq);
        self.records.failures().filter(move |record| record.seq < first)
    }
}

/// Entries of the ledger in a span that are older than those in memory, oldest first.
pub(crate) async fn older_outcomes(
    snapshot: &Snapshot,
    service: Option<&str>,
    span: Span,
) -> Result<Vec<Arc<OutcomeRecord>>, Problem> {
    let first = snapshot.recent.outcomes().next();
    let (first_seq, until) = first.map_or((u64::MAX, span.1), |record| (record.seq, record.time));
    // Of one minute some may be in memory and some not.
    let until = until.checked_add(snapshot.about.step, 1).unwrap_or(until).min(span.1);
    let service = service.map(str::to_owned);
    let read =
        move |past: &Past, span| Ok(records(past.events(Happened::Outcomes, service.as_deref(), span)?));
    let found = on_disk(snapshot, (span.0, until), read).await?;
    let kept = found.iter().flat_map(|records| records.outcomes()).filter(|record| record.seq < first_seq);
    Ok(kept.map(Arc::clone).collect())
}

/// How long after a span is looked for what became of its warnings and incidents.
const AFTERMATH_MILLIS: i64 = DAY_MILLIS;

/// Warnings and incidents from before what is in memory.
pub(crate) struct OlderAlarms {
    records: Recent,
    /// Numbers of the first warning and the first incident in memory.
    first: (u64, u64),
}

impl OlderAlarms {
    /// None.
    pub(crate) fn none() -> Self {
        Self { records: records(Vec::new()), first: (0, 0) }
    }

    /// Reads those that began from `from` on and before `to`; none without a `from`. Incidents are left out unless
    /// `has_incidents`.
    pub(crate) async fn asked(
        snapshot: &Snapshot,
        service: Option<&str>,
        (from, to): (Option<Time>, Option<Time>),
        has_incidents: bool,
    ) -> Result<Self, Problem> {
        let Some(from) = from else { return Ok(Self::none()) };
        Self::read(snapshot, service, (from.0, end_of(snapshot, to)), has_incidents).await
    }

    /// Reads those that began in a span, with what became of them within a day after it.
    async fn read(
        snapshot: &Snapshot,
        service: Option<&str>,
        (from, to): (Timestamp, Timestamp),
        has_incidents: bool,
    ) -> Result<Self, Problem> {
        let first_warning = snapshot.recent.warnings().next().map_or(u64::MAX, |record| record.seq);
        let first_incident = snapshot.recent.incidents().next().map_or(u64::MAX, |record| record.seq);
        let to = Timestamp::from_millis(to.millis().saturating_add(AFTERMATH_MILLIS)).unwrap_or(to);
        let service = service.map(str::to_owned);
        let read = move |past: &Past, span| {
            let mut events = past.events(Happened::Warnings, service.as_deref(), span)?;
            events.extend(past.events(Happened::Outcomes, service.as_deref(), span)?);
            if has_incidents {
                // Under the name of one of its services only.
                events.extend(past.events(Happened::Incidents, None, span)?);
            }
            Ok(records(events))
        };
        let found = on_disk(snapshot, (from, to), read).await?;
        let records = found.unwrap_or_else(|| records(Vec::new()));
        Ok(Self { records, first: (first_warning, first_incident) })
    }

    /// Those of which an id such as `w:cart:2026-03-02T10:00:00Z` says when they began; none for an id without a time.
    pub(crate) async fn of_id(snapshot: &Snapshot, id: &str) -> Result<Self, Problem> {
        // Names may have colons, and so have times.
        let time = id.match_indices(':').find_map(|(at, _)| id[at + 1..].parse::<Timestamp>().ok());
        let Some(from) = time else { return Ok(Self::none()) };
        let to = from.checked_add(snapshot.about.step, 1).unwrap_or(from);
        Self::read(snapshot, None, (from, to), true).await
    }

    /// Warnings that are not in memory, oldest first.
    pub(crate) fn warnings(&self) -> impl DoubleEndedIterator<Item = &Arc<WarningRecord>> {
        self.records.warnings().filter(|record| record.seq < self.first.0)
    }

    /// Incidents that are not in memory, oldest first.
    pub(crate) fn incidents(&self) -> impl DoubleEndedIterator<Item = &Arc<IncidentRecord>> {
        self.records.incidents().filter(|record| record.seq < self.first.1)
    }
}

/// Where a span ends: at `to`, or after the newest row.
pub(crate) fn end_of(snapshot: &Snapshot, to: Option<Time>) -> Timestamp {
    let newest = || snapshot.last_row.and_then(|last| last.checked_add(snapshot.about.step, 1));
    to.map(|to| to.0).or_else(newest).unwrap_or(Timestamp::EPOCH)
}

/// Reads from disk on a thread that may wait; `None` where there is no history, or the span is empty.
async fn on_disk<T: Send + 'static>(
    snapshot: &Snapshot,
    span: Span,
    read: impl FnOnce(&Past, Span) -> Result<T, StoreError> + Send + 'static,
) -> Result<Option<T>, Problem> {
    let Some(past) = snapshot.about.past.clone() else { return Ok(None) };
    let Some((first, after)) = past.span() else { return Ok(None) };
    let (from, until) = (span.0.max(first), span.1.min(after));
    if from >= until {
        return Ok(None);
    }
    if until.millis() - from.millis() > MOST_DAYS * DAY_MILLIS {
        return Err(Problem::invalid(format!(
            "from {from} to {until} are more than {MOST_DAYS} days: expected a shorter span"
        )));
    }
    let failed =
        |reason: String| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "history_unreadable", reason);
    let read = spawn_blocking(move || read(&past, (from, until))).await;
    let read = read.map_err(|error| failed(error.to_string()))?;
    read.map(Some).map_err(|error| failed(format!("the history cannot be read: {error}")))
}

/// Events as records, in their order.
fn records(mut events: Vec<Event>) -> Recent {
    events.sort_by_key(|event| event.seq);
    let mut records = Recent::new(RecentConfig { records: MOST_RECORDS, ..RecentConfig::default() });
    records.extend(&events, &BTreeMap::new());
    records
}
