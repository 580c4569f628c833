//! Services that go from one engine to another, such as when a fleet is divided otherwise.

use super::service::Service;
use crate::engine::{
    Engine, EngineModels, EventBody, Input, WarningEvent, WarningState, incidents::Incident,
    model::ModelService,
};
use crate::{LiveError, fleet::Adopted, room::push_slowly};
use forewarn_core::{CoreError, restore_part, save_part, seal, unseal};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the bytes; every change of what is saved takes the next number.
const VERSION: u16 = 3;

/// What stands before the service itself.
#[derive(Clone, Serialize, Deserialize)]
struct Head {
    service: String,
    /// The minute that its engine would have closed next.
    next: Timestamp,
    phase: i64,
    /// Its last row.
    row: Vec<f32>,
    /// The open incidents that it belongs to.
    incidents: Vec<Incident>,
}

/// A service on its way.
struct Arrival {
    head: Head,
    service: Service,
    /// By model.
    runs: Vec<(ModelService, Adopted)>,
}

/// A service after minutes without a row.
struct CaughtUp {
    state: Vec<u8>,
    /// What was said of it in them.
    events: Vec<(Timestamp, EventBody)>,
}

impl Engine {
    /// Everything that the engine knows of one service: another engine of the same configuration and models that
    /// [adopts](Input::Adopt) it goes on from there, with the same windows, alarms and open failures. This engine still
    /// has it, until it [releases](Input::Release) it.
    ///
    /// What came for minutes that are not closed yet is left out: sources give it to the other engine. So is what
    /// columns of a service graph remember of earlier minutes, and the budget, which belongs to all services of an
    /// engine.
    ///
    /// # Errors
    /// [`LiveError::Unknown`] for a service that is not there, and as [`snapshot`](Self::snapshot).
    pub fn hand_over(&self, service: &str) -> Result<Vec<u8>, LiveError> {
        let unknown = || LiveError::Unknown { what: "service", name: service.to_owned() };
        let slot = *self.by_name.get(service).ok_or_else(unknown)?;
        let next = self.next.ok_or_else(unknown)?;
        let width = self.metrics.len();
        let head = Head {
            service: service.to_owned(),
            next,
            phase: self.phase,
            row: self.rows.get(slot * width..(slot + 1) * width).unwrap_or_default().to_vec(),
            incidents: self.incidents.of(service).cloned().collect(),
        };
        let mut one = self.services[slot].clone();
        if let Some(last) = next.checked_add(self.step, -1).filter(|last| one.heard > *last) {
            (one.heard, one.has_row) = (last, true);
        }
        let mut bytes = VERSION.to_le_bytes().to_vec();
        let mut failed = Ok(());
        seal(self.fingerprint, &mut bytes, |out| {
            failed = self.save_arrival(&head, &one, slot, out);
            Ok(())
        })?;
        failed.map(|()| bytes)
    }

    fn save_arrival(
        &self,
        head: &Head,
        service: &Service,
        slot: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), LiveError> {
        save_part(head, out)?;
        service.save(out)?;
        for run in &self.models {
            save_part(&run.services[slot], out)?;
            run.fleet.save_one(slot, out)?;
        }
        Ok(())
    }

    /// Goes on with a service of another engine.
    pub(in crate::engine) fn adopt(&mut self, state: &[u8]) -> Result<(), LiveError> {
        let head = self.head(state)?.0;
        let refuse = |reason: String| Err(LiveError::Handover { service: head.service.clone(), reason });
        if self.by_name.contains_key(head.service.as_str()) {
            return Err(LiveError::DuplicateService { service: head.service });
        }
        if self.services.len() >= self.config.most_services {
            return refuse(format!(
                "there are {} services already: raise most_services",
                self.services.len()
            ));
        }
        let is_alone = self.services.is_empty();
        let next = match self.next {
            Some(next) if !is_alone || next > head.next => next,
            _ => head.next,
        };
        if head.next > next {
            return refuse(format!(
                "its next minute is {}, that of this engine {next}: let this one run on until then",
                head.next
            ));
        }
        if !is_alone && head.phase != self.phase {
            return refuse("its rows lie at other times of a minute".to_owned());
        }
        if head.next < next {
            let CaughtUp { state, events } = self.caught_up(state, next)?;
            self.adopt(&state)?;
            for (time, body) in events {
                self.out.emit(time, body);
            }
            return Ok(());
        }
        if is_alone {
            self.models.iter_mut().try_for_each(|run| run.fleet.skip_to(next))?;
            (self.next, self.phase) = (Some(next), head.phase);
        }
        let arrival = self.arrival(state)?;
        self.take_in(arrival, next)
    }

    fn take_in(&mut self, arrival: Arrival, next: Timestamp) -> Result<(), LiveError> {
        let Arrival { head, service, runs } = arrival;
        for (run, (own, adopted)) in self.models.iter_mut().zip(runs) {
            run.fleet.adopt(adopted)?;
            push_slowly(&mut run.services, own);
        }
        let slot = self.services.len();
        self.by_name.insert(service.name.clone(), slot);
        push_slowly(&mut self.services, service);
        self.rows.resize(slot * self.metrics.len(), f32::NAN);
        self.rows.extend(&head.row);
        self.incidents.adopt(head.incidents);
        self.newcomers.remove(&head.service);
        // What came here before it did.
        for (minute, has_row) in self.inbox.join(&head.service, slot, next.millis()) {
            if let Some(minute) = Timestamp::from_millis(minute) {
                (self.services[slot].heard, self.services[slot].has_row) = (minute, has_row);
            }
        }
        self.reported = self.count_reported();
        let warning = self.standing_warning(slot)?.map(Box::new);
        let time = self.last_time();
        self.out.emit(time, EventBody::ServiceAdopted { service: head.service, warning });
        Ok(())
    }

    /// Lets go of a service: its alarms, failures and incidents are no longer this engine's.
    pub(in crate::engine) fn release(&mut self, service: &str) -> Result<(), LiveError> {
        let unknown = || LiveError::Unknown { what: "service", name: service.to_owned() };
        let slot = *self.by_name.get(service).ok_or_else(unknown)?;
        self.leave(slot);
        self.newcomers.remove(service);
        self.inbox.forget(service);
        self.incidents.leave(service);
        self.reported = self.count_reported();
        let time = self.last_time();
        self.out.emit(time, EventBody::ServiceReleased { service: service.to_owned() });
        Ok(())
    }

    /// Whose bytes these are, and the bytes behind.
    fn head<'a>(&self, state: &'a [u8]) -> Result<(Head, &'a [u8]), LiveError> {
        let cut_off = || CoreError::damaged_state("it is cut off");
        let (version, mut rest) = state.split_first_chunk::<2>().ok_or_else(cut_off)?;
        let got = u16::from_le_bytes(*version);
        if got != VERSION {
            let reason = format!("it has version {got}, this program reads version {VERSION}");
            return Err(LiveError::Handover { service: String::new(), reason });
        }
        let what = "an engine of this configuration and these models";
        let mut body = unseal(self.fingerprint, what, &mut rest)?;
        let head: Head = restore_part(&mut body)?;
        let is_sound = head.row.len() == self.metrics.len() && head.incidents.iter().all(Incident::is_whole);
        if !rest.is_empty() || !is_sound {
            return Err(CoreError::damaged_state("its parts do not go together").into());
        }
        Ok((head, body))
    }

    /// All of it, for the minute that is closed next.
    fn arrival(&self, state: &[u8]) -> Result<Arrival, LiveError> {
        let (head, mut body) = self.head(state)?;
        let service = self.load_service(&mut body)?;
        let mut runs = Vec::new();
        for run in &self.models {
            let own: ModelService = restore_part(&mut body)?;
            runs.push((own, run.fleet.load_one(&head.service, &mut body)?));
        }
        if !body.is_empty() || *service.name != *head.service {
            return Err(CoreError::damaged_state("its parts do not go together").into());
        }
        Ok(Arrival { head, service, runs })
    }

    /// The service when the minutes until `next` have passed without a row of it, and what it said in them.
    fn caught_up(&self, state: &[u8], next: Timestamp) -> Result<CaughtUp, LiveError> {
        let service = self.head(state)?.0.service;
        let name = |place: usize| self.models[place].name.to_string();
        let model = |place: usize| std::sync::Arc::clone(self.models[place].fleet.model());
        let first = EngineModels::new(name(0), model(0));
        let models =
            (1..self.models.len()).fold(first, |models, place| models.with_shadow(name(place), model(place)));
        let mut alone = Self::new(self.config.clone(), models)?;
        alone.main = self.main;
        alone.sources.clone_from(&self.sources);
        for (run, own) in alone.models.iter_mut().zip(&self.models) {
            run.budget = own.budget.clone();
        }
        alone.adopt(state)?;
        let settle = 1000 * i64::from(self.config.settle_secs);
        let last = next.checked_add(self.step, -1).map(Timestamp::millis);
        let until = last.and_then(|last| Timestamp::from_millis(last.checked_add(settle)?));
        let now = until.ok_or_else(|| CoreError::damaged_state("its minute is beyond the calendar"))?;
        alone.out.events.clear();
        let events = alone.apply(Input::Advance { now })?;
        let state = alone.hand_over(&service).map_err(|_| LiveError::Handover {
            service: service.clone(),
            reason: "it was silent for longer than expire_minutes: let it appear by itself".to_owned(),
        })?;
        let is_own = |body: &EventBody| {
            matches!(body, EventBody::Failure(_) | EventBody::Outcome(_) | EventBody::Warning(_))
        };
        let kept = events.into_iter().filter(|event| is_own(&event.body));
        Ok(CaughtUp { state, events: kept.map(|event| (event.time, event.body)).collect() })
    }

    /// The warning of the main model that fires.
    fn standing_warning(&self, slot: usize) -> Result<Option<WarningEvent>, LiveError> {
        let (run, service) = (&self.models[self.main], &self.services[slot]);
        let Some(firing) = &run.services[slot].firing else { return Ok(None) };
        let evidence = run.fleet.evidence(slot)?;
        Ok(Some(WarningEvent {
            id: crate::engine::model::warning_id(&service.name, firing.first),
            service: service.name.to_string(),
            state: WarningState::Firing,
            since: firing.since,
            model: run.name.to_string(),
            probability: run.fleet.scores()[slot].map(|score| f64::from(score.get())),
            threshold: firing.threshold,
            level: firing.level,
            kind: firing.kind,
            kind_confidence: firing.kind_confidence,
            evidence: crate::engine::warning::advice::top_evidence(evidence.as_ref()),
            minutes_to_failure: None,
            root: firing.root.clone(),
            recommendation: self.config.recommendation(firing.kind, &service.name, firing.root.as_deref()),
            incident: firing.incident.clone(),
            silenced: service.silenced_until.is_some_and(|until| self.last_time() < until),
        }))
    }
}
