use forewarn_live::{FailureEvent, IncidentEvent, OutcomeEvent, SourceStatus, WarningEvent};
use forewarn_schema::Timestamp;

/// A warning, from its first minute to what became of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WarningRecord {
    /// Number of the event that raised it.
    pub seq: u64,
    /// As it was raised.
    pub event: WarningEvent,
    /// Row time at which it was over.
    pub resolved_at: Option<Timestamp>,
    /// Row time at which an operator had seen it.
    pub acknowledged_at: Option<Timestamp>,
    /// Row time at which an operator had acted on it.
    pub acted_at: Option<Timestamp>,
    /// What became of it.
    pub outcome: Option<OutcomeEvent>,
}

impl WarningRecord {
    pub(super) fn new(seq: u64, event: WarningEvent) -> Self {
        Self { seq, event, resolved_at: None, acknowledged_at: None, acted_at: None, outcome: None }
    }

    /// Whether it fires.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.resolved_at.is_none()
    }
}

/// An incident.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct IncidentRecord {
    /// Number of the event that opened it.
    pub seq: u64,
    /// As it was said last.
    pub event: IncidentEvent,
    /// Row time of the last change.
    pub updated_at: Timestamp,
    /// Row time at which it was closed.
    pub closed_at: Option<Timestamp>,
}

impl IncidentRecord {
    pub(super) fn new(seq: u64, time: Timestamp, event: IncidentEvent) -> Self {
        Self { seq, event, updated_at: time, closed_at: None }
    }

    pub(super) fn update(&mut self, time: Timestamp, event: &IncidentEvent) {
        self.updated_at = time;
        self.closed_at = (event.state == forewarn_live::IncidentState::Closed).then_some(time);
        self.event = event.clone();
    }
}

/// A failure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FailureRecord {
    /// Number of the event that confirmed it.
    pub seq: u64,
    /// Row time at which it was confirmed.
    pub confirmed_at: Timestamp,
    /// As it was said last; with an end when it is over.
    pub event: FailureEvent,
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutcomeRecord {
    /// Number of its event.
    pub seq: u64,
    /// Row time at which it was judged.
    pub time: Timestamp,
    /// The entry.
    pub event: OutcomeEvent,
}

/// State of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceRecord {
    /// Row time from which on it is in this state.
    pub since: Timestamp,
    /// Its state.
    pub status: SourceStatus,
}
