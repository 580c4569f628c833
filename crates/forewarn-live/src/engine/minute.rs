//! Closing a minute: rows, failures, objectives, scores, warnings, outcomes and incidents, in this order.

use super::{
    BudgetEvent, CannotTell, Engine, Event, EventBody, FailureEvent, FailureState, IncidentEvent,
    MissingReason, Name, ProbableKind, Risk, RiskLevel, RowEvent, RowValues, ScoreEvent, WarningEvent,
    WarningState,
    incidents::Condition,
    model::{Firing, ModelRun, Warned, warning_id},
    slos::followed,
    state::service::{Service, missing_reason},
    warning::advice::{probable_kind, top_evidence},
};
use crate::{LiveError, room::push_slowly};
use forewarn_core::{Alarm, BudgetMode, OutcomeMatcher, Score, SupposedAlarms};
use forewarn_label::{RuleEvent, RuleMinute, Verdict};
use forewarn_schema::Timestamp;
use std::sync::Arc;

impl Engine {
    pub(super) fn close(&mut self, time: Timestamp) -> Result<(), LiveError> {
        self.close_rows(time)?;
        let told = self.follow_failures(time)?;
        self.follow_slos(time)?;
        let mut raised = Vec::new();
        for index in 0..self.models.len() {
            self.score(index, time, &mut raised)?;
        }
        let incidents = self.settle_incidents(time, &raised);
        self.judge(time, &told)?;
        for incident in incidents {
            self.out.emit(time, EventBody::Incident(incident));
        }
        self.learn_normal();
        self.tell_budget(time);
        self.expire(time);
        self.counters.minutes += 1;
        // A minute that is closed has one after it: others are refused.
        self.next = time.checked_add(self.step, 1);
        self.reported = self.count_reported();
        Ok(())
    }

    /// Lets services appear, and makes the row of each.
    fn close_rows(&mut self, time: Timestamp) -> Result<(), LiveError> {
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
        let mut came = self.inbox.remove(time.millis());
        let (width, step) = (self.metrics.len(), self.step);
        let requests = self.metrics.names().position(|name| name == "request_count");
        self.rows.clear();
        self.rows.resize(self.services.len() * width, f32::NAN);
        let rows = self.rows.chunks_exact_mut(width);
        for (slot, (service, row)) in self.services.iter_mut().zip(rows).enumerate() {
            let open = came.take(slot);
            let has_come = open.is_some();
            let out_of_range =
                open.map_or(0, |open| open.close(&mut service.counters, &self.metrics, (time, step), row));
            self.counters.out_of_range += out_of_range;
            service.missing = missing_reason(row, requests, (has_come, out_of_range), &self.sources);
        }
        self.inbox.reuse(came);
        self.out.events.reserve(self.services.len() * (1 + self.models.len()));
        let rows: Arc<[f32]> = self.rows.as_slice().into();
        for (slot, service) in self.services.iter_mut().enumerate() {
            let values = RowValues::of(&rows, slot, width);
            let event = RowEvent { service: service.name.clone(), values, missing: service.missing };
            self.out.emit(time, EventBody::Row(event));
            if service.late > 0 {
                let (service, count) = (service.name.to_string(), std::mem::take(&mut service.late));
                self.out.emit(time, EventBody::Late { service, count });
            }
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

    /// What the failure rule says of each row.
    fn follow_failures(&mut self, time: Timestamp) -> Result<Vec<RuleMinute>, LiveError> {
        let width = self.metrics.len();
        let mut told = Vec::with_capacity(self.services.len());
        for (service, row) in self.services.iter_mut().zip(self.rows.chunks_exact(width)) {
            let minute = service.rule.push(row)?;
            let began = |event: &RuleEvent| matches!(event, RuleEvent::Confirmed { .. });
            let (is_known, began) = (minute.verdict != Verdict::Unknown, minute.events.iter().any(began));
            service.onsets.count(is_known, began);
            self.onsets.count(is_known, began);
            for event in &minute.events {
                let id = |onset: Timestamp| format!("f:{}:{onset}", service.name);
                let (name, state, id, onset, end) = match *event {
                    RuleEvent::Confirmed { onset, .. } => {
                        service.failing = Some(onset);
                        let seldom = service.normal.seldom_fails();
                        self.incidents.touch(&service.name, time, seldom, &self.config);
                        (&service.name, FailureState::Confirmed, id(onset), onset, None)
                    }
                    RuleEvent::Ended(episode) => {
                        let began = service.failing.take().unwrap_or(episode.onset());
                        let end = Some(episode.end());
                        (&service.name, FailureState::Ended, id(began), episode.onset(), end)
                    }
                    _ => continue,
                };
                let event = FailureEvent { id, service: name.to_string(), state, onset, end };
                self.out.emit(time, EventBody::Failure(event));
            }
            told.push(minute);
        }
        Ok(told)
    }

    /// Scores by one model, and its alarms.
    fn score(&mut self, index: usize, time: Timestamp, raised: &mut Vec<Raised>) -> Result<(), LiveError> {
        let (is_shadow, width) = (index != self.main, self.metrics.len());
        let Self { models, services, rows, out, incidents, config, onsets, .. } = self;
        let run = &mut models[index];
        run.fleet.push_minute(rows)?;
        (run.watched, run.false_alarms) = (0, 0);
        run.supposed.clear();
        let is_adaptive = run.budget.settings().mode == BudgetMode::Adaptive;
        let step = run.fleet.model().step();
        let shift = run.budget.threshold();
        let threshold = shift.over(run.policy.threshold());
        for (slot, (service, row)) in services.iter().zip(rows.chunks_exact(width)).enumerate() {
            let score = run.fleet.scores()[slot];
            let cannot_tell = cannot_tell(run, service, row, score, config.far_factor);
            let score = score.filter(|_| cannot_tell.is_none());
            let period = run.fleet.model().window().period();
            let level = score.map(|score| {
                // Who depends on a service matters only from the threshold on, and is not looked up for others.
                let is_alarming = score >= threshold;
                let (dependents, services) =
                    if is_alarming { incidents.dependents(&service.name) } else { (0, 0) };
                let base_rate = service.onsets.base_rate(onsets, period);
                let (probability, threshold) = (f64::from(score.get()), f64::from(threshold.get()));
                Risk { probability, threshold, base_rate, dependents, services }.level()
            });
            let mut alarm = None;
            if let Some(score) = score {
                run.watched += 1;
                let state = &mut run.services[slot];
                *state.machine.threshold_mut() = shift;
                if is_adaptive {
                    state.supposed.push(&run.ladder, step, time, score);
                }
                alarm = state.machine.push(time, score)?;
                match alarm {
                    Some(alarm) => state.matcher.alarm(alarm)?,
                    None => state.matcher.score(time)?,
                }
            }
            let forecast = match level {
                Some(level) if level >= RiskLevel::Medium => run.fleet.forecast(slot)?,
                _ => None,
            };
            let lead = run.fleet.model().window().lead() as f64;
            let minutes = forecast.as_ref().and_then(forewarn_core::Forecast::expected_steps);
            let minutes_to_failure = minutes.map(|steps| (steps + lead) * run.fleet.model().step().minutes());
            out.emit(
                time,
                EventBody::Score(ScoreEvent {
                    service: service.name.clone(),
                    model: run.name.clone(),
                    shadow: is_shadow,
                    probability: score.map(|score| f64::from(score.get())),
                    per_step: forecast.map(|forecast| forecast.probabilities().to_vec()),
                    minutes_to_failure,
                    level,
                    cannot_tell,
                }),
            );
            let Some(score) = score else { continue };
            let is_over = run.is_over(slot, time);
            let silenced = service.silenced_until.is_some_and(|until| time < until);
            let warn = |run: &ModelRun, firing: &Firing, state: WarningState, evidence| WarningEvent {
                id: warning_id(&service.name, firing.first),
                service: service.name.to_string(),
                state,
                since: firing.since,
                model: run.name.to_string(),
                probability: Some(f64::from(score.get())),
                threshold: firing.threshold,
                level: firing.level,
                kind: firing.kind,
                kind_confidence: firing.kind_confidence,
                evidence,
                minutes_to_failure,
                root: firing.root.clone(),
                recommendation: config.recommendation(firing.kind, &service.name, firing.root.as_deref()),
                incident: firing.incident.clone(),
                silenced,
            };
            if (is_over || alarm.is_some() || is_shadow)
                && let Some(firing) = run.services[slot].firing.take()
            {
                out.emit(time, EventBody::Warning(warn(run, &firing, WarningState::Resolved, Vec::new())));
            }
            let state = &mut run.services[slot];
            // A vote from before the last warning was over counts, but is no reason to say that one waits.
            let may_wait = !is_shadow && (score >= threshold || state.pending.is_some());
            let is_pending = may_wait && state.machine.is_pending();
            if alarm.is_none() && is_pending != state.pending.is_some() && state.firing.is_none() {
                let first = state.pending.take().unwrap_or(time);
                state.pending = is_pending.then_some(time);
                let pending = Firing {
                    first,
                    since: first,
                    threshold: f64::from(threshold.get()),
                    level: level.unwrap_or(RiskLevel::Low),
                    kind: ProbableKind::Unknown,
                    kind_confidence: 0.0,
                    root: None,
                    incident: None,
                };
                let told = if is_pending { WarningState::Pending } else { WarningState::Resolved };
                out.emit(time, EventBody::Warning(warn(run, &pending, told, Vec::new())));
            }
            let Some(Alarm { .. }) = alarm.filter(|_| !is_shadow) else { continue };
            let first = run.services[slot].pending.take().unwrap_or(time);
            let evidence = run.fleet.evidence(slot)?;
            let (kind, kind_confidence) = probable_kind(evidence.as_ref());
            let firing = Firing {
                first,
                since: time,
                threshold: f64::from(threshold.get()),
                level: level.unwrap_or(RiskLevel::High),
                kind,
                kind_confidence,
                root: None,
                incident: Some(incidents.touch(&service.name, time, service.normal.seldom_fails(), config)),
            };
            let event = warn(run, &firing, WarningState::Firing, top_evidence(evidence.as_ref()));
            raised.push(Raised { slot, event: out.events.len() });
            out.emit(time, EventBody::Warning(event));
            let state = &mut run.services[slot];
            state.firing = Some(Box::new(firing));
            state.warned.push(Warned { first, time, acknowledged: false, acted: false, confirmed: None });
        }
        Ok(())
    }

    /// What became of alarms and failures.
    fn judge(&mut self, time: Timestamp, told: &[RuleMinute]) -> Result<(), LiveError> {
        let delay_minutes = f64::from(self.config.lead_delay_secs) / 60.0;
        for (index, run) in self.models.iter_mut().enumerate() {
            for (slot, (service, minute)) in self.services.iter().zip(told).enumerate() {
                let standing = service.rule.standing()?;
                let settled = match run.services[slot].judge(&minute.events, standing, self.step) {
                    Ok(settled) => settled,
                    Err(_) => {
                        self.counters.ledger_faults += 1;
                        run.restart_ledger(slot, self.step)
                    }
                };
                for settled in settled {
                    let about = (index != self.main, delay_minutes);
                    if let Some(event) = run.record(slot, &service.name, settled, about) {
                        self.out.emit(time, EventBody::Outcome(event));
                    }
                }
                run.suppose(slot);
            }
            run.budget.judge(run.watched, run.false_alarms, &run.supposed);
        }
        Ok(())
    }

    /// Joins and ranks incidents, and lets the warnings of this minute say where theirs began.
    fn settle_incidents(&mut self, time: Timestamp, raised: &[Raised]) -> Vec<IncidentEvent> {
        let Self { incidents, by_name, services, models, main, rows, metrics, config, telling, out, .. } =
            self;
        let (run, width) = (&mut models[*main], metrics.len());
        let is_active = |name: &str| {
            let slot = by_name.get(name).copied();
            slot.is_some_and(|slot| services[slot].failing.is_some() || run.services[slot].firing.is_some())
        };
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
        let settled = incidents.settle(time, config, is_active, condition);
        let move_to = |id: &mut String| {
            while let Some(into) = settled.merged.get(&*id) {
                id.clone_from(into);
            }
        };
        if !settled.merged.is_empty() {
            let firing = run.services.iter_mut().filter_map(|state| state.firing.as_mut());
            firing.filter_map(|firing| firing.incident.as_mut()).for_each(move_to);
        }
        for &Raised { slot, event } in raised {
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

    /// Takes the minute for normal where nothing fails.
    fn learn_normal(&mut self) {
        let width = self.metrics.len();
        for (service, row) in self.services.iter_mut().zip(self.rows.chunks_exact(width)) {
            service.normal.learn_failing(service.failing.is_some());
            if service.failing.is_none() {
                service.normal.learn(row);
            }
        }
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
            if time.minutes_since(service.heard) < f64::from(self.config.expire_minutes) {
                slot += 1;
                continue;
            }
            let name = service.name.clone();
            for (index, run) in self.models.iter_mut().enumerate() {
                for settled in run.restart_ledger(slot, self.step) {
                    let about = (index != self.main, delay_minutes);
                    if let Some(event) = run.record(slot, &name, settled, about) {
                        self.out.emit(time, EventBody::Outcome(event));
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

/// A warning of this minute: whose, and which of the events.
struct Raised {
    slot: usize,
    event: usize,
}

impl ModelRun {
    /// Whether the warning of a service is over: its alarm no longer stands, or, for a policy whose alarms are
    /// moments, its prediction period has passed.
    fn is_over(&self, slot: usize, time: Timestamp) -> bool {
        let state = &self.services[slot];
        let Some(firing) = &state.firing else { return false };
        if self.policy.clear().is_some() {
            return state.machine.standing_since().is_none();
        }
        let model = self.fleet.model();
        time.minutes_since(firing.since) > model.window().horizon() as f64 * model.step().minutes()
    }

    /// Ends the ledger of a service, and begins it again; gives what is not judged, most of it censored.
    fn restart_ledger(&mut self, slot: usize, step: forewarn_schema::Step) -> Vec<forewarn_core::Settled> {
        let matcher = OutcomeMatcher::new(self.fleet.model().window(), step);
        let state = &mut self.services[slot];
        state.forget_failure();
        state.supposed = SupposedAlarms::default();
        std::mem::replace(&mut state.matcher, matcher).finish()
    }
}

/// Why a model cannot tell anything of a row, if it cannot.
pub(super) fn cannot_tell(
    run: &ModelRun,
    service: &Service,
    row: &[f32],
    score: Option<Score>,
    far_factor: f32,
) -> Option<CannotTell> {
    match service.missing {
        Some(MissingReason::SourceDown) => return Some(CannotTell::SourceDown),
        Some(MissingReason::NoTraffic) => return Some(CannotTell::NoTraffic),
        Some(MissingReason::ServiceSilent | MissingReason::OutOfRange) => {
            return Some(CannotTell::MissingRow);
        }
        None => {}
    }
    if score.is_none() {
        return Some(CannotTell::TooFewRows);
    }
    let far = run.fleet.model().far_from_training(row, far_factor);
    far.map(|_| CannotTell::FarFromTraining)
}
