use super::{Alarm, AlarmOutcome, FailureOutcome, JudgedAlarm, JudgedFailure, Settled, release};
use crate::{CoreError, WindowSpec};
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use thin_vec::ThinVec;

/// Matches the alarms of one service with its failures as both come, and says of each what became of it as soon as
/// that is final. The ledger of a live service and an evaluation run this same code.
///
/// An alarm at `t`, with `lead` and `period` of the window, announces a failure whose onset lies from `t + lead + 1`
/// to `t + lead + period` steps. A failure is detected at most once: by the first alarm that announces it. An alarm
/// raised in the middle of a failure is [late](AlarmOutcome::Late), whatever follows; one that announces nothing is
/// [false](AlarmOutcome::False), or [censored](AlarmOutcome::Censored) where that is not known. By the same measure a
/// failure is within reach when a score, given while the service was well, is close enough before its onset.
///
/// Scores, failures and unknown times come each in order of time, mixed as you like. [`settle`](Self::settle) states
/// that everything up to a time has been told, and returns what is final by that. A failure that is known only once
/// it is confirmed holds that statement up: settle up to the last time of which it is certain whether a failure had
/// begun.
///
/// Its memory does not grow: it keeps what lies within three horizons (lead and period) of the settled time, and what
/// is not settled. Each call takes constant time on average, but for a binary search among what is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeMatcher {
    spec: WindowSpec,
    step: Step,
    settled: Option<Timestamp>,
    heard: Option<Timestamp>,
    /// Scores later than the settled time.
    scored: VecDeque<Timestamp>,
    /// Scores within a horizon of the settled time, given while the service was well.
    watched: ThinVec<Timestamp>,
    /// Alarms later than the settled time.
    raised: ThinVec<Alarm>,
    /// Alarms within a horizon of the settled time, raised while the service was well.
    warnings: ThinVec<Timestamp>,
    /// Those of them of which it is still open whether they are false.
    open: ThinVec<Alarm>,
    failures: ThinVec<Span>,
    unknown: ThinVec<Span>,
}

/// From a time up to, but not with, another; for ever where that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    from: Timestamp,
    to: Option<Timestamp>,
}

impl Span {
    fn ends_after(&self, millis: i64) -> bool {
        self.to.is_none_or(|to| to.millis() > millis)
    }
}

impl OutcomeMatcher {
    /// A matcher that has heard nothing yet, for alarms with this window on a clock of this step.
    #[must_use]
    pub fn new(spec: WindowSpec, step: Step) -> Self {
        Self {
            spec,
            step,
            settled: None,
            heard: None,
            scored: VecDeque::new(),
            watched: ThinVec::new(),
            raised: ThinVec::new(),
            warnings: ThinVec::new(),
            open: ThinVec::new(),
            failures: ThinVec::new(),
            unknown: ThinVec::new(),
        }
    }

    /// A score was given at `time` and raised no alarm.
    ///
    /// # Errors
    /// [`CoreError::NotLater`] unless it is later than the last score and the settled time.
    pub fn score(&mut self, time: Timestamp) -> Result<(), CoreError> {
        later("score", time, self.heard.max(self.settled))?;
        self.heard = Some(time);
        self.scored.push_back(time);
        Ok(())
    }

    /// A score raised this alarm.
    ///
    /// # Errors
    /// [`CoreError::NotLater`], as [`score`](Self::score).
    pub fn alarm(&mut self, alarm: Alarm) -> Result<(), CoreError> {
        self.score(alarm.time)?;
        self.raised.push(alarm);
        Ok(())
    }

    /// A failure began at `onset`.
    ///
    /// # Errors
    /// [`CoreError::StillFailing`] while another has no end, [`CoreError::NotLater`] unless the onset is later than
    /// the settled time and no earlier than the end of the failure before.
    pub fn begin(&mut self, onset: Timestamp) -> Result<(), CoreError> {
        later("failure", onset, self.settled)?;
        if let Some(last) = self.failures.last() {
            match last.to {
                None => return Err(CoreError::StillFailing { onset, since: last.from }),
                Some(end) if onset < end => {
                    return Err(CoreError::NotLater { what: "failure", time: onset, last: end });
                }
                Some(_) => {}
            }
        }
        self.failures.push(Span { from: onset, to: None });
        Ok(())
    }

    /// The failure that began last is over; `end` is the first time after it.
    ///
    /// # Errors
    /// [`CoreError::NotFailing`] without such a failure, [`CoreError::NotLater`] unless the end is later than the
    /// onset and the settled time.
    pub fn end(&mut self, end: Timestamp) -> Result<(), CoreError> {
        let settled = self.settled;
        let open = self.failures.last_mut().filter(|last| last.to.is_none());
        let Some(last) = open else { return Err(CoreError::NotFailing { end }) };
        later("end of a failure", end, Some(last.from).max(settled))?;
        last.to = Some(end);
        Ok(())
    }

    /// From `from` up to, but not with, `to` it is not known whether the service was failing or began to fail.
    ///
    /// # Errors
    /// [`CoreError::NotLater`] unless `from` is later than the settled time and no earlier than the end of the gap
    /// before, and `to` later than `from`.
    pub fn unknown(&mut self, from: Timestamp, to: Timestamp) -> Result<(), CoreError> {
        later("gap", from, self.settled)?;
        later("gap", to, Some(from))?;
        match self.unknown.last().and_then(|last| last.to).filter(|&end| from < end) {
            Some(last) => Err(CoreError::NotLater { what: "gap", time: from, last }),
            None => {
                self.unknown.push(Span { from, to: Some(to) });
                Ok(())
            }
        }
    }

    /// Everything up to and with `until` has been told: what is final by that, each outcome once. Failures come in
    /// order of time; alarms too, but that a late one may come before others that wait for the end of their period. A
    /// time that is settled already changes nothing.
    pub fn settle(&mut self, until: Timestamp) -> Vec<Settled> {
        let mut settled = Vec::new();
        self.settle_into(until.millis(), &mut settled);
        settled
    }

    /// The data ends here: all that is not final yet. What the settled time leaves open is censored.
    #[must_use]
    pub fn finish(mut self) -> Vec<Settled> {
        let mut settled = Vec::new();
        let until = self.until();
        self.classify(i64::MAX, &mut settled);
        self.judge_failures(i64::MAX, until, &mut settled);
        for alarm in std::mem::take(&mut self.open) {
            let outcome = self.final_outcome(alarm.time, until).unwrap_or(AlarmOutcome::Censored);
            settled.push(Settled::Alarm(JudgedAlarm { alarm, outcome }));
        }
        settled
    }

    /// What would have become of an alarm at `time`, raised or not; `None` while that is not known. It is known from
    /// one horizon after `time` on at the latest, and remembered for two more; of an older time it is censored.
    #[must_use]
    pub fn outcome_at(&self, time: Timestamp) -> Option<AlarmOutcome> {
        let until = self.until();
        if time.millis() > until {
            return None;
        }
        if time.millis() <= until.saturating_sub(self.remembered()) {
            return Some(AlarmOutcome::Censored);
        }
        if holds(&self.failures, time.millis()) {
            return Some(AlarmOutcome::Late);
        }
        self.final_outcome(time, until)
    }

    /// The time up to which everything has been told.
    #[must_use]
    pub fn settled(&self) -> Option<Timestamp> {
        self.settled
    }

    /// [`settle`](Self::settle), for ever where `until` lies beyond the calendar.
    pub(super) fn settle_into(&mut self, until: i64, settled: &mut Vec<Settled>) {
        let before = self.until();
        if before >= until {
            return;
        }
        self.classify(until, settled);
        self.judge_failures(until, before, settled);
        while let Some(&alarm) = self.open.first() {
            let Some(outcome) = self.final_outcome(alarm.time, until) else { break };
            self.open.remove(0);
            settled.push(Settled::Alarm(JudgedAlarm { alarm, outcome }));
        }
        self.settled = Timestamp::from_millis(until).or(self.heard).max(self.settled);
        self.forget(until);
    }

    /// How far before the settled time an alarm's outcome can be told: failures are confirmed together with steps
    /// before, so that the settled time moves by more than a step.
    fn remembered(&self) -> i64 {
        self.span(self.spec.horizon()).saturating_mul(3)
    }

    fn until(&self) -> i64 {
        self.settled.map_or(i64::MIN, Timestamp::millis)
    }

    /// Sorts scores and alarms up to `until` into those given while the service was well, and late ones.
    fn classify(&mut self, until: i64, settled: &mut Vec<Settled>) {
        while let Some(&time) = self.scored.front().filter(|time| time.millis() <= until) {
            self.scored.pop_front();
            let alarm = self.raised.first().copied().filter(|alarm| alarm.time == time);
            if alarm.is_some() {
                self.raised.remove(0);
            }
            if holds(&self.failures, time.millis()) {
                let late = alarm.map(|alarm| JudgedAlarm { alarm, outcome: AlarmOutcome::Late });
                settled.extend(late.map(Settled::Alarm));
                continue;
            }
            self.watched.push(time);
            if let Some(alarm) = alarm {
                self.warnings.push(time);
                self.open.push(alarm);
            }
        }
    }

    /// Judges the failures that begin after `before` and up to `until`.
    fn judge_failures(&self, until: i64, before: i64, settled: &mut Vec<Settled>) {
        let place = |time| self.failures.partition_point(|failure| failure.from.millis() <= time);
        let first = place(before);
        // A saved state whose failures somebody put out of order may give wrong outcomes, but no panic.
        for failure in &self.failures[first..place(until).max(first)] {
            let onset = failure.from;
            let outcome =
                match (self.first_before(&self.warnings, onset), self.first_before(&self.watched, onset)) {
                    (Some(alarm), _) => FailureOutcome::Detected(alarm),
                    (None, Some(_)) => FailureOutcome::Missed,
                    (None, None) => FailureOutcome::OutOfReach,
                };
            settled.push(Settled::Failure(JudgedFailure { onset, outcome }));
        }
    }

    /// The first of `times` in whose prediction period `onset` lies.
    fn first_before(&self, times: &[Timestamp], onset: Timestamp) -> Option<Timestamp> {
        let earliest = onset.millis().saturating_sub(self.span(self.spec.horizon()));
        let latest = onset.millis().saturating_sub(self.span(self.spec.lead()));
        let first = *times.get(times.partition_point(|time| time.millis() < earliest))?;
        (first.millis() < latest).then_some(first)
    }

    /// What became of an alarm that was not late, if that is certain once everything up to `until` is known.
    fn final_outcome(&self, time: Timestamp, until: i64) -> Option<AlarmOutcome> {
        let time = time.millis();
        let (after, last) = (
            time.saturating_add(self.span(self.spec.lead())),
            time.saturating_add(self.span(self.spec.horizon())),
        );
        let next = self.failures.partition_point(|failure| failure.from.millis() <= after);
        if let Some(failure) = self.failures.get(next).filter(|failure| failure.from.millis() <= last) {
            return Some(AlarmOutcome::Hit { onset: failure.from });
        }
        if until < last {
            return None;
        }
        // The first step of the period: a gap that ends with it leaves it known.
        let first = after.saturating_add(self.step.millis());
        let is_unknown = |gap: &Span| {
            let from = gap.from.millis();
            (from <= time && gap.ends_after(time)) || (from <= last && gap.ends_after(first))
        };
        let is_censored = self.unknown.iter().any(is_unknown);
        Some(if is_censored { AlarmOutcome::Censored } else { AlarmOutcome::False })
    }

    /// Drops what no outcome can depend on any more when everything up to `until` is known.
    fn forget(&mut self, until: i64) {
        let horizon = until.saturating_sub(self.span(self.spec.horizon()));
        let remembered = until.saturating_sub(self.remembered());
        for times in [&mut self.watched, &mut self.warnings] {
            let past = times.iter().take_while(|time| time.millis() <= horizon).count();
            times.drain(..past);
        }
        for spans in [&mut self.failures, &mut self.unknown] {
            let past = spans.iter().take_while(|span| !span.ends_after(remembered)).count();
            spans.drain(..past);
            release(spans);
        }
        release(&mut self.warnings);
        release(&mut self.raised);
        release(&mut self.open);
    }

    fn span(&self, steps: usize) -> i64 {
        self.step.millis().saturating_mul(i64::try_from(steps).unwrap_or(i64::MAX))
    }
}

/// Whether one of these spans, which are disjoint and in order, holds a time.
fn holds(spans: &[Span], time: i64) -> bool {
    let begun = spans.partition_point(|span| span.from.millis() <= time);
    begun > 0 && spans[begun - 1].ends_after(time)
}

fn later(what: &'static str, time: Timestamp, last: Option<Timestamp>) -> Result<(), CoreError> {
    match last {
        Some(last) if time <= last => Err(CoreError::NotLater { what, time, last }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
