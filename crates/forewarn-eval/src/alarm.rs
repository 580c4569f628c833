use forewarn_core::{Score, WindowSpec};
use forewarn_schema::{Step, Timestamp};
use serde::{Deserialize, Serialize};

/// How scores become alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AlarmPolicy {
    /// An alarm is raised when `score >= threshold`.
    pub threshold: Score,
    /// After an alarm the next one is at least this many steps away. 0 and 1 both let every step raise one.
    pub refractory: usize,
}

impl AlarmPolicy {
    /// Alarms at `score >= threshold`, at least `refractory` steps apart.
    #[must_use]
    pub fn new(threshold: Score, refractory: usize) -> Self {
        Self { threshold, refractory }
    }

    /// The default for a window: a refractory period as long as the prediction period.
    ///
    /// With it, one standing condition makes one alarm a prediction period, and the minutes that those alarms speak about
    /// lie end to end: none is left out, none is warned of twice.
    #[must_use]
    pub fn for_window(threshold: Score, spec: WindowSpec) -> Self {
        Self::new(threshold, spec.period())
    }

    /// The alarms that these scores raise, in order: [`AlarmMachine`] over the whole list.
    pub fn replay(
        self,
        step: Step,
        scores: impl IntoIterator<Item = (Timestamp, Score)>,
    ) -> impl Iterator<Item = Alarm> {
        let mut machine = AlarmMachine::new(self, step);
        scores.into_iter().filter_map(move |(time, score)| machine.push(time, score))
    }
}

/// A statement that a failure is coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alarm {
    /// When it was raised: the time of the last row that the score has seen.
    pub time: Timestamp,
    /// The score that raised it.
    pub score: Score,
}

/// An alarm policy at work on one service: push each score as it comes. A live service and a replay run this same code.
///
/// Time is counted on the clock, not in pushes, so missing scores do not stretch the refractory period.
#[derive(Clone, Debug)]
pub struct AlarmMachine {
    policy: AlarmPolicy,
    step: Step,
    last: Option<Timestamp>,
}

impl AlarmMachine {
    /// A machine that has raised no alarm yet.
    #[must_use]
    pub fn new(policy: AlarmPolicy, step: Step) -> Self {
        Self { policy, step, last: None }
    }

    /// Takes the score at `time`, and says whether it raises an alarm. A time that is not after the last
    /// alarm's never does.
    pub fn push(&mut self, time: Timestamp, score: Score) -> Option<Alarm> {
        let quiet = |last: Timestamp| {
            let since = time.millis() - last.millis();
            let refractory = i64::try_from(self.policy.refractory).unwrap_or(i64::MAX);
            since > 0 && since >= self.step.millis().saturating_mul(refractory)
        };
        if score >= self.policy.threshold && self.last.is_none_or(quiet) {
            self.last = Some(time);
            Some(Alarm { time, score })
        } else {
            None
        }
    }

    /// Forgets the last alarm, for a service that starts anew.
    pub fn reset(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{coarse_score, minute};
    use proptest::{collection::btree_map, prelude::*};

    fn replay(policy: AlarmPolicy, scores: &[(i64, f32)]) -> Vec<i64> {
        let scores = scores.iter().map(|&(time, score)| (minute(time), Score::new(score).unwrap()));
        policy.replay(Step::MINUTE, scores).map(|alarm| alarm.time.millis() / 60_000).collect()
    }

    #[test]
    fn a_standing_condition_makes_one_alarm_a_period() {
        let policy = AlarmPolicy::for_window(Score::new(0.5).unwrap(), WindowSpec::default());
        let standing: Vec<_> = (0..12).map(|time| (time, 0.5)).collect();
        assert_eq!(replay(policy, &standing), [0, 5, 10]);
        assert_eq!(replay(AlarmPolicy::new(policy.threshold, 0), &standing).len(), 12);
        assert_eq!(replay(AlarmPolicy::new(policy.threshold, usize::MAX), &standing), [0]);
    }

    #[test]
    fn the_refractory_period_is_time_and_not_pushes() {
        let policy = AlarmPolicy::new(Score::new(0.5).unwrap(), 5);
        assert_eq!(replay(policy, &[(0, 0.9), (1, 0.9), (20, 0.9), (24, 0.9), (25, 0.9)]), [0, 20, 25]);
        assert_eq!(replay(policy, &[(10, 0.9), (3, 0.9), (15, 0.4), (15, 0.9)]), [10, 15]);
    }

    #[test]
    fn a_machine_that_was_reset_starts_anew() {
        let mut machine = AlarmMachine::new(AlarmPolicy::new(Score::ZERO, 100), Step::MINUTE);
        assert!(machine.push(minute(0), Score::ZERO).is_some());
        assert!(machine.push(minute(1), Score::ONE).is_none());
        machine.reset();
        assert!(machine.push(minute(2), Score::ZERO).is_some());
    }

    #[test]
    fn a_policy_is_checked_when_it_is_read() {
        let policy = AlarmPolicy::new(Score::new(0.1).unwrap(), 5);
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(json, r#"{"threshold":0.1,"refractory":5}"#);
        assert_eq!(serde_json::from_str::<AlarmPolicy>(&json).unwrap(), policy);
        for wrong in [
            r#"{"threshold":1.1,"refractory":5}"#,
            r#"{"threshold":0.1,"refractory":-1}"#,
            r#"{"threshold":0.1}"#,
        ] {
            assert!(serde_json::from_str::<AlarmPolicy>(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn alarms_keep_their_distance_and_live_equals_replay(
            scores in btree_map(0i64..200, coarse_score(), 0..150), threshold in coarse_score(), refractory in 0usize..12
        ) {
            let scores: Vec<_> = scores.into_iter().map(|(time, score)| (minute(time), score)).collect();
            let policy = AlarmPolicy::new(threshold, refractory);
            let replayed: Vec<_> = policy.replay(Step::MINUTE, scores.clone()).collect();
            let mut machine = AlarmMachine::new(policy, Step::MINUTE);
            let mut live = Vec::new();
            for &(time, score) in &scores {
                let alarm = machine.push(time, score);
                // An alarm exactly where the score calls for one and no other is near.
                let near = live.iter().any(|alarm: &Alarm| time.minutes_since(alarm.time) < refractory as f64);
                prop_assert_eq!(alarm.is_some(), score >= threshold && !near);
                live.extend(alarm);
            }
            prop_assert!(live.windows(2).all(|two| two[1].time.minutes_since(two[0].time) >= refractory as f64));
            prop_assert_eq!(live, replayed);
        }
    }
}
