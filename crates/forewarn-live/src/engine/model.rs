//! One model of an engine at work, with its alarms and its ledger.

use super::{Name, OutcomeEvent, OutcomeKind, ProbableKind, RiskLevel};
use crate::{LiveError, LiveFleet, ServedModel, room::push_slowly};
use forewarn_core::{
    AlarmMachine, AlarmOutcome, AlarmPolicy, BudgetController, BudgetMode, BudgetSettings, CoreError,
    FailureOutcome, Ladder, OutcomeMatcher, Settled, Shift, SupposedAlarms,
};
use forewarn_label::{RuleEvent, Standing};
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use thin_vec::ThinVec;

/// A model, its services by number, and what became of its alarms.
pub(super) struct ModelRun {
    pub(super) name: Name,
    pub(super) policy: AlarmPolicy,
    pub(super) fleet: LiveFleet,
    pub(super) services: Vec<ModelService>,
    pub(super) budget: BudgetController,
    /// The thresholds that the budget chooses among.
    pub(super) ladder: Ladder,
    pub(super) ledger: Ledger,
    /// Services with a score in this minute, and alarms that turned out false.
    pub(super) watched: u64,
    pub(super) false_alarms: u64,
    /// Rungs of the alarms that would have turned out false.
    pub(super) supposed: Vec<u64>,
}

/// What an engine knows of one service by one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ModelService {
    pub(super) machine: AlarmMachine<Shift>,
    pub(super) matcher: OutcomeMatcher,
    /// What the rungs of the ladder would have raised; nothing unless the threshold moves.
    pub(super) supposed: SupposedAlarms,
    pub(super) firing: Option<Box<Firing>>,
    /// Row time at which a warning became pending that was not raised yet.
    pub(super) pending: Option<Timestamp>,
    /// Warnings whose alarms are not judged yet, in order of time.
    pub(super) warned: ThinVec<Warned>,
    /// Onset of the failure that the matcher was told of and that goes on.
    begun: Option<Timestamp>,
    pub(super) counts: LedgerCounts,
}

/// A warning that is not over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Firing {
    /// Row time of its first minute, pending included.
    pub(super) first: Timestamp,
    pub(super) since: Timestamp,
    pub(super) threshold: f64,
    pub(super) level: RiskLevel,
    pub(super) kind: ProbableKind,
    pub(super) kind_confidence: f64,
    pub(super) root: Option<String>,
    pub(super) incident: Option<String>,
}

/// A warning whose alarm is not judged yet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Warned {
    pub(super) first: Timestamp,
    pub(super) time: Timestamp,
    pub(super) acknowledged: bool,
    pub(super) acted: bool,
    /// When another program's alert began after it.
    pub(super) confirmed: Option<Timestamp>,
}

/// What became of alarms and failures, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LedgerCounts {
    /// Alarms before a failure that came, by the failure rule or another program's alert.
    pub hits: u32,
    /// Alarms in the middle of a failure.
    pub late: u32,
    /// Alarms without a failure.
    pub false_alarms: u32,
    /// Alarms of which it is not known.
    pub censored: u32,
    /// Warnings that an operator acted on, and after which no failure came.
    pub averted: u32,
    /// Failures that an alarm came before.
    pub detected: u32,
    /// Failures that none came before.
    pub missed: u32,
    /// Failures that no score could have come before.
    pub out_of_reach: u32,
}

/// The ledger of one model over all services, those that are gone too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    pub(super) counts: LedgerCounts,
    /// Detected failures by seconds of lead.
    leads: BTreeMap<i64, u64>,
}

impl Ledger {
    /// Detected failures by seconds of lead.
    pub(super) fn leads(&self) -> impl Iterator<Item = (i64, u64)> {
        self.leads.iter().map(|(&seconds, &count)| (seconds, count))
    }

    /// Median lead of the detected failures, in minutes; `None` before the first.
    pub(super) fn median_lead_minutes(&self) -> Option<f64> {
        let all: u64 = self.leads.values().sum();
        let mut before = 0;
        self.leads.iter().find_map(|(&seconds, &count)| {
            before += count;
            (2 * before >= all).then(|| seconds as f64 / 60.0)
        })
    }
}

impl ModelRun {
    pub(super) fn new(
        name: String,
        model: Arc<ServedModel>,
        policy: AlarmPolicy,
        budget: BudgetSettings,
    ) -> Result<Self, LiveError> {
        let minutes = model.step().minutes();
        Ok(Self {
            name: name.into(),
            policy,
            fleet: LiveFleet::start(model, Timestamp::EPOCH)?,
            services: Vec::new(),
            budget: BudgetController::new(budget, minutes)?,
            ladder: Ladder::new(policy),
            ledger: Ledger::default(),
            watched: 0,
            false_alarms: 0,
            supposed: Vec::new(),
        })
    }

    pub(super) fn join(&mut self, service: &str, step: Step) -> Result<(), LiveError> {
        self.fleet.join(service)?;
        let window = self.fleet.model().window();
        let service = ModelService {
            machine: AlarmMachine::with_threshold(self.policy, step, self.budget.threshold()),
            matcher: OutcomeMatcher::new(window, step),
            supposed: SupposedAlarms::default(),
            firing: None,
            pending: None,
            warned: ThinVec::new(),
            begun: None,
            counts: LedgerCounts::default(),
        };
        push_slowly(&mut self.services, service);
        Ok(())
    }

    /// Counts what lower and higher thresholds would have raised for the service with this number, as far as it has
    /// turned out false.
    pub(super) fn suppose(&mut self, slot: usize) {
        if self.budget.settings().mode != BudgetMode::Adaptive {
            return;
        }
        let ModelService { supposed, matcher, .. } = &mut self.services[slot];
        supposed.judge(|time| matcher.outcome_at(time), |rungs| self.supposed.push(rungs));
    }

    /// Counts an outcome of the service with this number, and says it.
    pub(super) fn record(
        &mut self,
        slot: usize,
        service: &str,
        settled: Settled,
        (shadow, delay_minutes): (bool, f64),
    ) -> Option<OutcomeEvent> {
        let state = &mut self.services[slot];
        let mut event = OutcomeEvent {
            service: service.to_owned(),
            model: self.name.to_string(),
            shadow,
            warning: None,
            alarm: None,
            onset: None,
            outcome: OutcomeKind::Missed,
            lead_minutes: None,
            net_lead_minutes: None,
        };
        let counts = |state: &mut LedgerCounts, all: &mut LedgerCounts, add: fn(&mut LedgerCounts)| {
            add(state);
            add(all);
        };
        let (own, all) = (&mut state.counts, &mut self.ledger.counts);
        match settled {
            Settled::Alarm(judged) => {
                let time = judged.alarm.time;
                event.alarm = Some(time);
                let warned = state.warned.iter().position(|warned| warned.time == time);
                let warned = warned.map(|place| state.warned.remove(place));
                if state.warned.is_empty() {
                    state.warned = ThinVec::new();
                }
                event.warning = warned.map(|warned| warning_id(service, warned.first));
                let acted = warned.is_some_and(|warned| warned.acted);
                let confirmed = warned.and_then(|warned| warned.confirmed);
                event.outcome = match judged.outcome {
                    AlarmOutcome::Hit { onset } => {
                        event.onset = Some(onset);
                        event.lead_minutes = judged.lead_minutes();
                        event.net_lead_minutes = event.lead_minutes.map(|lead| lead - delay_minutes);
                        counts(own, all, |counts| counts.hits += 1);
                        OutcomeKind::Hit
                    }
                    AlarmOutcome::Late => {
                        counts(own, all, |counts| counts.late += 1);
                        OutcomeKind::Late
                    }
                    AlarmOutcome::False | AlarmOutcome::Censored if confirmed.is_some() => {
                        event.onset = confirmed;
                        event.lead_minutes = confirmed.map(|onset| onset.minutes_since(time));
                        event.net_lead_minutes = event.lead_minutes.map(|lead| lead - delay_minutes);
                        counts(own, all, |counts| counts.hits += 1);
                        state.supposed.excuse(time);
                        OutcomeKind::Hit
                    }
                    AlarmOutcome::False | AlarmOutcome::Censored if acted => {
                        state.supposed.excuse(time);
                        counts(own, all, |counts| counts.averted += 1);
                        OutcomeKind::Averted
                    }
                    AlarmOutcome::False => {
                        self.false_alarms += 1;
                        counts(own, all, |counts| counts.false_alarms += 1);
                        OutcomeKind::False
                    }
                    AlarmOutcome::Censored => {
                        counts(own, all, |counts| counts.censored += 1);
                        OutcomeKind::Censored
                    }
                };
                Some(event)
            }
            Settled::Failure(judged) => match judged.outcome {
                FailureOutcome::Detected(alarm) => {
                    let seconds = (judged.onset.millis() - alarm.millis()) / 1000;
                    *self.ledger.leads.entry(seconds).or_default() += 1;
                    counts(own, all, |counts| counts.detected += 1);
                    event.outcome = OutcomeKind::Detected;
                    (event.alarm, event.onset) = (Some(alarm), Some(judged.onset));
                    event.lead_minutes = judged.lead_minutes();
                    event.net_lead_minutes = event.lead_minutes.map(|lead| lead - delay_minutes);
                    Some(event)
                }
                FailureOutcome::Missed => {
                    counts(own, all, |counts| counts.missed += 1);
                    Some(OutcomeEvent { onset: Some(judged.onset), ..event })
                }
                FailureOutcome::OutOfReach => {
                    counts(own, all, |counts| counts.out_of_reach += 1);
                    None
                }
            },
        }
    }
}

impl ModelService {
    /// The matcher begins again, and knows of no failure.
    pub(super) fn forget_failure(&mut self) {
        self.begun = None;
    }

    /// Tells the matcher what the rule has come to know, and gives what is final by that.
    pub(super) fn judge(
        &mut self,
        told: &[RuleEvent],
        standing: Standing,
        step: Step,
    ) -> Result<Vec<Settled>, CoreError> {
        for event in told {
            match *event {
                RuleEvent::Ended(episode) => {
                    if self.begun.take() != Some(episode.onset()) {
                        self.matcher.begin(episode.onset())?;
                    }
                    self.matcher.end(episode.end())?;
                }
                RuleEvent::Unknown { from, until } => self.matcher.unknown(from, until)?,
                _ => {}
            }
        }
        let mut open = standing.final_before;
        if let Some((onset, until)) = standing.failing {
            if self.begun != Some(onset) {
                self.matcher.begin(onset)?;
                self.begun = Some(onset);
            }
            open = open.max(until);
        }
        let Some(until) = open.checked_add(step, -1) else { return Ok(Vec::new()) };
        Ok(self.matcher.settle(until))
    }
}

/// What identifies a warning, on every replica.
pub(super) fn warning_id(service: &str, time: Timestamp) -> String {
    format!("w:{service}:{time}")
}
