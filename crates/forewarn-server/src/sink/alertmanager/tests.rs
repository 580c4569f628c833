use super::*;
use crate::sink::testing::{down, fires, minute, resolves, second, source};
use serde_json::Value;
use std::collections::BTreeSet;

fn alertmanager(state: Option<&[u8]>) -> Alertmanager {
    let config = toml::from_str("url = \"http://am:9093/prefix/\"").unwrap();
    Alertmanager::new(AlertsConfig::default(), &config, state).unwrap()
}

fn ok() -> Answer {
    Answer::Response { status: 200, retry_after: None, body: b"[]".to_vec() }
}

fn bad() -> Answer {
    Answer::Response { status: 400, retry_after: None, body: b"invalid label".to_vec() }
}

/// The alerts of the next request of alerts; questions about silences are answered.
fn sent(outlet: &mut Alertmanager, now: Timestamp) -> Option<Vec<Value>> {
    loop {
        match outlet.next(now) {
            Next::Send(request) if request.is_post => {
                assert_eq!(request.url, "http://am:9093/prefix/api/v2/alerts");
                return Some(serde_json::from_slice(&request.body).unwrap());
            }
            Next::Send(_) => outlet.answered(&ok(), now),
            Next::Wait(_) | Next::Idle => return None,
        }
    }
}

fn names(alerts: &[Value]) -> Vec<&str> {
    alerts.iter().map(|alert| alert["labels"]["service"].as_str().unwrap()).collect()
}

#[test]
fn an_alert_is_sent_at_once_and_each_minute_and_when_it_is_over_for_a_quarter_of_an_hour() {
    let mut outlet = alertmanager(None);
    assert_eq!(outlet.next(minute(0)), Next::Idle);
    outlet.take(&fires(0, "web", 1), second(75));
    let alerts = sent(&mut outlet, second(75)).unwrap();
    assert_eq!(alerts[0]["startsAt"], minute(1).to_string());
    assert_eq!(alerts[0]["endsAt"], second(75 + 240).to_string());
    assert!(alerts[0].get("generatorURL").is_none());
    assert_eq!(outlet.status().waiting, 1);
    outlet.answered(&ok(), second(75));
    assert_eq!(outlet.status().waiting, 0);
    assert_eq!(sent(&mut outlet, second(76)), None);
    assert_eq!(outlet.next(second(76)), Next::Wait(second(135)));
    assert_eq!(sent(&mut outlet, second(134)), None);
    assert_eq!(sent(&mut outlet, second(135)).unwrap()[0]["endsAt"], second(135 + 240).to_string());
    outlet.answered(&ok(), second(135));

    outlet.take(&resolves(1, "web", 1, 3), second(190));
    let mut times = Vec::new();
    for now in (190..3_600).step_by(5).map(second) {
        if let Some(alerts) = sent(&mut outlet, now) {
            assert_eq!(alerts[0]["endsAt"], minute(3).to_string());
            times.push(now.millis() / 1000);
            outlet.answered(&ok(), now);
        }
    }
    assert_eq!(times, (0..=15).map(|minute| 190 + 60 * minute).collect::<Vec<_>>());
    assert_eq!(outlet.next(minute(60)), Next::Idle);
}

#[test]
fn an_hour_without_alertmanager_loses_nothing_that_stands_and_ends_what_was_told() {
    let mut outlet = alertmanager(None);
    outlet.take(&fires(0, "told", 1), minute(1));
    assert!(sent(&mut outlet, minute(1)).is_some());
    outlet.answered(&ok(), minute(1));
    // It goes away; one ends, one comes and goes, one comes and stands.
    let mut seq = 0;
    let mut event = |outlet: &mut Alertmanager, at: i64, make: &dyn Fn(u64) -> Event| {
        seq += 1;
        outlet.take(&make(seq), minute(at));
    };
    let (mut tries, mut waiting) = (0, 0);
    for at in 2..62 {
        match at {
            5 => event(&mut outlet, at, &|seq| resolves(seq, "told", 1, 5)),
            6 => event(&mut outlet, at, &|seq| fires(seq, "brief", 6)),
            9 => event(&mut outlet, at, &|seq| resolves(seq, "brief", 6, 9)),
            20 => event(&mut outlet, at, &|seq| fires(seq, "stands", 20)),
            _ => {}
        }
        for now in (at * 60..at * 60 + 60).map(second) {
            if sent(&mut outlet, now).is_some() {
                tries += 1;
                outlet.answered(&Answer::Failed("connection refused".to_owned()), now);
            }
        }
        waiting = waiting.max(outlet.status().waiting);
    }
    assert!((15..60).contains(&tries), "backs off: {tries} tries");
    assert_eq!((waiting, outlet.status().failed_requests), (3, tries));
    assert_eq!(outlet.status().is_up, Some(false));
    let back = (0..301).find_map(|wait| sent(&mut outlet, second(62 * 60 + wait))).unwrap();
    let mut found = names(&back);
    found.sort_unstable();
    assert_eq!(found, ["brief", "stands", "told"]);
    for alert in &back {
        let ends: Timestamp = alert["endsAt"].as_str().unwrap().parse().unwrap();
        assert_eq!(ends > minute(62), alert["labels"]["service"] == "stands", "{alert}");
    }
    outlet.answered(&ok(), minute(63));
    assert_eq!((outlet.status().waiting, outlet.status().is_up), (0, Some(true)));
}

#[test]
fn a_refused_alert_is_found_and_holds_no_other_up() {
    let mut outlet = alertmanager(None);
    for seq in 0..100 {
        outlet.take(&fires(seq, &format!("s{seq:02}"), 1), minute(1));
    }
    // As Alertmanager does: it takes what it can of a batch, and answers 400 for the whole of it.
    let (mut taken, mut requests) = (BTreeSet::new(), 0);
    let mut round = |outlet: &mut Alertmanager, now| {
        let mut count = 0;
        while let Some(alerts) = sent(outlet, now) {
            let names = names(&alerts);
            let is_bad = names.iter().any(|name| ["s17", "s60"].contains(name));
            if !is_bad {
                taken.extend(names.into_iter().map(str::to_owned));
            }
            let answer = if is_bad { bad() } else { ok() };
            outlet.answered(&answer, now);
            count += 1;
            assert!(count < 60, "a loop");
        }
        requests = count;
        taken.len()
    };
    assert_eq!(round(&mut outlet, minute(1)), 98);
    assert_eq!((outlet.status().refused, outlet.status().waiting), (2, 2));
    assert_eq!(outlet.status().last_error.as_deref(), Some("answered 400: invalid label"));
    // The next time the two are sent alone.
    round(&mut outlet, minute(2));
    assert_eq!(requests, 3);
}

#[test]
fn a_server_that_refuses_everything_is_asked_a_bounded_number_of_times() {
    let mut outlet = alertmanager(None);
    for seq in 0..5_000 {
        outlet.take(&fires(seq, &format!("s{seq}"), 1), minute(1));
    }
    let mut count = 0;
    while sent(&mut outlet, minute(1)).is_some() {
        outlet.answered(&bad(), minute(1));
        count += 1;
    }
    assert!(count <= 300, "{count}");
}

#[test]
fn a_warning_that_follows_at_once_goes_on_under_its_labels() {
    let mut outlet = alertmanager(None);
    outlet.take(&fires(0, "web", 1), minute(1));
    sent(&mut outlet, minute(1)).unwrap();
    outlet.answered(&ok(), minute(1));
    // In one minute the old one is over and a new one is raised.
    outlet.take(&resolves(1, "web", 1, 3), minute(3));
    outlet.take(&fires(2, "web", 3), minute(3));
    let alerts = sent(&mut outlet, minute(3)).unwrap();
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0]["endsAt"].as_str().unwrap().parse::<Timestamp>().unwrap() > minute(3));
}

#[test]
fn an_answer_to_an_old_content_is_none_to_the_new_one() {
    let mut outlet = alertmanager(None);
    outlet.take(&fires(0, "web", 1), minute(1));
    sent(&mut outlet, minute(1)).unwrap();
    outlet.take(&resolves(1, "web", 1, 2), minute(2));
    outlet.answered(&ok(), minute(2));
    let alerts = sent(&mut outlet, minute(2)).unwrap();
    assert_eq!(alerts[0]["endsAt"], minute(2).to_string());
}

#[test]
fn a_restart_sends_what_stands_and_what_is_over_under_the_same_labels() {
    let mut first = alertmanager(None);
    first.take(&fires(0, "stands", 1), minute(1));
    first.take(&fires(1, "over", 1), minute(1));
    sent(&mut first, minute(1)).unwrap();
    first.answered(&ok(), minute(1));
    first.take(&resolves(2, "over", 1, 2), minute(2));
    first.take(&source(3, 2, down()), minute(2));
    let state = first.changed_state().unwrap();
    assert_eq!(first.changed_state(), None);
    drop(first);
    let mut second = alertmanager(Some(&state));
    for event in [fires(0, "stands", 1), fires(1, "over", 1), resolves(2, "over", 1, 2)] {
        second.take(&event, minute(3));
    }
    let alerts = sent(&mut second, minute(3)).unwrap();
    assert_eq!(names(&alerts), ["over", "stands"]);
    assert_eq!(alerts[0]["endsAt"], minute(2).to_string());
    assert_eq!(alerts[1]["startsAt"], minute(1).to_string());
    second.answered(&ok(), minute(3));
    // The source was down before the restart, and still is.
    let alerts = sent(&mut second, minute(4)).unwrap();
    assert!(alerts.iter().any(|alert| alert["labels"]["alertname"] == "ForewarnSourceDown"), "{alerts:?}");
    assert!(
        Alertmanager::new(
            AlertsConfig::default(),
            &toml::from_str("url = \"http://a\"").unwrap(),
            Some(b"{")
        )
        .is_err()
    );
}

#[test]
fn row_times_ahead_of_the_clock_are_no_error_to_alertmanager() {
    let mut outlet = alertmanager(None);
    outlet.take(&fires(0, "web", 1_000), minute(1));
    let alerts = sent(&mut outlet, minute(1)).unwrap();
    assert_eq!(alerts[0]["startsAt"], minute(1).to_string());
    outlet.answered(&ok(), minute(1));
    outlet.take(&resolves(1, "web", 1_000, 1_005), minute(2));
    let alerts = sent(&mut outlet, minute(2)).unwrap();
    assert!(alerts[0]["endsAt"] == minute(2).to_string() && alerts[0]["startsAt"] == minute(2).to_string());
}

#[test]
fn a_clock_that_is_set_back_a_day_stops_no_resend() {
    let mut outlet = alertmanager(None);
    outlet.take(&fires(0, "web", 1), minute(2_000));
    sent(&mut outlet, minute(2_000)).unwrap();
    outlet.answered(&ok(), minute(2_000));
    assert!(sent(&mut outlet, minute(500)).is_some());
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever Alertmanager does, it ends with the alerts that stand, and only these, once it answers again; and
        /// while it answers no alert that stands runs out.
        #[test]
        fn alertmanager_ends_with_what_stands(
            steps in proptest::collection::vec((0..5_usize, 0..4_u8), 1..90),
            kills in proptest::collection::btree_set(1..90_i64, 0..4),
        ) {
            let mut outlet = alertmanager(None);
            let mut state = outlet.changed_state();
            let mut events: Vec<Event> = Vec::new();
            let mut firing = [None; 5];
            // Service to the end of its alert, as Alertmanager keeps it in memory.
            let mut kept: BTreeMap<String, Timestamp> = BTreeMap::new();
            let last = steps.len() as i64;
            for at in 1..=last + 10 {
                let (which, answers) = *steps.get(at as usize - 1).unwrap_or(&(9, 0));
                if let Some(since) = firing.get_mut(which) {
                    let (seq, name) = (events.len() as u64, format!("s{which}"));
                    events.push(match since.take() {
                        Some(since) => resolves(seq, &name, since, at),
                        None => {
                            *since = Some(at);
                            fires(seq, &name, at)
                        }
                    });
                    outlet.take(&events[seq as usize], minute(at));
                }
                for now in (at * 60..at * 60 + 60).step_by(5).map(second) {
                    while let Some(alerts) = sent(&mut outlet, now) {
                        let answer = match answers {
                            0 | 1 => ok(),
                            2 => Answer::Failed("reset".to_owned()),
                            _ => Answer::Response { status: 503, retry_after: Some(7), body: Vec::new() },
                        };
                        if answers <= 1 {
                            for alert in &alerts {
                                let name = alert["labels"]["service"].as_str().unwrap().to_owned();
                                kept.insert(name, alert["endsAt"].as_str().unwrap().parse().unwrap());
                            }
                        }
                        outlet.answered(&answer, now);
                    }
                    // What waits is bounded by the services there are.
                    prop_assert!(outlet.status().waiting <= 5);
                }
                state = outlet.changed_state().or(state);
                if kills.contains(&at) {
                    // We are killed, and a saved state may be behind: the journal is heard again.
                    outlet = alertmanager(state.as_deref());
                    for event in &events {
                        outlet.take(event, minute(at));
                    }
                }
            }
            let now = minute(last + 11);
            for (which, since) in firing.iter().enumerate() {
                let stands = kept.get(&format!("s{which}")).is_some_and(|ends| *ends > now);
                prop_assert_eq!(stands, since.is_some(), "s{}", which);
            }
        }
    }
}
