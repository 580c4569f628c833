use super::*;
use crate::sink::testing::{event, fires, minute, resolves, second, warning};
use crate::sink::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use forewarn_live::{EventBody, WarningEvent};
use serde_json::Value;

fn webhook(more: &str, state: Option<&[u8]>) -> Webhook {
    let config = toml::from_str(&format!("url = \"http://chat/hook\"\nname = \"chat\"\n{more}")).unwrap();
    let secret = Some(b"secret".to_vec());
    Webhook::new(AlertsConfig::default(), &config, Template::Payload, secret, state).unwrap()
}

fn ok() -> Answer {
    Answer::Response { status: 200, retry_after: None, body: Vec::new() }
}

/// Status of the notification and its services.
type Told = (String, Vec<String>);

fn told(request: &Outgoing) -> Told {
    let payload: Value = serde_json::from_slice(&request.body).unwrap();
    let alerts = payload["alerts"].as_array().unwrap().iter();
    let names = alerts.map(|alert| alert["labels"]["service"].as_str().unwrap().to_owned()).collect();
    (payload["status"].as_str().unwrap().to_owned(), names)
}

/// Everything that is told now, each taken.
fn all(outlet: &mut Webhook, now: Timestamp) -> Vec<Told> {
    let mut all = Vec::new();
    while let Next::Send(request) = outlet.next(now) {
        all.push(told(&request));
        outlet.answered(&ok(), now);
    }
    all
}

fn pair(status: &str, names: &[&str]) -> Told {
    (status.to_owned(), names.iter().map(|&name| name.to_owned()).collect())
}

#[test]
fn an_alert_is_told_once_when_it_begins_and_once_when_it_is_over() {
    let mut outlet = webhook("", None);
    outlet.take(&fires(0, "web", 1), second(60));
    assert_eq!(outlet.next(second(60)), Next::Wait(second(65)));
    assert_eq!(all(&mut outlet, second(65)), [pair("firing", &["web"])]);
    assert!(all(&mut outlet, second(600)).is_empty());
    outlet.take(&resolves(1, "web", 1, 11), second(660));
    assert_eq!(all(&mut outlet, second(665)), [pair("resolved", &["web"])]);
    assert_eq!((outlet.next(second(9_999)), outlet.status().delivered), (Next::Idle, 2));
}

#[test]
fn requests_are_signed_and_a_repetition_has_the_same_number() {
    let mut outlet = webhook("group_wait_secs = 0", None);
    outlet.take(&fires(0, "web", 1), second(60));
    let header = |request: &Outgoing, name: &str| {
        request.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.clone())
    };
    let Next::Send(first) = outlet.next(second(60)) else { panic!("a request") };
    outlet.answered(&Answer::Failed("reset".to_owned()), second(60));
    let Next::Send(again) = outlet.next(second(62)) else { panic!("a request") };
    assert_eq!(header(&first, ID_HEADER), header(&again, ID_HEADER));
    for (request, at) in [(&first, second(60)), (&again, second(62))] {
        let get = |name| header(request, name);
        let (id, time, signature) = (get(ID_HEADER), get(TIMESTAMP_HEADER), get(SIGNATURE_HEADER));
        let headers = (id.as_deref(), time.as_deref(), signature.as_deref());
        assert_eq!(
            crate::sink::delivery::sign::receiver::verify(b"secret", headers, &request.body, at),
            Ok(())
        );
    }
    assert_eq!(header(&first, "Content-Type").as_deref(), Some("application/json"));
}

#[test]
fn alerts_of_one_incident_are_one_notification() {
    let mut outlet = webhook("", None);
    let of = |seq, name: &str, incident: &str| {
        let incident = Some(incident.to_owned());
        event(seq, 1, EventBody::Warning(WarningEvent { incident, ..warning(name, 1) }.into()))
    };
    for (seq, (name, incident)) in [("a", "i1"), ("b", "i2"), ("c", "i1")].into_iter().enumerate() {
        outlet.take(&of(seq as u64, name, incident), second(60));
    }
    assert_eq!(all(&mut outlet, second(65)), [pair("firing", &["a", "c"]), pair("firing", &["b"])]);
}

#[test]
fn an_outage_keeps_the_order_and_what_is_too_much_is_counted() {
    let mut outlet = webhook("most_waiting = 10\ngroup_wait_secs = 0", None);
    let mut tries = 0;
    for at in 1..=30 {
        outlet.take(&fires(at as u64, &format!("s{at:02}"), at), minute(at));
        for now in (at * 60..at * 60 + 60).map(second) {
            if let Next::Send(_) = outlet.next(now) {
                outlet.answered(&Answer::Response { status: 401, retry_after: None, body: Vec::new() }, now);
                tries += 1;
            }
        }
    }
    assert!((8..40).contains(&tries), "{tries}");
    assert_eq!((outlet.status().waiting, outlet.status().dropped), (10, 20));
    let names: Vec<String> = all(&mut outlet, minute(40)).into_iter().flat_map(|(_, names)| names).collect();
    assert_eq!(names, (21..=30).map(|at| format!("s{at}")).collect::<Vec<_>>());
}

#[test]
fn what_nobody_takes_for_a_day_is_dropped_and_what_is_refused_is_not_repeated() {
    let mut outlet = webhook("group_wait_secs = 0", None);
    outlet.take(&fires(0, "old", 1), minute(1));
    assert!(matches!(outlet.next(minute(1)), Next::Send(_)));
    outlet.answered(&Answer::Failed("refused".to_owned()), minute(1));
    assert_eq!((outlet.next(minute(1 + 24 * 60 + 1)), outlet.status().dropped), (Next::Idle, 1));
    outlet.take(&fires(1, "bad", 1), minute(1));
    outlet.take(&fires(2, "good", 1), minute(1));
    assert!(matches!(outlet.next(minute(2)), Next::Send(_)));
    outlet.answered(&Answer::Response { status: 422, retry_after: None, body: b"no".to_vec() }, minute(2));
    assert_eq!(all(&mut outlet, minute(2)), [pair("firing", &["good"])]);
    assert_eq!(outlet.status().refused, 1);
}

#[test]
fn who_wants_only_some_hears_only_some() {
    let mut outlet = webhook("severities = [\"critical\"]\nsend_resolved = false\ngroup_wait_secs = 0", None);
    outlet.take(&fires(0, "web", 1), minute(1));
    let level = forewarn_live::RiskLevel::Critical;
    let critical = event(1, 1, EventBody::Warning(WarningEvent { level, ..warning("db", 1) }.into()));
    outlet.take(&critical, minute(1));
    assert_eq!(all(&mut outlet, minute(1)), [pair("firing", &["db"])]);
    outlet.take(&resolves(2, "web", 1, 2), minute(2));
    outlet.take(&resolves(3, "db", 1, 2), minute(2));
    assert!(all(&mut outlet, minute(2)).is_empty());
}

mod properties {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Whatever the receiver does and whenever we are killed: each beginning and each end is told, in order, and
        /// told twice only with the same number, which happens when an answer was lost with us.
        #[test]
        fn nothing_is_lost_and_repetitions_are_known(
            steps in proptest::collection::vec((0..4_usize, 0..4_u8), 1..60),
            kills in proptest::collection::btree_set(1..60_i64, 0..5),
        ) {
            let mut outlet = webhook("", None);
            let mut state: Option<Vec<u8>> = None;
            let (mut events, mut firing): (Vec<forewarn_live::Event>, _) = (Vec::new(), [None; 4]);
            let mut received: Vec<(String, Told)> = Vec::new();
            let last = steps.len() as i64;
            for at in 1..=last + 30 {
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
                    state = outlet.changed_state().or(state);
                }
                let is_killed = kills.contains(&at);
                'minute: for now in (at * 60..at * 60 + 60).step_by(5).map(second) {
                    while let Next::Send(request) = outlet.next(now) {
                        state = outlet.changed_state().or(state);
                        let answer = if answers <= 1 { ok() } else { Answer::Failed("reset".to_owned()) };
                        if answers <= 1 {
                            let id = request.headers.iter().find(|(name, _)| *name == ID_HEADER).unwrap();
                            received.push((id.1.clone(), told(&request)));
                            if is_killed {
                                // Before the answer is heard.
                                break 'minute;
                            }
                        }
                        outlet.answered(&answer, now);
                        state = outlet.changed_state().or(state);
                    }
                }
                if is_killed {
                    outlet = webhook("", state.as_deref());
                    for event in &events {
                        outlet.take(event, minute(at));
                    }
                }
            }
            let mut seen: BTreeMap<String, Told> = BTreeMap::new();
            let mut once = Vec::new();
            for (id, told) in received {
                match seen.get(&id) {
                    Some(before) => prop_assert_eq!(before, &told),
                    None => {
                        seen.insert(id, told.clone());
                        once.push(told);
                    }
                }
            }
            let expected: Vec<Told> = events
                .iter()
                .map(|event| match &event.body {
                    EventBody::Warning(warning) => {
                        let is_over = warning.state == forewarn_live::WarningState::Resolved;
                        pair(if is_over { "resolved" } else { "firing" }, &[&warning.service])
                    }
                    _ => unreachable!(),
                })
                .collect();
            prop_assert_eq!(once, expected);
        }
    }
}
