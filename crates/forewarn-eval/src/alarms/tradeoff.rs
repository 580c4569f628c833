use crate::events::warned;
use crate::uncertainty::{BlockBootstrap, Blocks, effective};
use crate::{EvalError, Events, Interval, LeadTimes, ScoredSet};
use forewarn_core::Score;
use forewarn_core::{AlarmPolicy, FailureOutcome};
use serde::{Deserialize, Serialize};

/// What more alarms buy: failures detected, and how early, against false alarms and time in warning, at many
/// thresholds.
///
/// In hindsight on the data measured: it shows what was possible. The threshold to run with is chosen on validation,
/// by an [`AlarmBudget`](crate::AlarmBudget).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tradeoff {
    /// Area under event recall over time in warning, from no warning to one that is always on. 0.5 for no skill.
    pub sensitivity_area: f64,
    /// Where that area lies.
    #[serde(default)]
    pub sensitivity_area_interval: Option<Interval>,
    /// Thresholds from the highest, at which nearly nothing is raised, to the lowest.
    pub points: Vec<TradeoffPoint>,
}

/// What one threshold gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TradeoffPoint {
    /// Threshold.
    pub threshold: Score,
    /// False alarms per service and week.
    pub false_alarms_per_service_week: f64,
    /// Share of the time watched in which a warning was on.
    pub time_in_warning: f64,
    /// Share of the failures within reach that were detected.
    pub event_recall: f64,
    /// Median achieved lead time in minutes; `None` where nothing was caught.
    pub lead_time_median_minutes: Option<f64>,
}

impl Tradeoff {
    /// Most thresholds that are tried.
    pub const POINTS: usize = 60;

    /// Replays `policy` at thresholds spread over the scores, denser among the high ones. `None` without a failure
    /// within reach.
    ///
    /// `O(n log n)` time, and `O(n)` a threshold.
    ///
    /// # Errors
    /// [`CoreError::SingleClass`](forewarn_core::CoreError::SingleClass).
    pub fn new(set: &ScoredSet, policy: AlarmPolicy) -> Result<Option<Self>, EvalError> {
        Self::observed(set, policy, |_| {})
    }

    /// [`new`](Self::new), with a look at the events of each point.
    fn observed(
        set: &ScoredSet,
        policy: AlarmPolicy,
        mut look: impl FnMut(&Events),
    ) -> Result<Option<Self>, EvalError> {
        let mut points = Vec::with_capacity(Self::POINTS);
        for threshold in Self::thresholds(set)? {
            let events = Events::new(set, policy.at(threshold));
            look(&events);
            let totals = events.totals();
            let (Some(event_recall), Some(time_in_warning), Some(rate)) =
                (totals.recall(), totals.time_in_warning(), totals.false_alarms_per_service_day())
            else {
                return Ok(None);
            };
            points.push(TradeoffPoint {
                threshold,
                false_alarms_per_service_week: 7.0 * rate,
                time_in_warning,
                event_recall,
                lead_time_median_minutes: LeadTimes::new(totals.leads_minutes).median,
            });
        }
        let places = points.iter().map(|point| (point.time_in_warning, point.event_recall)).collect();
        Ok(Some(Self { sensitivity_area: sensitivity_area(places), sensitivity_area_interval: None, points }))
    }

    /// The same with the interval of the area, by drawing blocks of time.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_interval(
        set: &ScoredSet,
        policy: AlarmPolicy,
        bootstrap: &BlockBootstrap,
    ) -> Result<Option<Self>, EvalError> {
        let blocks = bootstrap.blocks(set);
        if blocks.len() < 2 {
            return Self::new(set, policy);
        }
        let mut points: Vec<Vec<Watched>> = Vec::with_capacity(Self::POINTS);
        let found = Self::observed(set, policy, |events| points.push(watched(set, events, &blocks)))?;
        let Some(mut found) = found else { return Ok(None) };
        let drawn = |weights: Vec<u32>| {
            let places: Option<Vec<(f64, f64)>> =
                points.iter().map(|blocks| place(blocks, &weights)).collect();
            places.map(sensitivity_area)
        };
        let values = bootstrap.draws(blocks.len()).filter_map(drawn).collect();
        // The failures within reach are the same at every threshold.
        let failures = effective(points.iter().take(1).flatten().map(|block| block.episodes));
        found.sensitivity_area_interval =
            Interval::expanded(values, failures, bootstrap.resamples(), bootstrap.level());
        Ok(Some(found))
    }
}

impl Tradeoff {
    /// Thresholds spread over the scores, from the highest on.
    pub(crate) fn thresholds(set: &ScoredSet) -> Result<Vec<Score>, EvalError> {
        let (mut scores, _) = set.pooled("test")?;
        scores.sort_unstable_by(|a, b| b.cmp(a));
        // The share of windows at or above the threshold grows by the same factor from point to point, from one
        // window to all.
        let growth = (scores.len() as f64).ln() / (Self::POINTS - 1) as f64;
        let place =
            |point: usize| ((growth * point as f64).exp().round() as usize).clamp(1, scores.len()) - 1;
        let mut thresholds: Vec<Score> = (0..Self::POINTS).map(|point| scores[place(point)]).collect();
        thresholds.dedup();
        Ok(thresholds)
    }
}

/// What one block holds at one threshold.
#[derive(Clone, Copy, Default)]
struct Watched {
    windows: f64,
    warned: f64,
    episodes: f64,
    caught: f64,
}

fn watched(set: &ScoredSet, events: &Events, blocks: &Blocks) -> Vec<Watched> {
    let mut watched = vec![Watched::default(); blocks.len()];
    for (series, service) in set.series().iter().zip(&events.services) {
        for (block, windows) in blocks.runs(series.times()) {
            watched[block].windows += windows.len() as f64;
        }
        for warned in warned(series.times(), &service.alarms, set.spec(), set.step()) {
            for (block, windows) in blocks.runs(&series.times()[warned]) {
                watched[block].warned += windows.len() as f64;
            }
        }
        for (episode, outcome) in
            service.episodes.iter().filter(|(_, outcome)| *outcome != FailureOutcome::OutOfReach)
        {
            let block = &mut watched[blocks.of(episode.onset())];
            block.episodes += 1.0;
            block.caught += f64::from(u8::from(*outcome != FailureOutcome::Missed));
        }
    }
    watched
}

/// Time in warning and event recall of one draw; `None` without a failure in it.
fn place(blocks: &[Watched], weights: &[u32]) -> Option<(f64, f64)> {
    let mut sum = Watched::default();
    for (block, &weight) in blocks.iter().zip(weights) {
        let weight = f64::from(weight);
        sum.windows += weight * block.windows;
        sum.warned += weight * block.warned;
        sum.episodes += weight * block.episodes;
        sum.caught += weight * block.caught;
    }
    (sum.episodes > 0.0).then(|| (sum.warned / sum.windows, sum.caught / sum.episodes))
}

/// Area under event recall over time in warning, by straight lines between the points, from (0, 0) to (1, 1).
fn sensitivity_area(mut ends: Vec<(f64, f64)>) -> f64 {
    ends.extend([(0.0, 0.0), (1.0, 1.0)]);
    ends.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    ends.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0).sum()
}
