use super::super::testing::{coarse_score, minute};
use super::*;
use crate::{AlarmSettings, WindowSpec};
use proptest::{collection::btree_map, prelude::*};

fn replay(policy: AlarmPolicy, scores: &[(i64, f32)]) -> Vec<i64> {
    let scores = scores.iter().map(|&(time, score)| (minute(time), Score::new(score).unwrap()));
    policy.replay(Step::MINUTE, scores).map(|alarm| alarm.time.millis() / 60_000).collect()
}

fn at(threshold: f32, refractory: usize) -> AlarmPolicy {
    AlarmPolicy::new(Score::new(threshold).unwrap(), refractory)
}

fn checked(settings: AlarmSettings) -> AlarmPolicy {
    AlarmPolicy::from_settings(settings).unwrap()
}

#[test]
fn a_standing_condition_makes_one_alarm_a_period() {
    let policy = AlarmPolicy::for_window(Score::new(0.5).unwrap(), WindowSpec::default());
    let standing: Vec<_> = (0..12).map(|time| (time, 0.5)).collect();
    assert_eq!(replay(policy, &standing), [0, 5, 10]);
    assert_eq!(replay(at(0.5, 0), &standing).len(), 12);
    assert_eq!(replay(at(0.5, usize::MAX), &standing), [0]);
}

#[test]
fn a_vote_that_waits_for_others_is_pending() {
    let pending = |policy: AlarmPolicy, scores: &[f32]| -> Vec<bool> {
        let mut machine = AlarmMachine::new(policy, Step::MINUTE);
        let push = |(time, &score): (i64, &f32)| {
            machine.push(minute(time), Score::new(score).unwrap()).unwrap();
            machine.is_pending()
        };
        (0..).zip(scores).map(push).collect()
    };
    let votes = checked(at(0.5, 2).settings().with_votes(2, 3));
    let scores = [0.1, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1];
    let expected = [false, true, true, true, false, true, false, false, false, false, false, false];
    assert_eq!(pending(votes, &scores), expected, "the alarm at 8 has the vote of 6 as well");
    assert!(pending(at(0.5, 2), &scores).iter().all(|pending| !pending));
}

#[test]
fn the_refractory_period_is_time_and_not_pushes() {
    let policy = at(0.5, 5);
    assert_eq!(replay(policy, &[(0, 0.9), (1, 0.9), (20, 0.9), (24, 0.9), (25, 0.9)]), [0, 20, 25]);
}

#[test]
fn a_score_that_is_not_later_is_refused_and_changes_nothing() {
    let policy = at(0.5, 5);
    let mut machine = AlarmMachine::new(policy, Step::MINUTE);
    assert!(machine.push(minute(10), Score::ONE).unwrap().is_some());
    machine.push(minute(15), Score::ZERO).unwrap();
    let before = machine.clone();
    for late in [3, 15] {
        let error = machine.push(minute(late), Score::ONE).unwrap_err();
        assert!(
            matches!(error, CoreError::NotLater { what: "score", time, last } if time == minute(late) && last == minute(15))
        );
        assert_eq!(machine, before);
    }
    assert!(machine.push(minute(16), Score::ONE).unwrap().is_some());
    // A replay passes over them.
    assert_eq!(replay(policy, &[(10, 0.9), (3, 0.9), (15, 0.4), (15, 0.9), (16, 0.9)]), [10, 16]);
}

#[test]
fn votes_are_counted_on_the_clock() {
    let policy = checked(at(0.5, 0).settings().with_votes(2, 3));
    assert_eq!(replay(policy, &[(0, 0.9), (1, 0.1), (2, 0.9), (3, 0.1), (4, 0.1), (5, 0.9)]), [2]);
    // Two hits, but four steps apart.
    assert_eq!(replay(policy, &[(0, 0.9), (4, 0.9), (5, 0.9)]), [5]);
    let sure = checked(policy.settings().with_evidence(3));
    assert_eq!(replay(sure, &[(0, 0.9), (1, 0.9), (2, 0.9), (9, 0.9), (10, 0.9), (11, 0.9)]), [2, 11]);
}

#[test]
fn an_alarm_stands_until_it_is_cleared() {
    let policy = checked(at(0.5, 2).settings().with_clear(Score::new(0.3).unwrap()));
    let scores = [(0, 0.9), (1, 0.4), (2, 0.9), (3, 0.35), (4, 0.2), (5, 0.4), (6, 0.5), (7, 0.9)];
    assert_eq!(replay(policy, &scores), [0, 6]);
    // Back within three steps of the end at minute 4: the same alarm, which then ends at 8 and is over for good
    // at 12.
    let merged = checked(policy.settings().with_merge(3));
    let longer = [&scores[..], &[(8, 0.1), (12, 0.9)]].concat();
    assert_eq!(replay(merged, &longer), [0, 12]);
    // Silence ends it as well.
    assert_eq!(replay(policy, &[(0, 0.9), (2, 0.9), (5, 0.9)]), [0, 5]);
}

#[test]
fn a_machine_that_was_reset_has_heard_nothing() {
    let mut machine = AlarmMachine::new(at(0.0, 100), Step::MINUTE);
    assert!(machine.push(minute(0), Score::ZERO).unwrap().is_some());
    assert!(machine.push(minute(1), Score::ONE).unwrap().is_none());
    machine.reset();
    assert!(machine.push(minute(0), Score::ZERO).unwrap().is_some());
}

/// A threshold that halves at each step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Halving(f32);

impl Threshold for Halving {
    fn at(&mut self, _: Timestamp, _: Score) -> Score {
        self.0 /= 2.0;
        Score::new(self.0).unwrap()
    }
}

#[test]
fn a_threshold_may_move_and_the_clear_threshold_stays_below_it() {
    let policy = checked(at(0.9, 0).settings().with_clear(Score::new(0.3).unwrap()));
    let mut machine = AlarmMachine::with_threshold(policy, Step::MINUTE, Halving(1.0));
    let mut push = |time, score| {
        let alarm = machine.push(minute(time), Score::new(score).unwrap()).unwrap();
        (alarm.is_some(), machine.standing_since().is_some())
    };
    // Thresholds 0.5, 0.25 and 0.125: a score of 0.26 reaches the second, and stands there, though it is below
    // the clear threshold that the policy began with.
    assert_eq!(push(0, 0.26), (false, false));
    assert_eq!(push(1, 0.26), (true, true));
    assert_eq!(push(2, 0.13), (false, true));
    assert_eq!(push(3, 0.01), (false, false));
    assert_eq!(machine.threshold().0, 1.0 / 16.0);
}

#[test]
fn scores_that_come_early_or_late_have_their_votes() {
    let policy = checked(at(0.5, 0).settings().with_votes(3, 5));
    let alarms = |times: &[i64]| {
        let scores = times.iter().map(|&millis| (Timestamp::from_millis(millis).unwrap(), Score::ONE));
        policy.replay(Step::MINUTE, scores).count()
    };
    for millis in [59_900, 60_000, 60_100] {
        let times: Vec<_> = (0..1000).map(|scrape| scrape * millis).collect();
        assert_eq!(alarms(&times), 998, "{millis} ms apart");
    }
    let wavering: Vec<_> = (0..1000).map(|scrape| scrape * 60_000 + scrape % 2 * 5).collect();
    assert_eq!(alarms(&wavering), 998);
    // Four a step: the first of a step and those within half of one share its vote.
    let often: Vec<_> = (0..9).map(|quarter| quarter * 15_000).collect();
    assert_eq!(alarms(&often), 5);
    assert_eq!(alarms(&often[..4]), 0);
}

fn policies() -> impl Strategy<Value = AlarmPolicy> {
    let clear = proptest::option::of(coarse_score());
    (coarse_score(), 0usize..12, 1usize..6, 0usize..3, 0usize..6, clear, 0usize..8).prop_map(
        |(threshold, refractory, needed, more, evidence, clear, merge)| {
            let of = needed + more;
            let settings = AlarmSettings::new(threshold, refractory).with_votes(needed, of);
            let settings = settings.with_evidence(evidence.min(of));
            checked(match clear {
                None => settings,
                Some(clear) => settings.with_clear(clear.min(threshold)).with_merge(merge),
            })
        },
    )
}

proptest! {
    #[test]
    fn whatever_the_policy_its_promises_hold(
        policy in policies(), scores in btree_map(0i64..200, coarse_score(), 0..150), cut in 0usize..150
    ) {
        let scores: Vec<_> = scores.into_iter().map(|(time, score)| (minute(time), score)).collect();
        let replayed: Vec<Alarm> = policy.replay(Step::MINUTE, scores.clone()).collect();
        let mut machine = AlarmMachine::new(policy, Step::MINUTE);
        let mut live: Vec<Alarm> = Vec::new();
        for (index, &(time, score)) in scores.iter().enumerate() {
            if index == cut {
                // Written and read in the middle of the stream.
                machine = serde_json::from_str(&serde_json::to_string(&machine).unwrap()).unwrap();
            }
            let stood = machine.standing_since();
            let alarm = machine.push(time, score).unwrap();
            if let (Some(alarm), Some(before)) = (alarm, live.last()) {
                prop_assert!(alarm.time.minutes_since(before.time) >= policy.refractory() as f64);
                prop_assert!(alarm.time > before.time);
            }
            if alarm.is_some() {
                prop_assert!(score >= policy.threshold());
                let recent = |wanted: &dyn Fn(Score) -> bool| {
                    let within = |then: Timestamp| time.minutes_since(then) < policy.votes().1 as f64;
                    scores[..=index].iter().filter(|(then, score)| within(*then) && wanted(*score)).count()
                };
                prop_assert!(recent(&|score| score >= policy.threshold()) >= policy.votes().0);
                prop_assert!(recent(&|_| true) >= policy.evidence());
            }
            // An alarm ends: at the first score below the clear threshold it no longer stands.
            if policy.clear().is_some_and(|clear| score < clear) || policy.clear().is_none() {
                prop_assert_eq!(machine.standing_since(), None);
            }
            // One that stands is not raised again, unless it ended in silence just before.
            let silent = index > 0
                && time.minutes_since(scores[index - 1].0) > policy.refractory().max(policy.votes().1) as f64;
            prop_assert!(stood.is_none() || silent || alarm.is_none());
            live.extend(alarm);
        }
        prop_assert_eq!(live, replayed);
    }

    #[test]
    fn a_clock_that_wavers_raises_the_alarms_of_a_regular_one(
        policy in policies(),
        scores in btree_map(0i64..200, (coarse_score(), -6_000i64..=6_000), 0..150),
    ) {
        let [mut regular, mut wavering] = [(); 2].map(|()| AlarmMachine::new(policy, Step::MINUTE));
        for (time, (score, late)) in scores {
            let then = Timestamp::from_millis(time * 60_000 + late).unwrap();
            let raised = wavering.push(then, score).unwrap();
            let expected = regular.push(minute(time), score).unwrap();
            prop_assert_eq!(raised, expected.map(|alarm| Alarm { time: then, ..alarm }));
            prop_assert_eq!(wavering.standing_since().is_some(), regular.standing_since().is_some());
        }
    }

    #[test]
    fn a_plain_policy_alarms_exactly_where_the_score_calls_for_it(
        scores in btree_map(0i64..200, coarse_score(), 0..150), threshold in coarse_score(), refractory in 0usize..12
    ) {
        let policy = AlarmPolicy::new(threshold, refractory);
        let mut machine = AlarmMachine::new(policy, Step::MINUTE);
        let mut last: Option<i64> = None;
        for (time, score) in scores {
            let near = last.is_some_and(|last| time - last < refractory as i64);
            let alarm = machine.push(minute(time), score).unwrap();
            prop_assert_eq!(alarm.is_some(), score >= threshold && !near);
            last = if alarm.is_some() { Some(time) } else { last };
        }
    }
}
