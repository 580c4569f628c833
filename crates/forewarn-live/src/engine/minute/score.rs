//! Scoring a minute by one model: its scores, its warnings, and what became of those before.

use super::{Found, Raised};
use crate::{
    LiveError,
    engine::{
        CannotTell, Engine, EngineConfig, EventBody, MissingReason, Outbox, ProbableKind, Risk, RiskLevel,
        ScoreEvent, WarningEvent, WarningState,
        incidents::Incidents,
        model::{Firing, ModelRun, Warned, warning_id},
        state::service::Service,
        warning::{
            advice::{probable_kind, top_evidence},
            risk::Onsets,
        },
    },
    fleet::BATCH,
};
use forewarn_core::{Alarm, BudgetMode, Forecast, OutcomeMatcher, Score, Settled, Shift, SupposedAlarms};
use forewarn_label::RuleMinute;
use forewarn_schema::{Step, Timestamp};

/// What the scores of a minute by one model are told by, and to.
struct Scoring<'a> {
    time: Timestamp,
    is_shadow: bool,
    is_adaptive: bool,
    shift: Shift,
    threshold: Score,
    config: &'a EngineConfig,
    onsets: &'a Onsets,
    incidents: &'a mut Incidents,
    out: &'a mut Outbox,
    raised: &'a mut Vec<Raised>,
}

impl Engine {
    /// Scores by one model, its alarms, and what became of alarms and failures: all of a batch of services before the
    /// next.
    pub(super) fn score(
        &mut self,
        index: usize,
        time: Timestamp,
        told: &[RuleMinute],
        found: &mut Found,
    ) -> Result<(), LiveError> {
        let (is_shadow, width, step) = (index != self.main, self.metrics.len(), self.step);
        let Self { models, services, rows, out, incidents, config, onsets, counters, .. } = self;
        let run = &mut models[index];
        (run.watched, run.false_alarms) = (0, 0);
        run.supposed.clear();
        let shift = run.budget.threshold();
        let threshold = shift.over(run.policy.threshold());
        let is_adaptive = run.budget.settings().mode == BudgetMode::Adaptive;
        let about = (is_shadow, f64::from(config.lead_delay_secs) / 60.0);
        let mut scoring = Scoring {
            time,
            is_shadow,
            is_adaptive,
            shift,
            threshold,
            config,
            onsets,
            incidents,
            out,
            raised: &mut found.raised,
        };
        let begun = run.fleet.open_minute(rows)?;
        let each = services.iter().zip(rows.chunks_exact(width)).zip(told);
        for (slot, ((service, row), told)) in each.enumerate() {
            if slot % BATCH == 0 {
                run.fleet.push_batch(begun, slot / BATCH, rows)?;
            }
            scoring.score(run, slot, service, row)?;
            if !is_shadow && (service.failing.is_some() || run.services[slot].firing.is_some()) {
                found.active.push(slot);
            }
            let standing = service.rule.standing()?;
            let settled = run.services[slot].judge(&told.events, standing, step).unwrap_or_else(|_| {
                counters.ledger_faults += 1;
                run.restart_ledger(slot, step)
            });
            let settled = settled.into_iter();
            found
                .outcomes
                .extend(settled.filter_map(|settled| run.record(slot, &service.name, settled, about)));
            run.suppose(slot);
        }
        run.budget.judge(run.watched, run.false_alarms, &run.supposed);
        Ok(())
    }
}

impl Scoring<'_> {
    /// Takes the score of a service, and says what comes of it.
    fn score(
        &mut self,
        run: &mut ModelRun,
        slot: usize,
        service: &Service,
        row: &[f32],
    ) -> Result<(), LiveError> {
        let Self { time, is_shadow, is_adaptive, shift, threshold, config, .. } = *self;
        let score = run.fleet.scores()[slot];
        let cannot_tell = cannot_tell(run, service, row, score, config.far_factor);
        let score = score.filter(|_| cannot_tell.is_none());
        let period = run.fleet.model().window().period();
        let level = score.map(|score| {
            // Who depends on a service matters only from the threshold on, and is not looked up for others.
            let is_alarming = score >= threshold;
            let (dependents, services) =
                if is_alarming { self.incidents.dependents(&service.name) } else { (0, 0) };
            let base_rate = service.onsets.base_rate(self.onsets, period);
            let (probability, threshold) = (f64::from(score.get()), f64::from(threshold.get()));
            Risk { probability, threshold, base_rate, dependents, services }.level()
        });
        let mut alarm = None;
        if let Some(score) = score {
            run.watched += 1;
            let state = &mut run.services[slot];
            *state.machine.threshold_mut() = shift;
            if is_adaptive {
                state.supposed.push(&run.ladder, run.fleet.model().step(), time, score);
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
        let minutes = forecast.as_ref().and_then(Forecast::expected_steps);
        let minutes_to_failure = minutes.map(|steps| (steps + lead) * run.fleet.model().step().minutes());
        self.out.emit(
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
        let Some(score) = score else { return Ok(()) };
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
            self.out.emit(
                time,
                EventBody::Warning(warn(run, &firing, WarningState::Resolved, Vec::new()).into()),
            );
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
            self.out.emit(time, EventBody::Warning(warn(run, &pending, told, Vec::new()).into()));
        }
        let Some(Alarm { .. }) = alarm.filter(|_| !is_shadow) else { return Ok(()) };
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
            incident: Some(self.incidents.touch(&service.name, time, service.normal.seldom_fails(), config)),
        };
        let event = warn(run, &firing, WarningState::Firing, top_evidence(evidence.as_ref()));
        self.raised.push(Raised { slot, event: self.out.events.len() });
        self.out.emit(time, EventBody::Warning(event.into()));
        let state = &mut run.services[slot];
        state.firing = Some(Box::new(firing));
        state.warned.push(Warned { first, time, acknowledged: false, acted: false, confirmed: None });
        Ok(())
    }
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
    pub(super) fn restart_ledger(&mut self, slot: usize, step: Step) -> Vec<Settled> {
        let matcher = OutcomeMatcher::new(self.fleet.model().window(), step);
        let state = &mut self.services[slot];
        state.forget_failure();
        state.supposed = SupposedAlarms::default();
        std::mem::replace(&mut state.matcher, matcher).finish()
    }
}

/// Why a model cannot tell anything of a row, if it cannot.
pub(in crate::engine) fn cannot_tell(
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
