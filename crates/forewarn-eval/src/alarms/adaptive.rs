use crate::{EventCounts, Events, ScoredSet, events::is_failing, events::span};
use forewarn_core::{
    Alarm, AlarmMachine, AlarmOutcome, AlarmPolicy, BudgetController, BudgetSettings, CoreError, Ladder,
    Shift, SupposedAlarms,
};
use forewarn_schema::{Episodes, Timestamp};
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
        let ladder = Ladder::new(policy);
        let mut supposed = vec![SupposedAlarms::default(); series.len()];
        let mut rungs = Vec::new();
        let mut alarms: Vec<Vec<Alarm>> = vec![Vec::new(); series.len()];
        let (lead, horizon) = (span(step, spec.lead()), span(step, spec.horizon()));
        // False alarms by the time, in milliseconds, at which it is known that they are.
        let mut due: BTreeMap<i64, u64> = BTreeMap::new();
        for now in self.scores.chunk_by(|a, b| a.0 == b.0) {
            let time = now[0].0;
            let later = due.split_off(&time.millis());
            let known = std::mem::replace(&mut due, later).values().sum();
            rungs.clear();
            for (supposed, scored) in supposed.iter_mut().zip(series) {
                let outcome = |alarm: Timestamp| {
                    let episodes = scored.episodes();
                    let is_known = alarm.millis().saturating_add(horizon) <= time.millis();
                    is_known.then(|| match is_false(episodes, alarm, (lead, horizon)) {
                        true => AlarmOutcome::False,
                        // Whether it would be a hit or late is all the same here.
                        false => AlarmOutcome::Late,
                    })
                };
                supposed.judge(outcome, |one| rungs.push(one));
            }
            controller.judge(now.len() as u64, known, &rungs);
            for &(_, number, place) in now {
                let (number, place) = (number as usize, place as usize);
                let Some(scored) = series.get(number) else { continue };
                let Some(&score) = scored.scores().get(place) else { continue };
                *machines[number].threshold_mut() = controller.threshold();
                supposed[number].push(&ladder, step, time, score);
                let Some(alarm) = machines[number].push(time, score).ok().flatten() else { continue };
                alarms[number].push(alarm);
                if is_false(scored.episodes(), time, (lead, horizon)) {
                    *due.entry(time.millis().saturating_add(horizon)).or_default() += 1;
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

/// Whether an alarm comes in no failure, and none begins after `lead` and up to `horizon` milliseconds after it.
fn is_false(episodes: &Episodes, alarm: Timestamp, (lead, horizon): (i64, i64)) -> bool {
    let (from, to) = (alarm.millis().saturating_add(lead), alarm.millis().saturating_add(horizon));
    let next = episodes.partition_point(|episode| episode.onset().millis() <= from);
    let begins = episodes[next..].first().is_some_and(|episode| episode.onset().millis() <= to);
    !begins && !is_failing(episodes, alarm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute};
    use forewarn_core::{Score, WindowSpec};
    use forewarn_schema::{Episode, Step};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

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
        // The bound is seven false alarms and one pending alarm over four weeks: far below the 84 a week of a fixed
        // threshold.
        assert!(found.test_rate < 3.0, "{found:?}");
        assert!(found.event_recall.unwrap() > 0.6, "{found:?}");
        assert!(found.last_shift > 0.0, "{found:?}");
    }

    /// What a simulated stream does to the policy's threshold, which is said to hold a budget of one false alarm per
    /// service and week: how many it gives at first, and from half of the time on.
    const WORLDS: [(&str, f64, f64); 5] = [
        ("as promised", 1.0, 1.0),
        ("four times too low", 4.0, 4.0),
        ("ten times too high", 0.1, 0.1),
        ("drifting up", 1.0, 4.0),
        ("drifting down", 2.0, 0.5),
    ];

    /// Three weeks of six services, two of them silent for the second week. Bursts of high scores come at random, less
    /// often the higher; failures come twice a day, and a burst before a part of them.
    fn simulated(seed: u64, first: f64, then: f64) -> ScoredSet {
        let mut draws = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = move || draws.random::<f64>();
        // Log-odds above the policy's threshold are exponential from -2 on; a false one falls off faster.
        let (false_slope, true_slope): (f64, f64) = (3.0, 1.35);
        let series = (0..6).map(|service| {
            let (mut times, mut scores, mut episodes) = (Vec::new(), Vec::new(), Vec::new());
            let mut announced: Option<(i64, f64)> = None;
            for now in 0..21 * 1440i64 {
                let is_calm =
                    episodes.last().is_none_or(|last: &Episode| now > last.end().millis() / 60_000 + 10);
                if is_calm && uniform() < 2.0 / 1440.0 {
                    let onset = now + 4;
                    episodes.push(Episode::new(minute(onset), minute(onset), minute(onset + 5)).unwrap());
                    let height = -2.0 - uniform().ln() / true_slope;
                    announced = (uniform() < 0.5).then_some((now + 2, height));
                }
                let rate = if now < 21 * 720 { first } else { then };
                let chance = rate / 10_080.0 * (2.0 * false_slope).exp();
                let mut height: f64 =
                    if uniform() < chance { -2.0 - uniform().ln() / false_slope } else { -4.0 };
                if let Some((_, more)) = announced.filter(|&(time, _)| time == now) {
                    height = height.max(more);
                }
                if service < 2 && (7 * 1440..14 * 1440).contains(&now) {
                    continue;
                }
                times.push(minute(now));
                scores.push(Score::from_logit(height).unwrap());
            }
            let positive = vec![false; times.len()];
            ScoredSeries::new(
                format!("s{service}"),
                times,
                scores,
                positive,
                Episodes::new(episodes).unwrap(),
            )
        });
        let series = series.collect::<Result<Vec<_>, _>>().unwrap();
        ScoredSet::new(WindowSpec::default(), Step::MINUTE, series).unwrap()
    }

    /// Failures that the lowest static threshold detects which raises no more false alarms than this in a week.
    fn hindsight(set: &ScoredSet, policy: AlarmPolicy, rate: f64) -> usize {
        let totals = |log_odds| Events::new(set, policy.at(Score::from_logit(log_odds).unwrap())).totals();
        let (mut low, mut high) = (-4.0_f64, 8.0_f64);
        for _ in 0..20 {
            let middle = f64::midpoint(low, high);
            let found = 7.0 * totals(middle).false_alarms_per_service_day().unwrap();
            if found <= rate { high = middle } else { low = middle }
        }
        totals(high).caught()
    }

    #[test]
    fn the_budget_is_kept_and_used_whatever_the_threshold_was_worth() {
        let seeds = 4;
        for (name, first, then) in WORLDS {
            let (mut rate, mut caught, mut known) = (0.0, 0, 0);
            for seed in 0..seeds {
                let set = simulated(700 + seed, first, then);
                let policy = AlarmPolicy::for_window(Score::new(0.5).unwrap(), set.spec());
                let found = LiveOrder::new(&set).replay(policy, 1.0).unwrap();
                rate += found.test_rate / f64::from(u32::try_from(seeds).unwrap());
                caught += found.episodes_caught;
                known += hindsight(&set, policy, found.test_rate);
            }
            println!("{name}: {rate:.2} a service and week, {caught} failures, in hindsight {known}");
            assert!(rate < 1.5, "{name}: {rate}");
            assert!(rate > 0.5 && caught as f64 > 0.85 * known as f64, "{name}: {rate}, {caught} of {known}");
        }
    }

    #[test]
    fn a_threshold_that_is_too_high_comes_down_within_the_budget() {
        let set = drifting();
        let policy = AlarmPolicy::for_window(Score::new(0.89).unwrap(), set.spec());
        let fixed = Events::new(&set, policy).totals();
        let found = LiveOrder::new(&set).replay(policy, 1.0).unwrap();
        assert_eq!(fixed.false_alarms, 0);
        assert!(found.last_shift < -1.0 && found.test_rate < 1.0, "{found:?}");
        assert_eq!(found.event_recall, fixed.recall());
        assert!(LiveOrder::new(&set).replay(policy, 0.0).is_err());
    }
}
