use crate::{EventCounts, Events, ScoredSet, events::is_failing, events::span};
use forewarn_core::{Alarm, AlarmMachine, AlarmPolicy, BudgetController, BudgetSettings, CoreError, Shift};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a budget gave on test with a threshold that a [`BudgetController`] moved as outcomes became known, as a live
/// service does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AdaptiveOutcome {
    /// False alarms per service and week.
    pub test_rate: f64,
    /// Share of the failures within reach that were detected; `None` where none was.
    pub event_recall: Option<f64>,
    /// Failures that an alarm detected.
    #[serde(default)]
    pub episodes_caught: usize,
    /// How far the threshold lay above the one from validation in the end, in log-odds; below it where negative.
    #[serde(default)]
    pub last_shift: f64,
}

/// The scores of all services in the order in which a live service gives them, to replay them under many budgets.
pub(crate) struct LiveOrder<'a> {
    set: &'a ScoredSet,
    /// Time, series and place in it.
    scores: Vec<(Timestamp, u32, u32)>,
}

impl<'a> LiveOrder<'a> {
    /// Sorts the scores by time: `O(n log n)`.
    pub(crate) fn new(set: &'a ScoredSet) -> Self {
        let of_series = |(series, scored): (usize, &'a crate::ScoredSeries)| {
            let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
            let times = scored.times().iter().enumerate();
            times.map(move |(place, &time)| (time, number(series), number(place)))
        };
        let mut scores: Vec<_> = set.series().iter().enumerate().flat_map(of_series).collect();
        scores.sort_unstable();
        Self { set, scores }
    }

    /// Replays the scores with a controller that begins at the threshold of `policy`.
    ///
    /// What became of an alarm is known once its prediction period is over, and moves the threshold from the next
    /// scores
    /// on. Linear in scores.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for a budget that is not above 0.
    pub(crate) fn replay(
        &self,
        policy: AlarmPolicy,
        per_service_week: f64,
    ) -> Result<AdaptiveOutcome, CoreError> {
        let (spec, step) = (self.set.spec(), self.set.step());
        let settings = BudgetSettings { per_service_week, ..BudgetSettings::default() };
        let mut controller = BudgetController::new(settings, step.minutes())?;
        let series = self.set.series();
        let mut machines: Vec<AlarmMachine<Shift>> =
            series.iter().map(|_| AlarmMachine::with_threshold(policy, step, Shift::default())).collect();
        let mut alarms: Vec<Vec<Alarm>> = vec![Vec::new(); series.len()];
        // False alarms by the time, in milliseconds, at which it is known that they are.
        let mut due: BTreeMap<i64, u64> = BTreeMap::new();
        for now in self.scores.chunk_by(|a, b| a.0 == b.0) {
            let time = now[0].0;
            let later = due.split_off(&time.millis());
            let known = std::mem::replace(&mut due, later).values().sum();
            controller.judge(now.len() as u64, known);
            for &(_, number, place) in now {
                let (number, place) = (number as usize, place as usize);
                let Some(scored) = series.get(number) else { continue };
                let Some(&score) = scored.scores().get(place) else { continue };
                *machines[number].threshold_mut() = controller.threshold();
                let Some(alarm) = machines[number].push(time, score).ok().flatten() else { continue };
                alarms[number].push(alarm);
                if is_false(
                    scored.episodes(),
                    time.millis(),
                    (span(step, spec.lead()), span(step, spec.horizon())),
                ) && !is_failing(scored.episodes(), time)
                {
                    *due.entry(time.millis().saturating_add(span(step, spec.horizon()))).or_default() += 1;
                }
            }
        }
        let totals: EventCounts = Events::of_alarms(self.set, &alarms).totals();
        Ok(AdaptiveOutcome {
            test_rate: 7.0 * totals.false_alarms_per_service_day().unwrap_or_default(),
            event_recall: totals.recall(),
            episodes_caught: totals.caught(),
            last_shift: controller.shift(),
        })
    }
}

/// Whether no failure begins after `lead` and up to `horizon` milliseconds after an alarm.
fn is_false(episodes: &forewarn_schema::Episodes, alarm: i64, (lead, horizon): (i64, i64)) -> bool {
    let (from, to) = (alarm.saturating_add(lead), alarm.saturating_add(horizon));
    let next = episodes.partition_point(|episode| episode.onset().millis() <= from);
    episodes[next..].first().is_none_or(|episode| episode.onset().millis() > to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute};
    use forewarn_core::{Score, WindowSpec};
    use forewarn_schema::{Episode, Episodes, Step};

    const MINUTES: i64 = 28 * 1440;

    /// Four weeks of one service that fails once a day, two minutes after a score of 0.9; in the second half a score of
    /// 0.7 comes every hour with nothing behind it.
    fn drifting() -> ScoredSet {
        let onset = |day: i64| day * 1440 + 700;
        let episode = |day| {
            let [from, to] = [onset(day), onset(day) + 3].map(minute);
            Episode::new(from, from, to).unwrap()
        };
        let episodes = Episodes::new((0..28).map(episode).collect()).unwrap();
        let score = |now: i64| match now {
            now if (now + 2) % 1440 == 700 => 0.9,
            now if now > MINUTES / 2 && now % 60 == 30 => 0.7,
            _ => 0.01,
        };
        let (times, scores) = (0..MINUTES).map(|now| (minute(now), Score::new(score(now)).unwrap())).unzip();
        let positive = (0..MINUTES).map(|now| (now + 2) % 1440 == 700).collect();
        let series = ScoredSeries::new("a", times, scores, positive, episodes).unwrap();
        ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap()
    }

    #[test]
    fn a_moved_threshold_keeps_the_budget_that_a_fixed_one_breaks() {
        let set = drifting();
        let policy = AlarmPolicy::for_window(Score::new(0.5).unwrap(), set.spec());
        let fixed = Events::new(&set, policy).totals();
        assert!(fixed.false_alarms > 300, "{}", fixed.false_alarms);
        let found = LiveOrder::new(&set).replay(policy, 1.0).unwrap();
        // The bound is SILENT / gain and one pending alarm over four weeks: far below the 84 a week of a fixed
        // threshold.
        assert!(found.test_rate < 3.0, "{found:?}");
        assert!(found.event_recall.unwrap() > 0.6, "{found:?}");
        assert!(found.last_shift > 0.0, "{found:?}");
    }

    #[test]
    fn without_false_alarms_the_replay_is_that_of_a_fixed_threshold() {
        let set = drifting();
        // Above 0.7, and by more than the threshold ever comes down by itself.
        let policy = AlarmPolicy::for_window(Score::new(0.89).unwrap(), set.spec());
        let fixed = Events::new(&set, policy).totals();
        let found = LiveOrder::new(&set).replay(policy, 1.0).unwrap();
        assert_eq!((fixed.false_alarms, found.test_rate), (0, 0.0));
        assert_eq!(found.event_recall, fixed.recall());
        assert!(LiveOrder::new(&set).replay(policy, 0.0).is_err());
    }
}
