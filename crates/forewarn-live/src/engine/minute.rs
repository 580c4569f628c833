//! Closing a minute: rows, failures, objectives, scores, warnings, outcomes and incidents, in this order.

pub(super) mod score;

use super::{
    BudgetEvent, Engine, Event, EventBody, FailureEvent, FailureState, IncidentEvent, Name, OutcomeEvent,
    ProbableKind, RowEvent, RowValues,
    incidents::Condition,
    slos::followed,
    state::service::{Service, missing_reason},
};
use crate::{LiveError, room::push_slowly};
use forewarn_label::{RuleEvent, RuleMinute, Verdict};
use forewarn_schema::Timestamp;
use std::sync::Arc;

impl Engine {
    pub(super) fn close(&mut self, time: Timestamp) -> Result<(), LiveError> {
        self.let_appear(time)?;
        let told = self.close_rows(time)?;
        let mut found = Found::default();
        for index in 0..self.models.len() {
            self.score(index, time, &told, &mut found)?;
        }
        let incidents = self.settle_incidents(time, &found);
        for outcome in found.outcomes {
            self.out.emit(time, EventBody::Outcome(outcome.into()));
        }
        for incident in incidents {
            self.out.emit(time, EventBody::Incident(incident.into()));
        }
        // A minute that is closed has one after it: others are refused.
        self.next = time.checked_add(self.step, 1);
        let has_silent = self.look_back(time);
        self.tell_budget(time);
        if has_silent {
            self.expire(time);
            self.reported = self.count_reported();
        }
        self.counters.minutes += 1;
        Ok(())
    }

    /// Lets services appear of which something came.
    fn let_appear(&mut self, time: Timestamp) -> Result<(), LiveError> {
        let mut names = std::mem::take(&mut self.newcomers);
        names.extend(self.inbox.at(time.millis()).others.keys().cloned());
        for name in names {
            if self.by_name.contains_key(name.as_str()) {
                continue;
            }
            if self.services.len() >= self.config.most_services {
                self.counters.refused_services += 1;
                continue;
            }
            self.join(name, time)?;
        }
        Ok(())
    }

    fn join(&mut self, name: String, time: Timestamp) -> Result<(), LiveError> {
        let shared = Name::from(name.as_str());
        let mut service = Service::new(shared.clone(), &self.rule, (&self.metrics, self.step), time)?;
        service.slos = followed::of_service(&self.slos, &name);
        // What waits for later minutes has been heard of already.
        for (minute, has_row) in self.inbox.join(&name, self.services.len(), time.millis()) {
            if let Some(minute) = Timestamp::from_millis(minute) {
                (service.heard, service.has_row) = (minute, has_row);
            }
        }
        for run in &mut self.models {
            run.join(&name, self.step)?;
        }
        self.by_name.insert(shared, self.services.len());
        push_slowly(&mut self.services, service);
        self.out.emit(time, EventBody::ServiceAppeared { service: name });
        Ok(())
    }

    /// Makes and tells the row of each service, and gives what the failure rule says of it.
    fn close_rows(&mut self, time: Timestamp) -> Result<Vec<RuleMinute>, LiveError> {
        let mut came = self.inbox.remove(time.millis());
        let (width, step) = (self.metrics.len(), self.step);
        let requests = self.metrics.position("request_count");
        self.rows.clear();
        self.rows.resize(self.services.len() * width, f32::NAN);
        self.out.events.reserve(self.services.len() * (1 + self.models.len()));
        for (slot, (service, row)) in
            self.services.iter_mut().zip(self.rows.chunks_exact_mut(width)).enumerate()
        {
            let open = came.take(slot);
            let has_come = open.is_some();
            let out_of_range =
                open.map_or(0, |open| open.close(&mut service.counters, &self.metrics, (time, step), row));
            self.counters.out_of_range += out_of_range;
            service.missing = missing_reason(row, requests, (has_come, out_of_range), &self.sources);
        }
        let mut told = Vec::with_capacity(self.services.len());
        let (mut failures, mut objectives) = (Vec::new(), Vec::new());
        let shared: Arc<[f32]> = self.rows.as_slice().into();
        for (slot, (service, row)) in self.services.iter_mut().zip(self.rows.chunks_exact(width)).enumerate()
        {
            let values = RowValues::of(&shared, slot, width);
            let event = RowEvent { service: service.name.clone(), values, missing: service.missing };
            self.out.emit(time, EventBody::Row(event));
            if service.late > 0 {
                let (service, count) = (service.name.to_string(), std::mem::take(&mut service.late));
                self.out.emit(time, EventBody::Late { service, count });
            }
            let minute = service.follow_rule(row, &mut failures)?;
            let is_known = minute.verdict != Verdict::Unknown;
            let began = minute.events.iter().any(|event| matches!(event, RuleEvent::Confirmed { .. }));
            service.onsets.count(is_known, began);
            self.onsets.count(is_known, began);
            if began {
                let seldom = service.normal.seldom_fails();
                self.incidents.touch(&service.name, time, seldom, &self.config);
            }
            told.push(minute);
            service.follow_slos(row, time, &mut objectives)?;
        }
        self.inbox.reuse(came);
        let failures = failures.into_iter().map(EventBody::Failure);
        for body in failures.chain(objectives.into_iter().map(|slo| EventBody::Slo(slo.into()))) {
            self.out.emit(time, body);
        }
        Ok(told)
    }

    /// Joins and ranks the incidents of services that warn or fail, and lets the warnings of this minute say where
    /// theirs began.
    fn settle_incidents(&mut self, time: Timestamp, found: &Found) -> Vec<IncidentEvent> {
        let Self { incidents, by_name, services, models, main, rows, metrics, config, telling, out, .. } =
            self;
        let (run, width) = (&mut models[*main], metrics.len());
        let active = found.active.iter().map(|&slot| services[slot].name.as_str());
        let condition = |name: &str| {
            let slot = by_name.get(name).copied()?;
            let row = &rows[slot * width..(slot + 1) * width];
            Some(Condition {
                row,
                anomaly: services[slot].normal.anomaly(row, telling),
                probability: run.fleet.scores()[slot].map(|score| f64::from(score.get())),
                is_failing: services[slot].failing.is_some(),
                seldom: services[slot].normal.seldom_fails(),
            })
        };
        let settled = incidents.settle(time, config, active, condition);
        let move_to = |id: &mut String| {
            while let Some(into) = settled.merged.get(&*id) {
                id.clone_from(into);
            }
        };
        if !settled.merged.is_empty() {
            let firing = run.services.iter_mut().filter_map(|state| state.firing.as_mut());
            firing.filter_map(|firing| firing.incident.as_mut()).for_each(move_to);
        }
        for &Raised { slot, event } in &found.raised {
            let (service, firing) = (&services[slot].name, run.services[slot].firing.as_mut());
            let (Some(firing), Some(Event { body: EventBody::Warning(warning), .. })) =
                (firing, out.events.get_mut(event))
            else {
                continue;
            };
            warning.incident.clone_from(&firing.incident);
            let root = firing.incident.as_deref().and_then(|id| incidents.root_of(id, service));
            let Some(root) = root else { continue };
            if root.is_server {
                (firing.kind, firing.kind_confidence) = (ProbableKind::Dependency, root.share);
                (warning.kind, warning.kind_confidence) = (firing.kind, firing.kind_confidence);
            }
            warning.recommendation = config.recommendation(firing.kind, service, Some(&root.service));
            warning.root = Some(root.service.clone());
            firing.root = Some(root.service);
        }
        settled.events
    }

    /// Takes the minute for normal where nothing fails, and counts who has reported the next one. Whether some have
    /// been silent for too long.
    fn look_back(&mut self, time: Timestamp) -> bool {
        let (width, next) = (self.metrics.len(), self.next);
        let (mut reported, mut has_silent) = (0, false);
        for (service, row) in self.services.iter_mut().zip(self.rows.chunks_exact(width)) {
            service.normal.learn_failing(service.failing.is_some());
            if service.failing.is_none() {
                service.normal.learn(row);
            }
            has_silent |= service.is_silent(time, self.config.expire_minutes);
            reported += usize::from(next.is_some_and(|next| service.has_reported(next)));
        }
        self.reported = reported;
        has_silent
    }

    /// Once an hour of row time, and when an alarm turned out false.
    fn tell_budget(&mut self, time: Timestamp) {
        const HOUR: i64 = 3_600_000;
        let run = &self.models[self.main];
        let is_new_hour = time.millis().rem_euclid(HOUR) < self.step.millis();
        if is_new_hour || run.false_alarms > 0 {
            let event = BudgetEvent {
                per_service_week: run.budget.settings().per_service_week,
                realised_per_service_week: run.budget.realised_per_service_week(),
                false_alarms: run.budget.false_alarms(),
                service_weeks: run.budget.service_weeks(),
                threshold_shift: run.budget.shift(),
            };
            self.out.emit(time, EventBody::Budget(event));
        }
    }

    /// Forgets services that have been silent for too long; what is not judged of them is censored.
    fn expire(&mut self, time: Timestamp) {
        let delay_minutes = f64::from(self.config.lead_delay_secs) / 60.0;
        let mut slot = 0;
        while let Some(service) = self.services.get(slot) {
            if !service.is_silent(time, self.config.expire_minutes) {
                slot += 1;
                continue;
            }
            let name = service.name.clone();
            for (index, run) in self.models.iter_mut().enumerate() {
                for settled in run.restart_ledger(slot, self.step) {
                    let about = (index != self.main, delay_minutes);
                    if let Some(event) = run.record(slot, &name, settled, about) {
                        self.out.emit(time, EventBody::Outcome(event.into()));
                    }
                }
            }
            self.leave(slot);
            self.out.emit(time, EventBody::ServiceExpired { service: name.to_string() });
        }
    }

    /// Forgets the service with this number; the last one takes it.
    pub(super) fn leave(&mut self, slot: usize) {
        for run in &mut self.models {
            run.fleet.swap_leave(slot);
            run.services.swap_remove(slot);
        }
        let gone = self.services.swap_remove(slot);
        self.inbox.swap_leave(&gone.name, slot, self.services.len());
        self.by_name.remove(&*gone.name);
        if let Some(moved) = self.services.get(slot) {
            self.by_name.insert(moved.name.clone(), slot);
            let (width, last) = (self.metrics.len(), self.services.len());
            self.rows.copy_within(last * width..(last + 1) * width, slot * width);
        }
        self.rows.truncate(self.services.len() * self.metrics.len());
    }

    /// Services that have nothing more to say of the minute that is closed next.
    pub(super) fn count_reported(&self) -> usize {
        let reported = |next| self.services.iter().filter(|service| service.has_reported(next)).count();
        self.next.map_or(0, reported)
    }
}

/// What scoring finds in a minute.
#[derive(Default)]
struct Found {
    raised: Vec<Raised>,
    outcomes: Vec<OutcomeEvent>,
    /// Services that fail, or that the main model warns of.
    active: Vec<usize>,
}

/// A warning of this minute: whose, and which of the events.
struct Raised {
    slot: usize,
    event: usize,
}

impl Service {
    /// What the failure rule says of a row; the failures that it confirms or ends go to `failures`.
    fn follow_rule(
        &mut self,
        row: &[f32],
        failures: &mut Vec<FailureEvent>,
    ) -> Result<RuleMinute, LiveError> {
        let minute = self.rule.push(row)?;
        for event in &minute.events {
            let (state, began, onset, end) = match *event {
                RuleEvent::Confirmed { onset, .. } => {
                    self.failing = Some(onset);
                    (FailureState::Confirmed, onset, onset, None)
                }
                RuleEvent::Ended(episode) => {
                    let began = self.failing.take().unwrap_or(episode.onset());
                    (FailureState::Ended, began, episode.onset(), Some(episode.end()))
                }
                _ => continue,
            };
            let (id, service) = (format!("f:{}:{began}", self.name), self.name.to_string());
            failures.push(FailureEvent { id, service, state, onset, end });
        }
        Ok(minute)
    }
}
