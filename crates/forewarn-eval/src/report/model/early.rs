//! How early failures are known, at a budget of false alarms.

use crate::{EvalError, EventCounts, Events, ScoredSet, Tradeoff};
use forewarn_core::AlarmPolicy;
use serde::{Deserialize, Serialize};

/// Share of the failures within reach that were detected at least some minutes before they began.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecallAtLead {
    /// Minutes from the alarm to the failure, at least.
    pub minutes: f64,
    /// The share, by achieved lead times: delays are not taken off.
    pub event_recall: f64,
}

/// What a budget of false alarms buys of failures that are known early.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeadCurve {
    /// False alarms per service and week that were accepted.
    pub per_service_week: f64,
    /// False alarms per service and week that there were.
    pub rate: f64,
    /// Failures within reach.
    pub episodes: usize,
    /// Service-weeks watched.
    pub service_weeks: f64,
    /// Recall against required lead, from the shortest to the longest that the prediction period allows.
    pub points: Vec<RecallAtLead>,
}

/// Leads that are asked for, in minutes.
const LEADS: [f64; 12] = [1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0];

impl LeadCurve {
    /// At alarms that were raised; `None` without a failure within reach.
    pub(crate) fn new(set: &ScoredSet, per_service_week: f64, totals: &EventCounts) -> Option<Self> {
        let rate = 7.0 * totals.false_alarms_per_service_day()?;
        let episodes = totals.episodes;
        (episodes > 0).then(|| {
            let step = set.step().minutes();
            let longest = step * set.spec().horizon() as f64;
            let of = |minutes: f64| {
                let early = totals.leads_minutes.iter().filter(|&&lead| lead >= minutes).count();
                RecallAtLead { minutes, event_recall: early as f64 / episodes as f64 }
            };
            let leads = LEADS.into_iter().filter(|&minutes| minutes >= step && minutes <= longest);
            let service_weeks = set.service_days() / 7.0;
            Self { per_service_week, rate, episodes, service_weeks, points: leads.map(of).collect() }
        })
    }

    /// At the lowest of 60 thresholds spread over the scores that keeps the budget on the same windows: in hindsight,
    /// as a ceiling may be. `None` without a failure within reach, or where no threshold keeps it.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
    pub fn in_hindsight(
        set: &ScoredSet,
        policy: AlarmPolicy,
        per_service_week: f64,
    ) -> Result<Option<Self>, EvalError> {
        let mut best: Option<Self> = None;
        for threshold in Tradeoff::thresholds(set)? {
            let totals = Events::new(set, policy.at(threshold)).totals();
            let Some(found) = Self::new(set, per_service_week, &totals) else { return Ok(None) };
            let detected = |curve: &Self| curve.points.first().map_or(0.0, |point| point.event_recall);
            let is_better = best.as_ref().is_none_or(|best| detected(&found) > detected(best));
            if found.rate <= per_service_week && is_better {
                best = Some(found);
            }
        }
        Ok(best)
    }

    /// Share detected at all.
    #[must_use]
    pub fn event_recall(&self) -> Option<f64> {
        self.points.first().map(|point| point.event_recall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute};
    use forewarn_core::{Score, WindowSpec};
    use forewarn_schema::{Episode, Episodes, Step};

    /// A service that fails every 1000 minutes, and a score that knows it 4, 2 or no minutes ahead, in turn; one false
    /// alarm of less.
    fn set() -> ScoredSet {
        let onset = |number: i64| 1000 * number + 500;
        let episode = |number| {
            let [from, to] = [onset(number), onset(number) + 3].map(minute);
            Episode::new(from, from, to).unwrap()
        };
        let episodes = Episodes::new((0..9).map(episode).collect()).unwrap();
        let ahead = |now: i64| 500 - now % 1000;
        let score = |now: i64| match (now / 1000 % 3, ahead(now)) {
            (0, 4) | (1, 2) => 0.9,
            (_, 200) if now < 1000 => 0.5,
            _ => 0.01,
        };
        let minutes = || (0..9000).filter(|now| !(-2..=0).contains(&ahead(*now)));
        let (times, scores) = minutes().map(|now| (minute(now), Score::new(score(now)).unwrap())).unzip();
        let positive = minutes().map(|now| (1..=5).contains(&ahead(now))).collect();
        let series = ScoredSeries::new("a", times, scores, positive, episodes).unwrap();
        ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap()
    }

    #[test]
    fn recall_falls_with_the_lead_that_is_required() {
        let set = set();
        let policy = AlarmPolicy::for_window(Score::new(0.5).unwrap(), set.spec());
        let curve = LeadCurve::in_hindsight(&set, policy, 0.5).unwrap().unwrap();
        assert_eq!((curve.rate, curve.episodes), (0.0, 9));
        let points: Vec<(f64, f64)> =
            curve.points.iter().map(|point| (point.minutes, 9.0 * point.event_recall)).collect();
        assert_eq!(points, [(1.0, 6.0), (2.0, 6.0), (3.0, 3.0), (4.0, 3.0), (5.0, 0.0)]);
        assert_eq!(curve.event_recall(), Some(6.0 / 9.0));
        // A budget that all alarms keep does not buy less.
        let more = LeadCurve::in_hindsight(&set, policy, 1e6).unwrap().unwrap();
        assert!(more.event_recall() >= curve.event_recall());
    }
}
