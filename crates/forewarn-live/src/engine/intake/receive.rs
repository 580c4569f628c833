//! What comes in: samples, rows and the caller's clock.

use super::inbox::{OpenMinute, Waiting};
use crate::LiveError;
use crate::engine::Engine;
use forewarn_schema::Timestamp;

impl Engine {
    pub(in crate::engine) fn sample(
        &mut self,
        service: String,
        metric: &str,
        time: Timestamp,
        value: f64,
    ) -> Result<(), LiveError> {
        let Some(metric) = self.metrics.position(metric) else {
            self.counters.unknown_metrics += 1;
            return Ok(());
        };
        let most = self.config.most_samples;
        // As a stale marker, what is not a number says that there is no value.
        let value = if value.is_finite() { value } else { f64::NAN };
        self.receive(service, time, false, |minute, counters| {
            if !minute.sample(metric as u32, time, value, most) {
                counters.refused_samples += 1;
            }
        })
    }

    pub(in crate::engine) fn row(
        &mut self,
        service: String,
        time: Timestamp,
        values: Vec<f32>,
    ) -> Result<(), LiveError> {
        if values.len() != self.metrics.len() {
            self.counters.wrong_rows += 1;
            return Ok(());
        }
        if self.next.is_none() {
            self.phase = time.millis().rem_euclid(self.step.millis());
        }
        self.receive(service, time, true, |minute, counters| {
            if !minute.row(values) {
                counters.duplicate_rows += 1;
            }
        })
    }

    pub(in crate::engine) fn set_clock(&mut self, now: Timestamp) -> Result<(), LiveError> {
        if self.now.is_some_and(|before| now < before) {
            self.counters.clock_set_back += 1;
            return Ok(());
        }
        self.now = Some(now);
        self.close_due()
    }

    /// Puts something of a service where it waits for its minute to be closed.
    fn receive(
        &mut self,
        service: String,
        time: Timestamp,
        is_row: bool,
        put: impl FnOnce(&mut OpenMinute, &mut crate::engine::Counters),
    ) -> Result<(), LiveError> {
        if service.is_empty() || service.len() > self.config.most_name_bytes {
            self.counters.refused_names += 1;
            return Ok(());
        }
        let Some(minute) = self.minute_of(time).filter(|&minute| !self.is_ahead(minute)) else {
            self.counters.ahead += 1;
            return Ok(());
        };
        let next = *self.next.get_or_insert(minute);
        let slot = self.slot_of(&service);
        if minute < next {
            self.counters.late += 1;
            match slot {
                Some(slot) => self.services[slot].late += 1,
                None if self.newcomers.len() < self.config.most_services => {
                    self.newcomers.insert(service);
                }
                None => self.counters.refused_services += 1,
            }
            return self.close_due();
        }
        let waiting = self.inbox.at(minute.millis());
        let is_refused = |waiting: &Waiting| {
            waiting.len() >= self.config.most_services && !waiting.others.contains_key(&service)
        };
        if slot.is_none() && is_refused(waiting) {
            self.counters.refused_services += 1;
            return Ok(());
        }
        let open = match slot {
            Some(slot) => waiting.of_known(slot),
            None => waiting.others.entry(service).or_default(),
        };
        put(open, &mut self.counters);
        if let Some(slot) = slot {
            let service = &mut self.services[slot];
            let had_reported = service.has_reported(next);
            if minute > service.heard {
                (service.heard, service.has_row) = (minute, is_row);
            } else if minute == service.heard {
                service.has_row |= is_row;
            }
            self.reported += usize::from(!had_reported && service.has_reported(next));
        }
        self.close_due()
    }

    /// The number of a service. Sources bring services in one order, minute after minute: most are found beside the
    /// one before.
    fn slot_of(&mut self, name: &str) -> Option<usize> {
        let near = [self.last_heard, self.last_heard + 1];
        let is_it = |&slot: &usize| self.services.get(slot).is_some_and(|service| service.name == *name);
        let found = near.into_iter().find(is_it).or_else(|| self.by_name.get(name).copied());
        self.last_heard = found.unwrap_or(self.last_heard);
        found
    }

    /// The time of the row that a time belongs to: the end of its minute. `None` beyond the calendar.
    fn minute_of(&self, time: Timestamp) -> Option<Timestamp> {
        let step = self.step.millis();
        let since = time.millis().checked_sub(self.phase)?;
        let steps = since.div_euclid(step) + i64::from(since.rem_euclid(step) > 0);
        let minute = Timestamp::from_millis(steps.checked_mul(step)?.checked_add(self.phase)?)?;
        // The row after it must be on the calendar too.
        minute.checked_add(self.step, 1).map(|_| minute)
    }

    /// Whether a minute is too far ahead of the caller's clock, where there is one.
    fn is_ahead(&self, minute: Timestamp) -> bool {
        let clock = self.now.map(|now| self.next.map_or(now, |next| next.max(now)));
        clock.is_some_and(|clock| minute.minutes_since(clock) > f64::from(self.config.ahead_minutes))
    }

    /// Closes every minute that is over.
    pub(in crate::engine) fn close_due(&mut self) -> Result<(), LiveError> {
        while let Some(next) = self.next {
            if self.services.is_empty() && self.newcomers.is_empty() {
                self.skip(next)?;
            }
            let Some(next) = self.next.filter(|&next| self.is_over(next)) else { break };
            self.close(next)?;
        }
        Ok(())
    }

    /// Whether a minute can be closed.
    fn is_over(&self, next: Timestamp) -> bool {
        let has_come = |after_millis: i64| {
            let clock = self.now.map(Timestamp::millis);
            clock.is_some_and(|clock| clock >= next.millis().saturating_add(after_millis))
        };
        if has_come(1000 * i64::from(self.config.settle_secs)) {
            // Nothing is closed for no one.
            return !self.services.is_empty() || !self.newcomers.is_empty() || self.inbox.has(next.millis());
        }
        let has_later = self.inbox.has_after(next.millis());
        self.reported == self.services.len()
            && (has_later || (has_come(0) && !self.services.is_empty()))
            && (!self.services.is_empty() || self.inbox.has(next.millis()))
    }

    /// Passes over minutes in which there is no service: to the first of which something has come, or else the first
    /// that may still come.
    fn skip(&mut self, next: Timestamp) -> Result<(), LiveError> {
        let settle = 1000 * i64::from(self.config.settle_secs);
        let open = self.now.and_then(|now| {
            let settled = Timestamp::from_millis(now.millis().checked_sub(settle)?.checked_add(1)?)?;
            self.minute_of(settled)
        });
        let first = self.inbox.first().and_then(Timestamp::from_millis);
        let target = first.or(open).unwrap_or(next).max(next);
        self.next = Some(target);
        self.models.iter_mut().try_for_each(|run| run.fleet.skip_to(target))
    }
}
