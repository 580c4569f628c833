//! Alerts of other programs: a second opinion on what is a failure.

use crate::LiveError;
use crate::engine::{AlertEvent, AlertState, Engine, EventBody, model::warning_id};
use forewarn_schema::Timestamp;

/// Alerts of a service that may fire at once.
const MOST_ALERTS: usize = 100;

impl Engine {
    /// Another program's alert. One that is told again changes nothing.
    ///
    /// The failure rule stays what counts as failing. An alert only speaks for warnings that came before it and are
    /// not judged yet: one of which the rule saw no failure is a hit then, and no false alarm.
    pub(in crate::engine) fn alert(
        &mut self,
        service: String,
        alert: String,
        state: AlertState,
        since: Timestamp,
    ) -> Result<(), LiveError> {
        let Some(&slot) = self.by_name.get(service.as_str()) else {
            return Err(LiveError::Unknown { what: "service", name: service });
        };
        let firing = &mut self.services[slot].alerts;
        match state {
            AlertState::Firing if firing.get(&alert) == Some(&since) => return Ok(()),
            AlertState::Firing => {
                let is_new = !firing.contains_key(&alert);
                if alert.len() > self.config.most_name_bytes || (is_new && firing.len() >= MOST_ALERTS) {
                    self.counters.refused_alerts += 1;
                    return Ok(());
                }
                firing.insert(alert.clone(), since);
            }
            AlertState::Resolved if firing.remove(&alert).is_none() => return Ok(()),
            AlertState::Resolved => {}
        }
        let mut before = None;
        if state == AlertState::Firing {
            for (index, run) in self.models.iter_mut().enumerate() {
                let warned = run.services[slot].warned.iter_mut().rev().find(|warned| warned.time < since);
                let Some(warned) = warned else { continue };
                warned.confirmed = warned.confirmed.or(Some(since));
                if index == self.main {
                    before = Some((warned.first, warned.time));
                }
            }
        }
        let time = self.last_time();
        let event = AlertEvent {
            warning: before.map(|(first, _)| warning_id(&service, first)),
            lead_minutes: before.map(|(_, time)| since.minutes_since(time)),
            service,
            alert,
            state,
            since,
        };
        self.out.emit(time, EventBody::Alert(event.into()));
        Ok(())
    }
}
