use super::*;
use crate::alarm::testing::minute;
use crate::{Score, match_outcomes};
use forewarn_schema::{Episode, Episodes};
use proptest::{collection::btree_map, collection::vec, prelude::*};

fn alarm(time: i64) -> Alarm {
    Alarm::new(minute(time), Score::ONE)
}

fn of_alarm(settled: &[Settled], time: i64) -> Option<AlarmOutcome> {
    settled.iter().find_map(|one| match one {
        Settled::Alarm(judged) if judged.alarm.time == minute(time) => Some(judged.outcome),
        _ => None,
    })
}

fn matcher() -> OutcomeMatcher {
    OutcomeMatcher::new(WindowSpec::new(10, 0, 5).unwrap(), Step::MINUTE)
}

#[test]
fn an_outcome_is_there_as_soon_as_it_is_final_and_once() {
    let mut ledger = matcher();
    ledger.alarm(alarm(0)).unwrap();
    ledger.score(minute(1)).unwrap();
    assert_eq!(ledger.settle(minute(1)), []);
    ledger.alarm(alarm(2)).unwrap();
    ledger.begin(minute(3)).unwrap();
    ledger.alarm(alarm(3)).unwrap();
    let settled = ledger.settle(minute(3));
    let hit = AlarmOutcome::Hit { onset: minute(3) };
    assert_eq!(
        [0, 2, 3].map(|time| of_alarm(&settled, time)),
        [Some(hit), Some(hit), Some(AlarmOutcome::Late)]
    );
    let failure = JudgedFailure { onset: minute(3), outcome: FailureOutcome::Detected(minute(0)) };
    assert!(settled.contains(&Settled::Failure(failure)));
    assert_eq!(failure.lead_minutes(), Some(3.0));
    ledger.end(minute(6)).unwrap();
    ledger.alarm(alarm(6)).unwrap();
    assert_eq!(ledger.settle(minute(10)), []);
    assert_eq!(ledger.settle(minute(10)), []);
    assert_eq!(of_alarm(&ledger.settle(minute(11)), 6), Some(AlarmOutcome::False));
    ledger.alarm(alarm(12)).unwrap();
    assert_eq!(ledger.settle(minute(16)), []);
    assert_eq!(of_alarm(&ledger.finish(), 12), Some(AlarmOutcome::Censored));
}

#[test]
fn what_is_not_known_is_not_false() {
    for (gap, expected) in [
        (1..2, AlarmOutcome::False),
        (2..3, AlarmOutcome::Censored),
        (7..9, AlarmOutcome::Censored),
        (8..9, AlarmOutcome::False),
    ] {
        let mut ledger = matcher();
        ledger.alarm(alarm(2)).unwrap();
        ledger.unknown(minute(gap.start), minute(gap.end)).unwrap();
        assert_eq!(of_alarm(&ledger.settle(minute(20)), 2), Some(expected), "{gap:?}");
    }
    // A failure that is seen makes it a hit all the same.
    let mut ledger = matcher();
    ledger.alarm(alarm(2)).unwrap();
    ledger.unknown(minute(3), minute(5)).unwrap();
    ledger.begin(minute(6)).unwrap();
    assert_eq!(of_alarm(&ledger.settle(minute(6)), 2), Some(AlarmOutcome::Hit { onset: minute(6) }));
}

#[test]
fn what_comes_too_late_is_refused_and_changes_nothing() {
    let mut ledger = matcher();
    ledger.score(minute(5)).unwrap();
    ledger.begin(minute(3)).unwrap();
    ledger.settle(minute(5));
    let before = ledger.clone();
    assert!(matches!(ledger.score(minute(5)), Err(CoreError::NotLater { what: "score", .. })));
    assert!(matches!(ledger.alarm(alarm(4)), Err(CoreError::NotLater { what: "score", .. })));
    assert!(matches!(ledger.begin(minute(7)), Err(CoreError::StillFailing { .. })));
    assert!(matches!(ledger.end(minute(5)), Err(CoreError::NotLater { what: "end of a failure", .. })));
    assert!(matches!(ledger.unknown(minute(4), minute(9)), Err(CoreError::NotLater { what: "gap", .. })));
    assert!(matches!(ledger.unknown(minute(8), minute(8)), Err(CoreError::NotLater { what: "gap", .. })));
    assert_eq!(ledger, before);
    ledger.end(minute(8)).unwrap();
    assert!(matches!(ledger.end(minute(9)), Err(CoreError::NotFailing { .. })));
    assert!(matches!(ledger.begin(minute(7)), Err(CoreError::NotLater { what: "failure", .. })));
    ledger.begin(minute(8)).unwrap();
}

#[test]
fn its_memory_does_not_grow() {
    let mut ledger = matcher();
    for time in 0..10_000 {
        ledger.alarm(alarm(time)).unwrap();
        if time % 10 == 3 {
            ledger.begin(minute(time)).unwrap();
        } else if time % 10 == 5 {
            ledger.end(minute(time)).unwrap();
        } else if time % 10 == 7 {
            ledger.unknown(minute(time), minute(time + 1)).unwrap();
        }
        ledger.settle(minute(time));
    }
    let lengths = [ledger.watched.len(), ledger.warnings.len(), ledger.open.len(), ledger.failures.len()];
    assert!(lengths.iter().all(|&length| length <= 5) && ledger.unknown.len() <= 2, "{lengths:?}");
    assert!(ledger.scored.is_empty() && ledger.raised.is_empty());
}

/// One service's past: minutes with a score (true where it raised an alarm), failures and unknown times as from and to.
#[derive(Clone, Debug)]
struct Past {
    scores: Vec<(i64, bool)>,
    failures: Vec<(i64, i64)>,
    unknown: Vec<(i64, i64)>,
}

type Outcomes = (Vec<(i64, AlarmOutcome)>, Vec<(i64, FailureOutcome)>);

/// Disjoint spans in order, from pauses and lengths.
fn spans(parts: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    let mut end = 0;
    let next = |(pause, length)| {
        let from = end + pause;
        end = from + length;
        (from, end)
    };
    parts.into_iter().map(next).collect()
}

fn pasts() -> impl Strategy<Value = Past> {
    let scores = btree_map(0i64..80, any::<bool>(), 0..60);
    let failures = vec((0i64..20, 1i64..9), 0..8).prop_map(spans);
    let unknown = vec((0i64..30, 1i64..5), 0..6).prop_map(spans);
    (scores, failures, unknown).prop_map(|(scores, failures, unknown)| Past {
        scores: scores.into_iter().collect(),
        failures,
        unknown,
    })
}

fn holds_minute(spans: &[(i64, i64)], time: i64) -> bool {
    spans.iter().any(|&(from, to)| from <= time && time < to)
}

/// Straight from the definitions, minute by minute; everything up to and with `known` is known.
fn twin(past: &Past, lead: i64, period: i64, known: i64) -> Outcomes {
    let onsets: Vec<i64> = past.failures.iter().map(|failure| failure.0).collect();
    let minutes = |time| time + lead + 1..=time + lead + period;
    let well: Vec<_> = past.scores.iter().filter(|(time, _)| !holds_minute(&past.failures, *time)).collect();
    let judge = |time: i64| {
        if holds_minute(&past.failures, time) {
            return AlarmOutcome::Late;
        }
        if let Some(onset) = minutes(time).find(|minute| onsets.contains(minute)) {
            return AlarmOutcome::Hit { onset: minute(onset) };
        }
        let is_known = |time: i64| time <= known && !holds_minute(&past.unknown, time);
        if minutes(time).chain([time]).all(is_known) { AlarmOutcome::False } else { AlarmOutcome::Censored }
    };
    let alarms = past.scores.iter().filter(|score| score.1).map(|&(time, _)| (time, judge(time)));
    let failures = onsets.iter().map(|&onset| {
        let near: Vec<_> = well.iter().filter(|(time, _)| minutes(*time).contains(&onset)).collect();
        let outcome = match near.iter().find(|score| score.1) {
            Some(&&&(time, _)) => FailureOutcome::Detected(minute(time)),
            None if near.is_empty() => FailureOutcome::OutOfReach,
            None => FailureOutcome::Missed,
        };
        (onset, outcome)
    });
    (alarms.collect(), failures.collect())
}

fn by_time(settled: Vec<Settled>) -> Outcomes {
    let minutes = |time: Timestamp| time.millis() / 60_000;
    let (mut alarms, mut failures) = (Vec::new(), Vec::new());
    for one in settled {
        match one {
            Settled::Alarm(one) => alarms.push((minutes(one.alarm.time), one.outcome)),
            Settled::Failure(one) => failures.push((minutes(one.onset), one.outcome)),
        }
    }
    alarms.sort_by_key(|one| one.0);
    (alarms, failures)
}

proptest! {
    #[test]
    fn it_agrees_with_the_definitions_however_it_is_settled(
        past in pasts(), lead in 0usize..4, period in 1usize..7, settles in vec(any::<bool>(), 100), known in 0i64..100
    ) {
        let spec = WindowSpec::new(1, lead, period).unwrap();
        let mut ledger = OutcomeMatcher::new(spec, Step::MINUTE);
        let mut settled = Vec::new();
        for time in 0..100 {
            if past.failures.iter().any(|failure| failure.1 == time) {
                ledger.end(minute(time)).unwrap();
            }
            if past.failures.iter().any(|failure| failure.0 == time) {
                ledger.begin(minute(time)).unwrap();
            }
            if let Some(&(from, to)) = past.unknown.iter().find(|gap| gap.0 == time) {
                ledger.unknown(minute(from), minute(to)).unwrap();
            }
            match past.scores.iter().find(|score| score.0 == time) {
                Some((_, true)) => ledger.alarm(alarm(time)).unwrap(),
                Some((_, false)) => ledger.score(minute(time)).unwrap(),
                None => {}
            }
            if time <= known && (settles[time as usize] || time == known) {
                let horizon = (lead + period) as f64;
                let is_soon =
                    ledger.settled().is_some_and(|last| minute(time).minutes_since(last) <= horizon);
                let found = ledger.settle(minute(time));
                for one in found.iter().filter(|_| is_soon) {
                    if let Settled::Alarm(one) = one {
                        prop_assert_eq!(ledger.outcome_at(one.alarm.time), Some(one.outcome));
                    }
                }
                settled.extend(found);
                // Written and read in the middle of a stream.
                ledger = serde_json::from_str(&serde_json::to_string(&ledger).unwrap()).unwrap();
            }
        }
        // The failures that the loop did not reach.
        let told = Past { failures: past.failures.iter().copied().filter(|one| one.0 < 100).collect(), ..past };
        settled.extend(ledger.finish());
        prop_assert_eq!(by_time(settled), twin(&told, lead as i64, period as i64, known));
    }

    #[test]
    fn whole_lists_come_to_the_same(past in pasts(), lead in 0usize..4, period in 1usize..7) {
        let spec = WindowSpec::new(1, lead, period).unwrap();
        let past = Past { unknown: Vec::new(), ..past };
        let whole = |&(from, to): &(i64, i64)| Episode::new(minute(from), minute(from), minute(to)).unwrap();
        let episodes = Episodes::new(past.failures.iter().map(whole).collect()).unwrap();
        let scored = past.scores.iter().map(|&(time, raises)| (minute(time), raises.then(|| alarm(time))));
        let (alarms, failures) = match_outcomes(spec, Step::MINUTE, scored, &episodes).unwrap();
        prop_assert!(alarms.windows(2).all(|pair| pair[0].alarm.time < pair[1].alarm.time));
        let found: Vec<_> =
            alarms.into_iter().map(Settled::Alarm).chain(failures.into_iter().map(Settled::Failure)).collect();
        prop_assert_eq!(by_time(found), twin(&past, lead as i64, period as i64, i64::MAX));
    }
}
