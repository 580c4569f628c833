//! What pages show of the last hours, in memory.

mod minute;
mod records;

pub(in crate::runtime) use minute::Builder;
pub use minute::{MinuteBlock, RowView, ScoreColumn, ScoreDetail, ScoreView};
pub use records::{FailureRecord, IncidentRecord, OutcomeRecord, SourceRecord, WarningRecord};

use crate::config::RecentConfig;
use forewarn_live::{
    Action, BudgetEvent, Event, EventBody, FailureState, IncidentEvent, IncidentState, OutcomeEvent,
    WarningEvent, WarningState,
};
use forewarn_schema::Timestamp;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// The last rows and scores of every service, and the last warnings, incidents, failures and outcomes, made of events
/// alone. A clone is what it is at that moment, costs a few pointers, and shares the rest.
#[derive(Clone, Debug)]
pub struct Recent {
    limits: RecentConfig,
    minutes: Arc<VecDeque<Arc<MinuteBlock>>>,
    /// Rows of all minutes.
    rows: usize,
    open: Builder,
    warnings: List<WarningRecord>,
    incidents: List<IncidentRecord>,
    failures: List<FailureRecord>,
    outcomes: List<OutcomeRecord>,
    budget: Option<(Timestamp, BudgetEvent)>,
    sources: Arc<BTreeMap<String, SourceRecord>>,
}

/// Records, oldest first.
type List<T> = Arc<VecDeque<Arc<T>>>;

impl Recent {
    pub(crate) fn new(limits: RecentConfig) -> Self {
        Self {
            limits,
            minutes: Arc::default(),
            rows: 0,
            open: Builder::default(),
            warnings: Arc::default(),
            incidents: Arc::default(),
            failures: Arc::default(),
            outcomes: Arc::default(),
            budget: None,
            sources: Arc::default(),
        }
    }

    /// First and last row time of the minutes that are kept.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.minutes.front()?.time, self.minutes.back()?.time))
    }

    /// The minutes from `from` to before `to`, oldest first.
    pub fn minutes(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl DoubleEndedIterator<Item = &Arc<MinuteBlock>> {
        let at = |time: Timestamp| self.minutes.partition_point(|block| block.time < time);
        let (from, to) = (at(from), at(to));
        self.minutes.range(from.min(to)..to)
    }

    /// The minute that was closed last.
    #[must_use]
    pub fn last(&self) -> Option<&Arc<MinuteBlock>> {
        self.minutes.back()
    }

    /// The last warnings, oldest first.
    pub fn warnings(&self) -> impl DoubleEndedIterator<Item = &Arc<WarningRecord>> {
        self.warnings.iter()
    }

    /// The warning of this id.
    #[must_use]
    pub fn warning(&self, id: &str) -> Option<&Arc<WarningRecord>> {
        self.warnings.iter().rev().find(|record| record.event.id == id)
    }

    /// The last incidents, oldest first.
    pub fn incidents(&self) -> impl DoubleEndedIterator<Item = &Arc<IncidentRecord>> {
        self.incidents.iter()
    }

    /// The incident of this id.
    #[must_use]
    pub fn incident(&self, id: &str) -> Option<&Arc<IncidentRecord>> {
        self.incidents.iter().rev().find(|record| record.event.id == id)
    }

    /// The last failures, oldest first.
    pub fn failures(&self) -> impl DoubleEndedIterator<Item = &Arc<FailureRecord>> {
        self.failures.iter()
    }

    /// The last entries of the ledger, oldest first.
    pub fn outcomes(&self) -> impl DoubleEndedIterator<Item = &Arc<OutcomeRecord>> {
        self.outcomes.iter()
    }

    /// How the budget stood last, and when that was said.
    #[must_use]
    pub fn budget(&self) -> Option<(Timestamp, BudgetEvent)> {
        self.budget
    }

    /// What the sources said of themselves last, by name.
    #[must_use]
    pub fn sources(&self) -> &BTreeMap<String, SourceRecord> {
        &self.sources
    }

    /// Takes events, in order. `thresholds` gives for each model the probability from which on it warns; where it
    /// is not known, such as in the past, it has none.
    pub(crate) fn extend<'a>(
        &mut self,
        events: impl IntoIterator<Item = &'a Event>,
        thresholds: &BTreeMap<String, f64>,
    ) {
        for event in events {
            match &event.body {
                EventBody::Row(row) => {
                    if self.open.is_of_another(event.time) {
                        self.close(thresholds);
                    }
                    self.open.row(event.time, row);
                }
                EventBody::Score(score) => self.open.score(event.time, score),
                EventBody::Warning(warning) if warning.state == WarningState::Firing => {
                    keep(
                        &mut self.warnings,
                        WarningRecord::new(event.seq, WarningEvent::clone(warning)),
                        self.limits.records,
                    );
                }
                EventBody::ServiceAdopted { warning: Some(warning), .. } => {
                    let record = WarningRecord::new(event.seq, (**warning).clone());
                    keep(&mut self.warnings, record, self.limits.records);
                }
                EventBody::Warning(warning) => {
                    change(
                        &mut self.warnings,
                        |record| record.event.id == warning.id,
                        |record| {
                            record.resolved_at = Some(event.time);
                        },
                    );
                }
                EventBody::Incident(incident) if incident.state == IncidentState::Opened => {
                    let record = IncidentRecord::new(event.seq, event.time, IncidentEvent::clone(incident));
                    keep(&mut self.incidents, record, self.limits.records);
                }
                EventBody::Incident(incident) => {
                    change(
                        &mut self.incidents,
                        |record| record.event.id == incident.id,
                        |record| {
                            record.update(event.time, incident);
                        },
                    );
                }
                EventBody::Failure(failure) if failure.state == FailureState::Confirmed => {
                    let record =
                        FailureRecord { seq: event.seq, confirmed_at: event.time, event: failure.clone() };
                    keep(&mut self.failures, record, self.limits.records);
                }
                EventBody::Failure(failure) => {
                    change(
                        &mut self.failures,
                        |record| record.event.id == failure.id,
                        |record| {
                            record.event = failure.clone();
                        },
                    );
                }
                EventBody::Outcome(outcome) => {
                    if let Some(id) = outcome.warning.as_ref().filter(|_| !outcome.shadow) {
                        change(
                            &mut self.warnings,
                            |record| record.event.id == *id,
                            |record| {
                                record.outcome = Some(OutcomeEvent::clone(outcome));
                            },
                        );
                    }
                    let record = OutcomeRecord {
                        seq: event.seq,
                        time: event.time,
                        event: OutcomeEvent::clone(outcome),
                    };
                    keep(&mut self.outcomes, record, self.limits.records);
                }
                EventBody::Budget(budget) => self.budget = Some((event.time, *budget)),
                EventBody::Source { source, status } => {
                    let record = SourceRecord { since: event.time, status: status.clone() };
                    Arc::make_mut(&mut self.sources).insert(source.clone(), record);
                }
                EventBody::Action(Action::Acknowledge { warning }) => {
                    change(
                        &mut self.warnings,
                        |record| record.event.id == *warning,
                        |record| {
                            record.acknowledged_at = record.acknowledged_at.or(Some(event.time));
                        },
                    );
                }
                EventBody::Action(Action::Acted { warning }) => {
                    change(
                        &mut self.warnings,
                        |record| record.event.id == *warning,
                        |record| {
                            record.acted_at = record.acted_at.or(Some(event.time));
                        },
                    );
                }
                _ => {}
            }
        }
        // A minute is closed by one input, so that its events come together.
        self.close(thresholds);
    }

    /// Puts the open minute to the others, and lets go of what is too old or too much.
    fn close(&mut self, thresholds: &BTreeMap<String, f64>) {
        let names = self.minutes.back().map(|last| last.names());
        let Some(block) = std::mem::take(&mut self.open).build(names, thresholds) else { return };
        let minutes = Arc::make_mut(&mut self.minutes);
        self.rows += block.len();
        let oldest = block.time.millis().saturating_sub(i64::from(self.limits.hours) * 3_600_000);
        minutes.push_back(Arc::new(block));
        while minutes.len() > 1 {
            let is_needed =
                |first: &Arc<MinuteBlock>| first.time.millis() > oldest && self.rows <= self.limits.most_rows;
            if minutes.front().is_none_or(is_needed) {
                break;
            }
            self.rows -= minutes.pop_front().map_or(0, |block| block.len());
        }
    }
}

fn keep<T>(list: &mut List<T>, record: T, most: usize) {
    let list = Arc::make_mut(list);
    list.push_back(Arc::new(record));
    while list.len() > most {
        list.pop_front();
    }
}

/// Changes the newest record that fits, if there is one that is still kept.
fn change<T: Clone>(list: &mut List<T>, fits: impl Fn(&T) -> bool, change: impl FnOnce(&mut T)) {
    if let Some(at) = list.iter().rposition(|record| fits(record)) {
        change(Arc::make_mut(&mut Arc::make_mut(list)[at]));
    }
}

#[cfg(test)]
mod tests;
