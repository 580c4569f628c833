//! Which alerts stand: a pure function of events and the time.

use super::{
    alert::{Alert, source_key},
    objective::{LEVELS, slo_key},
    time::plus_millis,
};
use crate::config::AlertsConfig;
use crate::sink::Truth;
use forewarn_live::{
    Action, EngineView, Event, EventBody, IncidentEvent, RiskLevel, SloEvent, SourceStatus, WarningEvent,
    WarningState,
};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What changed among the alerts that the outside sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// One began.
    Fired(Alert),
    /// There is more to say of one that stands.
    Updated(Alert),
    /// One is over.
    Resolved(Alert),
    /// One goes on that another shard has told of.
    Adopted(Alert),
    /// Another shard goes on with one, and it is not over.
    Released(Alert),
}

/// The alerts that stand, and those that are held back.
///
/// Events are taken once: numbers that came before change nothing, so that a journal that is replayed over a saved
/// book doubles no alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AlertBook {
    /// Number of the event that is taken next.
    next_seq: u64,
    /// Row time, as late as events were.
    row_time: Option<Timestamp>,
    /// By key.
    standing: BTreeMap<String, Standing>,
    /// Until which row time an operator wants no warnings of a service.
    silences: BTreeMap<String, Timestamp>,
    /// Alerts that were over before the outside saw them.
    suppressed: u64,
    /// Whether anything but the position changed since that was asked.
    #[serde(skip)]
    is_changed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Standing {
    alert: Alert,
    /// The service of a warning.
    service: Option<String>,
    held: Option<Held>,
}

/// Why the outside does not see an alert yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Held {
    /// An operator wants no warnings of the service. Until when is in the book's silences.
    Silenced,
    /// A source may answer again before this time of the clock.
    Grace { until: Timestamp },
}

impl AlertBook {
    /// Number of the event that is to be taken next.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Alerts that the outside sees.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &Alert> {
        self.standing.values().filter(|standing| standing.held.is_none()).map(|standing| &standing.alert)
    }

    /// Whether anything but the position changed since this was asked last.
    pub(crate) fn was_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Takes the next event.
    pub(crate) fn take(&mut self, config: &AlertsConfig, event: &Event, now: Timestamp) -> Vec<Change> {
        if event.seq < self.next_seq {
            return Vec::new();
        }
        self.next_seq = event.seq + 1;
        self.row_time = self.row_time.max(Some(event.time));
        let mut changes = Vec::new();
        match &event.body {
            EventBody::Warning(warning) => match warning.state {
                // It may never fire.
                WarningState::Pending => {}
                WarningState::Firing => changes.extend(self.raise(config, warning)),
                WarningState::Resolved => changes.extend(self.end(&warning.id, event.time)),
            },
            EventBody::ServiceAdopted { warning: Some(warning), .. } => {
                changes.extend(self.raise(config, warning).map(|change| match change {
                    Change::Fired(alert) => Change::Adopted(alert),
                    other => other,
                }));
            }
            EventBody::ServiceReleased { service } => changes.extend(self.release_service(service)),
            // A service that is gone has no warning that could be over.
            EventBody::ServiceExpired { service } => changes.extend(self.end_service(service, event.time)),
            EventBody::Incident(incident) => changes.extend(self.note(incident)),
            EventBody::Source { source, status } => {
                changes.extend(self.source(config, source, status, event.time, now));
            }
            EventBody::Slo(slo) => changes.extend(self.objective(config, slo, event.time)),
            EventBody::Action(Action::Silence { service, until }) => {
                self.silences.insert(service.clone(), *until);
                self.is_changed = true;
            }
            _ => {}
        }
        changes.extend(self.release(now));
        changes
    }

    /// What changes because time passes.
    pub(crate) fn release(&mut self, now: Timestamp) -> Vec<Change> {
        let Self { standing, silences, row_time, is_changed, .. } = self;
        if let Some(row_time) = *row_time {
            silences.retain(|_, until| row_time < *until);
        }
        let mut changes = Vec::new();
        for one in standing.values_mut() {
            let is_over = match one.held {
                None => continue,
                Some(Held::Silenced) => !one.service.as_ref().is_some_and(|name| silences.contains_key(name)),
                Some(Held::Grace { until }) => now >= until,
            };
            if is_over {
                (one.held, *is_changed) = (None, true);
                changes.push(Change::Fired(one.alert.clone()));
            }
        }
        changes
    }

    /// When [`release`](Self::release) may change something, if nothing else happens.
    pub(crate) fn next_release(&self) -> Option<Timestamp> {
        let until = |standing: &Standing| match standing.held {
            Some(Held::Grace { until }) => Some(until),
            _ => None,
        };
        self.standing.values().filter_map(until).min()
    }

    /// Makes the book agree with the engine where events between the two are lost: a state that was not saved, or more
    /// events than are kept.
    pub(crate) fn reconcile(
        &mut self,
        config: &AlertsConfig,
        truth: &Truth<'_>,
        now: Timestamp,
    ) -> Vec<Change> {
        let Truth { view, next_seq, warning } = *truth;
        let row_time = view.services.iter().map(|service| service.heard).max().or(self.row_time);
        let row_time = row_time.unwrap_or(now);
        (self.row_time, self.next_seq, self.is_changed) = (Some(row_time), next_seq, true);
        let silenced = view.services.iter().filter_map(|one| Some((one.name.clone(), one.silenced_until?)));
        self.silences = silenced.collect();
        let firing: BTreeMap<&str, &forewarn_live::ServiceView> =
            view.services.iter().filter_map(|one| Some((one.warning.as_deref()?, one))).collect();
        let burning = view.slos.iter().filter(|slo| LEVELS.contains(&slo.standing.level));
        let burning: BTreeSet<String> =
            burning.map(|slo| slo_key(&slo.standing, slo.standing.level)).collect();
        let is_down = |source: &str| matches!(view.sources.get(source), Some(SourceStatus::Down { .. }));
        let gone = self.standing.iter().filter(|(key, one)| match key.strip_prefix("source:") {
            Some(source) if one.service.is_none() => !is_down(source),
            _ if key.starts_with("slo:") => !burning.contains(*key),
            _ => !firing.contains_key(key.as_str()),
        });
        let gone: Vec<String> = gone.map(|(key, _)| key.clone()).collect();
        let mut changes: Vec<Change> = gone.iter().filter_map(|key| self.end(key, row_time)).collect();
        for (id, service) in firing {
            let warning =
                warning(id).unwrap_or_else(|| unknown_warning(id, &service.name, service.level, view));
            let silenced = self.silences.contains_key(&service.name);
            changes.extend(self.raise(config, &WarningEvent { silenced, ..warning }));
        }
        for slo in &view.slos {
            changes.extend(self.objective(config, &slo.standing, slo.since.unwrap_or(row_time)));
        }
        for (source, status) in &view.sources {
            changes.extend(self.source(config, source, status, row_time, now));
        }
        for incident in &view.incidents {
            let incident = IncidentEvent {
                id: incident.id.clone(),
                state: forewarn_live::IncidentState::Updated,
                since: incident.since,
                services: incident.services.clone(),
                suspects: incident.suspects.clone(),
                victims: incident.victims.clone(),
                merged_into: None,
            };
            changes.extend(self.note(&incident));
        }
        changes.extend(self.release(now));
        changes
    }

    fn raise(&mut self, config: &AlertsConfig, warning: &WarningEvent) -> Option<Change> {
        if self.standing.contains_key(&warning.id) {
            return None;
        }
        let alert = Alert::of_warning(config, warning);
        let held = warning.silenced.then_some(Held::Silenced);
        let change = held.is_none().then(|| Change::Fired(alert.clone()));
        let service = Some(warning.service.clone());
        self.standing.insert(warning.id.clone(), Standing { alert, service, held });
        self.is_changed = true;
        change
    }

    fn end(&mut self, key: &str, time: Timestamp) -> Option<Change> {
        let mut standing = self.standing.remove(key)?;
        self.is_changed = true;
        if standing.held.is_some() {
            self.suppressed += 1;
            return None;
        }
        standing.alert.ended_at = Some(time.max(standing.alert.starts_at));
        Some(Change::Resolved(standing.alert))
    }

    fn end_service(&mut self, service: &str, time: Timestamp) -> Vec<Change> {
        let of = |one: &Standing| one.service.as_deref() == Some(service);
        let keys = self.standing.iter().filter(|(_, one)| of(one)).map(|(key, _)| key.clone());
        let keys: Vec<String> = keys.collect();
        self.silences.remove(service);
        keys.iter().filter_map(|key| self.end(key, time)).collect()
    }

    /// Forgets the alerts of a service, which are another shard's now.
    fn release_service(&mut self, service: &str) -> Vec<Change> {
        let (gone, kept) = std::mem::take(&mut self.standing)
            .into_iter()
            .partition(|(_, one)| one.service.as_deref() == Some(service));
        self.standing = kept;
        self.silences.remove(service);
        let gone: BTreeMap<String, Standing> = gone;
        self.is_changed |= !gone.is_empty();
        let seen = gone.into_values().filter(|one| one.held.is_none());
        seen.map(|one| Change::Released(one.alert)).collect()
    }

    fn note(&mut self, incident: &IncidentEvent) -> Vec<Change> {
        let standing = self.standing.values_mut();
        let mut changes = Vec::new();
        for one in standing.filter(|one| one.alert.incident.as_ref() == Some(&incident.id)) {
            if let Some(into) = &incident.merged_into {
                one.alert.join_incident(into);
            } else if !one.alert.note_incident(incident) {
                continue;
            }
            self.is_changed = true;
            if one.held.is_none() {
                changes.push(Change::Updated(one.alert.clone()));
            }
        }
        changes
    }

    /// An objective stands at a level: the alert of that level begins, that of another one ends.
    fn objective(&mut self, config: &AlertsConfig, slo: &SloEvent, time: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        for level in LEVELS {
            let key = slo_key(slo, level);
            if slo.level != level {
                changes.extend(self.end(&key, time));
                continue;
            }
            let mut alert = Alert::of_slo(config, slo, level, time);
            let Some(stands) = self.standing.get_mut(&key) else {
                let held = self.silences.contains_key(&slo.service).then_some(Held::Silenced);
                changes.extend(held.is_none().then(|| Change::Fired(alert.clone())));
                let service = Some(slo.service.clone());
                self.standing.insert(key, Standing { alert, service, held });
                self.is_changed = true;
                continue;
            };
            alert.starts_at = stands.alert.starts_at;
            if alert != stands.alert {
                stands.alert = alert;
                changes.extend(stands.held.is_none().then(|| Change::Updated(stands.alert.clone())));
                self.is_changed = true;
            }
        }
        changes
    }

    fn source(
        &mut self,
        config: &AlertsConfig,
        source: &str,
        status: &SourceStatus,
        time: Timestamp,
        now: Timestamp,
    ) -> Option<Change> {
        let key = source_key(source);
        let SourceStatus::Down { reason } = status else { return self.end(&key, time) };
        if self.standing.contains_key(&key) {
            return None;
        }
        let alert = Alert::of_source(config, source, reason, time);
        let held = Some(Held::Grace { until: plus_millis(now, i64::from(config.source_down_secs) * 1000) });
        self.standing.insert(key, Standing { alert, service: None, held });
        self.is_changed = true;
        None
    }
}

/// What can be said of a warning of which only the engine's view is left.
fn unknown_warning(id: &str, service: &str, level: Option<RiskLevel>, view: &EngineView) -> WarningEvent {
    let since = id.strip_prefix("w:").and_then(|rest| rest.strip_prefix(service));
    let since = since.and_then(|rest| rest.strip_prefix(':')?.parse().ok());
    let incident =
        view.incidents.iter().find(|incident| incident.services.iter().any(|name| name == service));
    let model = view.models.first();
    WarningEvent {
        id: id.to_owned(),
        service: service.to_owned(),
        state: WarningState::Firing,
        since: since.or(view.next).unwrap_or(Timestamp::EPOCH),
        model: model.map(|model| model.name.clone()).unwrap_or_default(),
        probability: None,
        threshold: model.map_or(1.0, |model| model.threshold),
        level: level.unwrap_or(RiskLevel::High),
        kind: forewarn_live::ProbableKind::Unknown,
        kind_confidence: 0.0,
        root: None,
        evidence: Vec::new(),
        minutes_to_failure: None,
        recommendation: forewarn_live::Recommendation {
            text: "Look at the metrics of the service and of its servers.".to_owned(),
            runbook: None,
        },
        incident: incident.map(|incident| incident.id.clone()),
        silenced: false,
    }
}

#[cfg(test)]
mod tests;
