use crate::{Events, ScoredSet, events::is_failing};
use forewarn_core::{AlarmOutcome, FailureOutcome};
use forewarn_core::{Score, WindowSpec};
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};

/// Most entries of each list.
const MOST: usize = 5;

/// Where a model was most wrong: what to look at first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorstCases {
    /// Failures within reach that were missed, those with the lowest scores before them first.
    pub misses: Vec<WorstCase>,
    /// False alarms, those with the highest scores first.
    pub false_alarms: Vec<WorstCase>,
}

/// In which way a model was wrong: there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorstKind {
    /// A failure that it missed.
    Miss,
    /// An alarm without a failure in its period.
    FalseAlarm,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorstCase {
    /// Service.
    pub service: String,
    /// When the failure began, or the alarm was raised.
    pub time: Timestamp,
    /// Highest score in whose prediction period the failure began, or the score of the alarm.
    pub score: Score,
}

impl WorstCases {
    /// The five worst of each kind; of equally bad ones the first in order of service and time.
    #[must_use]
    pub fn new(set: &ScoredSet, events: &Events) -> Self {
        let mut worst = Self::default();
        for (series, service) in set.series().iter().zip(&events.services) {
            let case = |time, score| WorstCase { service: service.service.clone(), time, score };
            for (episode, _) in
                service.episodes.iter().filter(|(_, outcome)| *outcome == FailureOutcome::Missed)
            {
                let (earliest, latest) = speaking_of(episode.onset(), set.spec(), set.step());
                let times = series.times();
                let range = times.partition_point(|time| time.millis() < earliest)
                    ..times.partition_point(|time| time.millis() <= latest);
                let well = range.filter(|&index| !is_failing(series.episodes(), times[index]));
                let highest = well.map(|index| series.scores()[index]).max();
                worst.misses.extend(highest.map(|score| case(episode.onset(), score)));
            }
            let false_alarms = service.alarms.iter().filter(|(_, outcome)| *outcome == AlarmOutcome::False);
            worst.false_alarms.extend(false_alarms.map(|(alarm, _)| case(alarm.time, alarm.score)));
        }
        worst.misses.sort_by_key(|case| case.score);
        worst.false_alarms.sort_by_key(|case| std::cmp::Reverse(case.score));
        worst.misses.truncate(MOST);
        worst.false_alarms.truncate(MOST);
        worst
    }
}

/// First and last time, in milliseconds, of the windows in whose prediction period `onset` lies.
fn speaking_of(onset: Timestamp, spec: WindowSpec, step: Step) -> (i64, i64) {
    let before = |steps: usize| {
        let span = step.millis().saturating_mul(i64::try_from(steps).unwrap_or(i64::MAX));
        onset.millis().saturating_sub(span)
    };
    // An onset exactly `lead` steps ahead is too near: the period begins after it.
    (before(spec.horizon()), before(spec.lead()) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute, testing::scores};
    use forewarn_core::AlarmPolicy;
    use forewarn_schema::{Episode, Episodes};

    #[test]
    fn the_quietest_miss_and_the_loudest_false_alarm_come_first() {
        let mut values = vec![0.0; 100];
        // Missed at 20 with 0.3 before it, missed at 40 with 0.1, caught at 60; false at 80 and, louder, at 90.
        for (at, value) in
            [(14, 0.45), (15, 0.3), (19, 0.2), (20, 0.4), (37, 0.1), (58, 0.9), (80, 0.6), (90, 0.7)]
        {
            values[at] = value;
        }
        let failures = [20, 40, 60].map(|at| Episode::new(minute(at), minute(at), minute(at + 2)).unwrap());
        let episodes = Episodes::new(failures.to_vec()).unwrap();
        let times = (0..100).map(minute).collect();
        let series = ScoredSeries::new("a", times, scores(&values), vec![false; 100], episodes).unwrap();
        let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap();
        let events = Events::new(&set, AlarmPolicy::new(Score::new(0.5).unwrap(), 5));
        let worst = WorstCases::new(&set, &events);
        let short = |cases: &[WorstCase]| -> Vec<(i64, f32)> {
            cases.iter().map(|case| (case.time.millis() / 60_000, case.score.get())).collect()
        };
        assert_eq!(short(&worst.misses), [(40, 0.1), (20, 0.3)]);
        assert_eq!(short(&worst.false_alarms), [(90, 0.7), (80, 0.6)]);
    }
}
