//! How the ways out do: for metrics, the API and logs.

use forewarn_schema::Timestamp;
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use utoipa::ToSchema;

/// What kind of target it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TargetKind {
    /// An Alertmanager.
    Alertmanager,
    /// A webhook.
    Webhook,
    /// A receiver of scores by remote write.
    RemoteWrite,
}

impl TargetKind {
    /// As labels and JSON have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Webhook => "webhook",
            Self::RemoteWrite => "remote_write",
        }
    }
}

/// How a target does, since the start of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct TargetStatus {
    /// Its kind.
    pub kind: TargetKind,
    /// Its name.
    pub name: String,
    /// Whether the last request arrived; `None` before the first.
    pub is_up: Option<bool>,
    /// When a request last arrived.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_success: Option<Timestamp>,
    /// What went wrong last, in the server's words where it had any.
    pub last_error: Option<String>,
    /// Alerts, notifications or samples that wait.
    pub waiting: usize,
    /// Those that arrived; an Alertmanager is told of an alert many times.
    pub delivered: u64,
    /// Requests that arrived.
    pub requests: u64,
    /// Requests that failed and were, or are to be, repeated.
    pub failed_requests: u64,
    /// Alerts, notifications or samples that the server refused.
    pub refused: u64,
    /// Those that were dropped, because too many waited or they waited too long.
    pub dropped: u64,
    /// Alerts that this Alertmanager has silenced or inhibited.
    pub muted: Vec<MutedAlert>,
}

/// An alert of which Alertmanager tells no one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct MutedAlert {
    /// The id of the warning, or `source:` and the name of a source.
    pub key: String,
    /// Whether another alert inhibits it.
    pub inhibited: bool,
    /// The silences that fit it.
    pub silences: Vec<SilenceNote>,
}

/// A silence of Alertmanager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct SilenceNote {
    /// Its id.
    pub id: String,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Until when it holds.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ends_at: Option<Timestamp>,
}

impl TargetStatus {
    pub(crate) fn new(kind: TargetKind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            is_up: None,
            last_success: None,
            last_error: None,
            waiting: 0,
            delivered: 0,
            requests: 0,
            failed_requests: 0,
            refused: 0,
            dropped: 0,
            muted: Vec::new(),
        }
    }

    pub(crate) fn arrived(&mut self, now: Timestamp, delivered: usize) {
        (self.is_up, self.last_success) = (Some(true), Some(now));
        self.requests += 1;
        self.delivered += delivered as u64;
    }

    pub(crate) fn failed(&mut self, reason: String) {
        (self.is_up, self.last_error) = (Some(false), Some(reason));
        self.failed_requests += 1;
    }

    /// The server is there, and does not want what it was sent.
    pub(crate) fn refused(&mut self, count: usize, reason: String) {
        (self.is_up, self.last_error) = (Some(true), Some(reason));
        self.refused += count as u64;
    }
}

/// Every target's status, as it is now. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Targets(Arc<Mutex<Vec<Arc<Mutex<TargetStatus>>>>>);

impl Targets {
    /// Shows these from now on.
    pub(crate) fn replace(&self, targets: Vec<Arc<Mutex<TargetStatus>>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = targets;
    }

    /// How each does, in the order of the configuration.
    #[must_use]
    pub fn all(&self) -> Vec<TargetStatus> {
        let targets = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        targets.iter().map(|target| target.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }
}
