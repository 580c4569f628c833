//! Alarms matched with failures: by hand, and against a twin that walks minute by minute.

use crate::{minute, scores};
use forewarn_core::{AlarmOutcome, AlarmPolicy, FailureOutcome, Score, WindowSpec};
use forewarn_eval::{EventCounts, Events, ScoredSeries, ScoredSet};
use forewarn_schema::{Episode, Episodes, Step, Timestamp, strategies};
use proptest::{collection::btree_map, prelude::*};
use std::collections::BTreeMap;

fn episodes(times: &[(i64, i64)]) -> Episodes {
    let episodes =
        times.iter().map(|&(onset, end)| Episode::new(minute(onset), minute(onset), minute(end)).unwrap());
    Episodes::new(episodes.collect()).unwrap()
}

/// A service scored at `times` that alarms exactly at `alarms`.
fn events(
    spec: WindowSpec,
    times: impl Iterator<Item = i64>,
    alarms: &[i64],
    failures: &[(i64, i64)],
) -> Events {
    let times: Vec<i64> = times.collect();
    let values: Vec<f32> = times.iter().map(|time| if alarms.contains(time) { 0.9 } else { 0.1 }).collect();
    let labels = vec![false; times.len()];
    let times = times.into_iter().map(minute).collect();
    let series = ScoredSeries::new("a", times, scores(&values), labels, episodes(failures)).unwrap();
    let set = ScoredSet::new(spec, Step::MINUTE, vec![series]).unwrap();
    Events::new(&set, AlarmPolicy::new(Score::new(0.5).unwrap(), 1))
}

fn outcomes(events: &Events) -> Vec<AlarmOutcome> {
    events.services[0].alarms.iter().map(|&(_, outcome)| outcome).collect()
}

fn hit(onset: i64) -> AlarmOutcome {
    AlarmOutcome::Hit { onset: minute(onset) }
}

#[test]
fn an_onset_counts_from_the_first_to_the_last_minute_of_the_period() {
    // Lead 2, period 3: an alarm at 10 speaks about 13, 14 and 15.
    let spec = WindowSpec::new(10, 2, 3).unwrap();
    for (onset, outcome) in
        [(12, AlarmOutcome::False), (13, hit(13)), (15, hit(15)), (16, AlarmOutcome::False)]
    {
        let events = events(spec, 0..30, &[10], &[(onset, onset + 2)]);
        assert_eq!(outcomes(&events), [outcome], "{onset}");
        let caught = matches!(outcome, AlarmOutcome::Hit { .. });
        assert_eq!(events.totals().caught(), usize::from(caught));
        assert_eq!(events.totals().leads_minutes, if caught { vec![(onset - 10) as f64] } else { vec![] });
    }
}

#[test]
fn an_episode_is_caught_once_by_the_first_alarm() {
    let events = events(WindowSpec::default(), 0..30, &[16, 17, 18], &[(20, 22)]);
    assert_eq!(outcomes(&events), [hit(20); 3]);
    let totals = events.totals();
    assert_eq!((totals.alarms, totals.caught(), totals.false_alarms), (3, 1, 0));
    assert_eq!(totals.leads_minutes, [4.0]);
    assert_eq!(totals.recall(), Some(1.0));
}

#[test]
fn one_alarm_may_warn_of_two_episodes() {
    let events = events(WindowSpec::default(), 0..30, &[10], &[(12, 13), (14, 16)]);
    assert_eq!(events.totals().leads_minutes, [2.0, 4.0]);
}

#[test]
fn an_alarm_in_the_middle_of_a_failure_is_late_whatever_follows() {
    // The one at 21 is four minutes before the next onset, and warns of it no more than the one at 20.
    let events = events(WindowSpec::default(), 0..40, &[20, 21, 22], &[(20, 22), (25, 26)]);
    assert_eq!(outcomes(&events), [AlarmOutcome::Late, AlarmOutcome::Late, hit(25)]);
    let totals = events.totals();
    assert_eq!((totals.late_alarms, totals.false_alarms, totals.caught(), totals.episodes), (2, 0, 1, 2));
    assert_eq!(totals.leads_minutes, [3.0]);
}

#[test]
fn failures_beyond_the_scores_are_told_apart() {
    // Scored from 100 to 110 and from 130 to 140. Onset 50 and 160 belong to other parts of the data; 120 lies in the
    // gap.
    let failures = [(50, 52), (103, 104), (120, 122), (145, 146), (160, 161)];
    let events = events(WindowSpec::default(), (100..=110).chain(130..=140), &[], &failures);
    let found: Vec<_> = events.services[0].episodes.iter().map(|(e, o)| (e.onset(), *o)).collect();
    let expected = [
        (minute(103), FailureOutcome::Missed),
        (minute(120), FailureOutcome::OutOfReach),
        (minute(145), FailureOutcome::Missed),
    ];
    assert_eq!(found, expected);
    assert_eq!((events.totals().episodes, events.totals().out_of_reach), (2, 1));
    assert_eq!(events.totals().recall(), Some(0.0));
    assert_eq!(events.totals().service_days, 22.0 / 1440.0);
}

#[test]
fn without_scores_nothing_is_counted() {
    let totals = events(WindowSpec::default(), 0..0, &[], &[(5, 6)]).totals();
    assert_eq!(totals, EventCounts::default());
    assert_eq!((totals.recall(), totals.false_alarms_per_service_day()), (None, None));
}

#[test]
fn the_typical_episode_is_the_caught_one_in_the_middle() {
    let failures = [(12, 13), (34, 35), (53, 54), (90, 91)];
    let all = events(WindowSpec::default(), 0..100, &[11, 30, 50], &failures);
    assert_eq!(all.totals().leads_minutes, [1.0, 4.0, 3.0]);
    let (service, episode) = all.typical_episode().unwrap();
    assert_eq!((service, episode.onset()), ("a", minute(53)));
    let none = events(WindowSpec::default(), 0..100, &[], &failures);
    assert_eq!(none.typical_episode().unwrap().1.onset(), minute(12));
    assert_eq!(events(WindowSpec::default(), 0..100, &[5], &[]).typical_episode(), None);
}

/// The same counts, found by walking every minute and asking every pair.
fn twin(
    times: &BTreeMap<i64, Score>,
    failures: &[Episode],
    spec: WindowSpec,
    policy: AlarmPolicy,
) -> EventCounts {
    let to_minute = |time: Timestamp| time.millis() / 60_000;
    let failing = |t: i64| failures.iter().any(|e| to_minute(e.onset()) <= t && t < to_minute(e.end()));
    let speaks_about = |t: i64, episode: &Episode| {
        (1..=spec.period() as i64).any(|ahead| t + spec.lead() as i64 + ahead == to_minute(episode.onset()))
    };
    let mut alarms: Vec<i64> = Vec::new();
    for (&t, &score) in times {
        let is_near = alarms.iter().any(|&alarm| t - alarm < policy.refractory() as i64);
        if score >= policy.threshold() && !is_near {
            alarms.push(t);
        }
    }
    let late: Vec<i64> = alarms.iter().copied().filter(|&t| failing(t)).collect();
    let early: Vec<i64> = alarms.iter().copied().filter(|&t| !failing(t)).collect();
    let mut counts = EventCounts {
        alarms: alarms.len(),
        late_alarms: late.len(),
        false_alarms: early.iter().filter(|&&t| !failures.iter().any(|e| speaks_about(t, e))).count(),
        windows: times.len(),
        warned_windows: times
            .keys()
            .filter(|&&t| {
                let (lead, period) = (spec.lead() as i64, spec.period() as i64);
                alarms.iter().any(|alarm| (lead + 1..=lead + period).contains(&(t - alarm)))
            })
            .count(),
        service_days: times.len() as f64 / 1440.0,
        ..EventCounts::default()
    };
    let (Some((&first, _)), Some((&last, _))) = (times.first_key_value(), times.last_key_value()) else {
        return counts;
    };
    for episode in failures {
        let onset = to_minute(episode.onset());
        if onset <= first || onset > last + spec.horizon() as i64 {
            continue;
        }
        if !times.keys().any(|&t| !failing(t) && speaks_about(t, episode)) {
            counts.out_of_reach += 1;
            continue;
        }
        counts.episodes += 1;
        if let Some(alarm) = early.iter().find(|&&t| speaks_about(t, episode)) {
            counts.leads_minutes.push((onset - alarm) as f64);
        }
    }
    counts
}

proptest! {
    #[test]
    fn equals_its_twin(
        times in btree_map(0i64..400, (0u8..=4).prop_map(|q| Score::new(f32::from(q) / 4.0).unwrap()), 0..300),
        failures in strategies::episodes(Timestamp::EPOCH, 12),
        (lead, period) in (0usize..6, 1usize..12), refractory in 0usize..15, threshold in 0u8..=4,
    ) {
        let spec = WindowSpec::new(10, lead, period).unwrap();
        let policy = AlarmPolicy::new(Score::new(f32::from(threshold) / 4.0).unwrap(), refractory);
        let series = ScoredSeries::new(
            "a",
            times.keys().map(|&time| minute(time)).collect(),
            times.values().copied().collect(),
            vec![false; times.len()],
            failures.clone(),
        ).unwrap();
        let set = ScoredSet::new(spec, Step::MINUTE, vec![series]).unwrap();
        let totals = Events::new(&set, policy).totals();
        prop_assert_eq!(&totals, &twin(&times, &failures, spec, policy));
        prop_assert!(totals.false_alarms + totals.late_alarms <= totals.alarms);
        prop_assert!(totals.caught() <= totals.episodes);
        let reach = (lead + 1) as f64..=(lead + period) as f64;
        prop_assert!(totals.leads_minutes.iter().all(|minutes| reach.contains(minutes)));
        // An alarm at every window catches everything that can be caught.
        let always = Events::new(&set, AlarmPolicy::new(Score::ZERO, 0)).totals();
        prop_assert_eq!((always.caught(), always.alarms), (totals.episodes, times.len()));
    }
}
