//! The whole service by a virtual clock: sources and targets that are away, and kills of the service itself.
//!
//! One thread moves at a time, in an order that the clock decides, so that a run is the same each time.

mod alertmanager;
mod journey;
mod outside;
mod prometheus;

use crate::world::BoxError;
use journey::{Journey, Plan};
use std::{collections::BTreeSet, iter::once};

/// Minutes that a journey takes.
const MINUTES: u64 = 420;

/// An hour without Prometheus and an hour without Alertmanager, one after the other, and kills of the service before,
/// in and after each; some of them while a request is on its way.
fn hard() -> Plan {
    Plan {
        minutes: MINUTES,
        prometheus_down: once(60..120).collect(),
        alertmanager_down: once(200..260).collect(),
        kills: vec![30, 75, 119, 121, 199, 230, 261, 300],
        killed_requests: vec![7, 60, 120, 200, 201, 300],
    }
}

fn calm() -> Plan {
    Plan { minutes: MINUTES, ..Plan::default() }
}

#[test]
fn no_alarm_is_lost_and_none_doubled_by_outages_and_kills() -> Result<(), BoxError> {
    let (calm, hard) = (Journey::run(&calm())?, Journey::run(&hard())?);
    assert!(calm.kills == 0 && hard.kills >= 12, "{} kills", hard.kills);

    // Every row was scored and every warning raised as if nothing had happened: the backlog is worked off.
    assert_eq!(calm.stories(), hard.stories());
    assert!(calm.warnings().len() >= 10, "too few warnings to tell: {}", calm.warnings().len());
    assert_eq!(calm.source_changes(), ["up"]);
    assert_eq!(
        hard.source_changes(),
        ["up", "down", "up"],
        "one event for the dead source, and one for its return"
    );

    // Each warning reached the webhook once when it began and once when it was over.
    for journey in [&calm, &hard] {
        assert_eq!(journey.hook_keys("firing"), journey.warnings(), "told once, in whatever order");
        let over: BTreeSet<String> = journey.hook_keys("resolved").into_iter().collect();
        assert_eq!(over.len(), journey.hook_keys("resolved").len(), "the end told twice");
    }

    // What stood was what Alertmanager had, whenever it could know.
    assert!(hard.compared > 30, "{}", hard.compared);
    assert_eq!(hard.differences, Vec::<String>::new());
    assert_eq!(calm.differences, Vec::<String>::new());
    for journey in [&calm, &hard] {
        let told: BTreeSet<&String> = journey.notified.iter().collect();
        assert_eq!(told.len(), journey.notified.len(), "told twice: {:#?}", journey.notified);
    }
    let of_source = |journey: &Journey| {
        let is_source = |told: &&String| told.contains("ForewarnSourceDown");
        journey.notified.iter().filter(is_source).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of_source(&calm), Vec::<String>::new());
    let of_source = of_source(&hard);
    assert_eq!(of_source.len(), 2, "{of_source:#?}");
    assert!(of_source[0].starts_with("firing") && of_source[1].starts_with("resolved"), "{of_source:#?}");

    // What Alertmanager was not told began and ended while it, or Prometheus, was away.
    let missing = hard.not_notified();
    assert_eq!(calm.not_notified(), Vec::<String>::new(), "{:#?}", calm.notified);
    let unseen = |warning: &String| hard.began_and_ended_unseen(warning);
    assert!(missing.iter().all(unseen), "{missing:#?} of {:#?}\n{:#?}", hard.spans(), hard.notified);
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_bytes() -> Result<(), BoxError> {
    let plan = Plan { minutes: 150, kills: vec![70, 110], ..hard() };
    let (first, second) = (Journey::run(&plan)?, Journey::run(&plan)?);
    assert_eq!(first.events, second.events, "the file of events");
    assert_eq!(first.sent, second.sent, "what was sent, and when");
    assert!(first.sent.len() > 100);
    Ok(())
}
