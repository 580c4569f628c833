//! Figures of a ledger, and two models side by side.

use super::{Entry, LedgerBook, LedgerQuery};
use crate::OutcomeKind;
use forewarn_eval::{BlockBootstrap, Interval, IntervalEstimate, LeadTimes, RatioPart};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};

/// Figures of one model over a span.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LedgerFigures {
    /// Alarms before a failure that came.
    pub hits: usize,
    /// Alarms in the middle of a failure.
    pub late: usize,
    /// Alarms without a failure.
    pub false_alarms: usize,
    /// Alarms of which it is not known.
    pub censored: usize,
    /// Warnings that an operator acted on, and after which no failure came.
    pub averted: usize,
    /// Failures that an alarm came before.
    pub detected: usize,
    /// Failures that none came before.
    pub missed: usize,
    /// Weeks of services watched: each scored row counts for one step.
    pub service_weeks: f64,
    /// Share of the alarms that were right, of those that were right or false.
    pub precision: Option<IntervalEstimate>,
    /// Share of the failures that were detected; `None` where one kind of warnings is asked for.
    pub recall: Option<IntervalEstimate>,
    /// False alarms per service and week.
    pub false_alarms_per_service_week: Option<IntervalEstimate>,
    /// Median lead time of detected failures, in minutes.
    pub median_lead_minutes: Option<f64>,
}

/// Two models on the same failures and rows: the challenger against the one that it may replace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LedgerComparison {
    /// The share of failures detected by the challenger less that of the champion.
    pub recall_difference: IntervalEstimate,
    /// The false alarms per service and week of the challenger less those of the champion.
    pub false_alarm_difference: IntervalEstimate,
    /// Whether the challenger is to be promoted: it detects more, beyond doubt, and raises no more false alarms beyond
    /// doubt than the champion, or no more than the budget allows.
    pub promote: bool,
    /// The same as a sentence, to keep with a promotion.
    pub reason: String,
}

fn part(time: Timestamp, value: f64, weight: f64) -> RatioPart {
    RatioPart { time, value, weight }
}

impl LedgerBook {
    /// Figures over the part that is asked for, with intervals by drawing blocks of time. All zero, without rates,
    /// for a model that never scored.
    #[must_use]
    pub fn figures(&self, query: &LedgerQuery, bootstrap: &BlockBootstrap) -> LedgerFigures {
        let Some(model) = self.model(query.model.as_deref()) else { return LedgerFigures::default() };
        let entries: Vec<&Entry> = self.entries(model, query).collect();
        let count = |outcome| entries.iter().filter(|entry| entry.outcome == outcome).count();
        let watched: Vec<(Timestamp, u64)> = self.watched(model, query).collect();
        let times = || watched.iter().map(|&(time, _)| time);
        let share = |upper: OutcomeKind, lower: OutcomeKind| {
            let parts: Vec<_> = entries
                .iter()
                .filter(|entry| entry.outcome == upper || entry.outcome == lower)
                .map(|entry| part(entry.time, f64::from(u8::from(entry.outcome == upper)), 1.0))
                .collect();
            Some(bootstrap.share(&parts, times())).filter(|estimate| estimate.value.is_some())
        };
        let leads = entries.iter().filter(|entry| entry.outcome == OutcomeKind::Detected);
        let leads = LeadTimes::new(leads.filter_map(|entry| entry.lead_minutes).collect());
        let rate = bootstrap.rate(&self.false_alarm_parts(model, query, 1.0), times());
        let rows: f64 = watched.iter().map(|&(_, rows)| rows as f64).sum();
        LedgerFigures {
            hits: count(OutcomeKind::Hit),
            late: count(OutcomeKind::Late),
            false_alarms: count(OutcomeKind::False),
            censored: count(OutcomeKind::Censored),
            averted: count(OutcomeKind::Averted),
            detected: count(OutcomeKind::Detected),
            missed: count(OutcomeKind::Missed),
            service_weeks: rows * self.week_share(),
            precision: share(OutcomeKind::Hit, OutcomeKind::False),
            recall: share(OutcomeKind::Detected, OutcomeKind::Missed).filter(|_| query.kind.is_none()),
            false_alarms_per_service_week: Some(rate).filter(|estimate| estimate.value.is_some()),
            median_lead_minutes: leads.median,
        }
    }

    /// The challenger against the champion over a span and, if asked, one service. `None` unless both scored and there
    /// was a failure to detect.
    #[must_use]
    pub fn compare(
        &self,
        champion: &str,
        challenger: &str,
        query: &LedgerQuery,
        budget_per_service_week: f64,
        bootstrap: &BlockBootstrap,
    ) -> Option<LedgerComparison> {
        let query = LedgerQuery { kind: None, ..query.clone() };
        let (old, new) = (self.model(Some(champion))?, self.model(Some(challenger))?);
        let times: Vec<Timestamp> = self.watched(new, &query).map(|(time, _)| time).collect();
        let detections = |model, value: f64, weight: f64| {
            let is_failure =
                |entry: &&Entry| matches!(entry.outcome, OutcomeKind::Detected | OutcomeKind::Missed);
            let one = move |entry: &Entry| {
                let found = f64::from(u8::from(entry.outcome == OutcomeKind::Detected));
                part(entry.time, value * found, weight)
            };
            self.entries(model, &query).filter(is_failure).map(one).collect::<Vec<_>>()
        };
        // Each failure has two entries, one a model, and a weight of one.
        let failures = [detections(new, 1.0, 0.5), detections(old, -1.0, 0.5)].concat();
        let recall_difference = bootstrap.ratio(&failures, times.iter().copied());
        let gain = recall_difference.value?;
        let alarms = [self.false_alarm_parts(new, &query, 1.0), self.false_alarm_parts(old, &query, -1.0)];
        let alarms: Vec<RatioPart> =
            alarms.concat().into_iter().map(|part| RatioPart { weight: part.weight / 2.0, ..part }).collect();
        let false_alarm_difference = bootstrap.ratio(&alarms, times.iter().copied());
        let rate = bootstrap.ratio(&self.false_alarm_parts(new, &query, 1.0), times.iter().copied()).value?;
        let is_better = recall_difference.interval.is_some_and(|interval| interval.low > 0.0);
        let is_dearer = false_alarm_difference.interval.is_none_or(|interval| interval.low > 0.0);
        let is_within = rate <= budget_per_service_week;
        let promote = is_better && (is_within || !is_dearer);
        let percent = |share: f64| 100.0 * share;
        let range = |interval: Option<Interval>| {
            interval.map_or_else(
                || "too few days for an interval".to_owned(),
                |interval| {
                    let (low, high) = (percent(interval.low), percent(interval.high));
                    format!("{low:.1} to {high:.1}")
                },
            )
        };
        let reason = format!(
            "{challenger} detects {:+.1} percentage points of failures against {champion} ({}), at {rate:.2} false alarms per \
             service and week, {:+.2} against {champion}, beside a budget of {budget_per_service_week}: {}",
            percent(gain),
            range(recall_difference.interval),
            false_alarm_difference.value.unwrap_or_default(),
            if promote { "better" } else { "not shown to be better" },
        );
        Some(LedgerComparison { recall_difference, false_alarm_difference, promote, reason })
    }

    /// False alarms, each of this value, over the weeks watched.
    fn false_alarm_parts(&self, model: u32, query: &LedgerQuery, value: f64) -> Vec<RatioPart> {
        let week = self.week_share();
        let watched = self.watched(model, query).map(|(time, rows)| part(time, 0.0, rows as f64 * week));
        let alarms = self.entries(model, query).filter(|entry| entry.outcome == OutcomeKind::False);
        watched.chain(alarms.map(|entry| part(entry.time, value, 0.0))).collect()
    }

    /// Share of a week that a row stands for.
    fn week_share(&self) -> f64 {
        self.step.days() / 7.0
    }
}
