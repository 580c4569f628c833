//! What a stream can do to an engine: silence, storms of NaN, clocks that jump, names of any length and more services
//! than there is room for.

use crate::world::*;
use forewarn_core::{AlarmPolicy, BudgetMode, BudgetSettings};
use forewarn_live::{
    CannotTell, Engine, EngineConfig, EngineModels, Event, EventBody, Input, MissingReason, ServedModel,
    WarningState,
};
use forewarn_schema::{Frame, Schema, Step, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

fn fixed_budget() -> EngineConfig {
    let budget = BudgetSettings { mode: BudgetMode::Static, ..BudgetSettings::default() };
    EngineConfig { budget, expire_minutes: 10_000, ..EngineConfig::default() }
}

fn frames(minutes: usize) -> Vec<Frame> {
    [("cart", 1), ("login", 2)].map(|(name, seed)| walk(name, minutes, seed)).into()
}

/// Events as text, without their numbers: JSON has no NaN.
fn shown<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<String> {
    let one = |event: &Event| format!("{} {}", event.time, serde_json::to_string(&event.body).unwrap());
    events.into_iter().map(one).collect()
}

fn warnings(events: &[Event]) -> impl Iterator<Item = (Timestamp, &forewarn_live::WarningEvent)> {
    events.iter().filter_map(|event| match &event.body {
        EventBody::Warning(warning) => Some((event.time, &**warning)),
        _ => None,
    })
}

/// The model with a policy of two votes of three.
fn voting() -> Arc<ServedModel> {
    static MODEL: OnceLock<Arc<ServedModel>> = OnceLock::new();
    let fit = || {
        let mut envelope = golden_envelope().unwrap();
        let settings = model().policy().unwrap().settings().with_votes(2, 3);
        let policy = AlarmPolicy::from_settings(settings).unwrap();
        envelope.policy = Some(serde_json::to_value(policy).unwrap());
        Arc::new(ServedModel::from_envelope(envelope).unwrap())
    };
    Arc::clone(MODEL.get_or_init(fit))
}

#[test]
fn a_policy_of_several_votes_says_that_it_waits_and_what_became_of_it() -> Result<(), BoxError> {
    let models = || EngineModels::new("votes", voting());
    let mut engine = Engine::new(fixed_budget(), models())?;
    let inputs = rows(&frames(3 * 1440));
    let events = apply_all(&mut engine, inputs.iter().cloned())?;
    let mut scores: BTreeMap<(String, Timestamp), f64> = BTreeMap::new();
    for event in &events {
        if let EventBody::Score(score) = &event.body {
            let key = (score.service.to_string(), event.time);
            scores.insert(key, score.probability.unwrap_or(0.0));
        }
    }
    // Open warnings by service: id, and whether it fires.
    let mut open: BTreeMap<String, (String, bool)> = BTreeMap::new();
    let (mut waited, mut passed, mut fired) = (0, 0, 0);
    for (time, warning) in warnings(&events) {
        let service = warning.service.clone();
        match warning.state {
            WarningState::Pending => {
                waited += 1;
                assert_eq!((warning.id.clone(), warning.since), (format!("w:{service}:{time}"), time));
                let reached = warning.probability.ok_or("a score")?;
                assert!(reached >= warning.threshold && warning.evidence.is_empty());
                assert!(open.insert(service, (warning.id.clone(), false)).is_none());
            }
            WarningState::Firing => {
                fired += 1;
                // Without a wait where a vote of a warning that is over counted too.
                let waited = open.insert(service.clone(), (warning.id.clone(), true));
                assert!(waited.is_none_or(|(id, is_firing)| id == warning.id && !is_firing));
                assert!(warning.since == time && warning.incident.is_some());
                let last = (0..3).filter_map(|back| {
                    scores.get(&(service.clone(), time.checked_add(Step::MINUTE, -back)?))
                });
                let votes = last.filter(|score| **score >= warning.threshold).count();
                assert!(votes >= 2, "{votes} votes at {time}");
            }
            WarningState::Resolved => {
                let (id, is_firing) = open.remove(&service).ok_or("it waited")?;
                assert_eq!(id, warning.id);
                passed += u32::from(!is_firing);
            }
        }
    }
    assert!(waited > fired && fired > 5 && passed > 5, "{waited} {fired} {passed}");
    // Nothing but what fired is judged.
    let judged: BTreeSet<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Outcome(outcome) => outcome.warning.clone(),
            _ => None,
        })
        .collect();
    let fired: BTreeSet<_> = warnings(&events)
        .filter(|(_, warning)| warning.state == WarningState::Firing)
        .map(|(_, warning)| warning.id.clone())
        .collect();
    assert!(judged.is_subset(&fired) && judged.len() > 5);
    // Saved and restored while some wait.
    let (mut engine, mut again, mut waiting) = (Engine::new(fixed_budget(), models())?, Vec::new(), 0);
    for (number, input) in inputs.into_iter().enumerate() {
        again.extend(engine.apply(input)?);
        if number % 7 == 0 {
            waiting += engine.view().services.iter().filter(|service| service.pending.is_some()).count();
            engine = Engine::restore(fixed_budget(), models(), &engine.snapshot()?)?;
        }
    }
    assert!(waiting > 0);
    assert_eq!(shown(&again), shown(&events));
    Ok(())
}

#[test]
fn a_service_with_one_row_a_day_is_silent_between_and_disturbs_no_other() -> Result<(), BoxError> {
    let inputs = rows(&frames(3 * 1440));
    let daily =
        |minute: i64| Input::Row { service: "nightly".into(), time: at(minute), values: vec![0.5; 10] };
    let (mut alone, mut both) = (engine(fixed_budget()), engine(fixed_budget()));
    let (mut expected, mut events) = (Vec::new(), Vec::new());
    for (number, input) in inputs.into_iter().enumerate() {
        let minute = number as i64 / 2;
        if number % 2 == 0 && minute % 1440 == 60 {
            events.extend(both.apply(daily(minute))?);
        }
        let last = number % 2 == 1;
        for (engine, events) in [(&mut alone, &mut expected), (&mut both, &mut events)] {
            events.extend(engine.apply(input.clone())?);
            if last {
                // One that is waited for is missing after the settle delay.
                events.extend(engine.advance(at(minute + 1))?);
            }
        }
    }
    let of = |events: &[Event], wanted: &str| -> Vec<String> {
        let is_of = |event: &&Event| match &event.body {
            EventBody::Row(row) => row.service == wanted,
            EventBody::Score(score) => score.service == wanted,
            EventBody::Failure(failure) => failure.service == wanted,
            _ => false,
        };
        shown(events.iter().filter(is_of))
    };
    for service in ["cart", "login"] {
        let (found, expected) = (of(&events, service), of(&expected, service));
        // What a new service changes is how fast a minute is closed: not the rows.
        assert!(found.len() + 3 >= expected.len() && expected.starts_with(&found[..found.len() - 3]));
    }
    let missing: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Row(row) if row.service == "nightly" => Some(row.missing),
            _ => None,
        })
        .collect();
    assert!(missing.len() > 2 * 1440);
    assert_eq!(missing.iter().filter(|reason| reason.is_none()).count(), 3);
    assert_eq!(
        missing.iter().filter(|reason| **reason == Some(MissingReason::ServiceSilent)).count() + 3,
        missing.len()
    );
    assert!(!warnings(&events).any(|(_, warning)| warning.service == "nightly"));
    Ok(())
}

#[test]
fn a_clock_that_jumps_back_an_hour_neither_skips_nor_repeats_a_minute() -> Result<(), BoxError> {
    let inputs = rows(&frames(400));
    let run = |jumps: bool| -> Result<(Vec<Event>, Engine), BoxError> {
        let (mut engine, mut events) = (engine(fixed_budget()), Vec::new());
        for (number, input) in inputs.iter().cloned().enumerate() {
            let minute = number as i64 / 2;
            events.extend(engine.apply(input)?);
            if number % 2 == 1 {
                events.extend(engine.advance(at(minute))?);
                if jumps && minute % 97 == 60 {
                    events.extend(engine.advance(at(minute - 60))?);
                    events.extend(engine.apply(inputs[number - 100].clone())?);
                }
            }
        }
        Ok((events, engine))
    };
    let ((expected, _), (events, engine)) = (run(false)?, run(true)?);
    let told = events.iter().filter(|event| !matches!(event.body, EventBody::Late { .. }));
    assert_eq!(shown(told), shown(&expected));
    assert_eq!((engine.counters().clock_set_back, engine.counters().late), (4, 4));
    Ok(())
}

#[test]
fn a_storm_of_nan_is_told_as_missing_and_ends_with_it() -> Result<(), BoxError> {
    let mut engine = engine(fixed_budget());
    let storm = 700..760;
    let mut events = Vec::new();
    for input in rows(&frames(1440)) {
        let Input::Row { service, time, mut values } = input else { return Err("a row".into()) };
        if storm.contains(&(time.millis() / 60_000)) {
            values.fill(f32::NAN);
            for metric in Schema::v1().names() {
                events.extend(engine.push(service.clone(), metric, time, f64::NAN)?);
                events.extend(engine.push(service.clone(), metric, time, f64::INFINITY)?);
            }
        }
        events.extend(engine.apply(Input::Row { service, time, values })?);
    }
    let in_storm = |event: &&Event| storm.contains(&(event.time.millis() / 60_000));
    for event in events.iter().filter(in_storm) {
        match &event.body {
            EventBody::Score(score) => {
                assert_eq!((score.probability, score.cannot_tell), (None, Some(CannotTell::MissingRow)));
            }
            EventBody::Warning(warning) => return Err(format!("{warning:?}").into()),
            _ => {}
        }
    }
    let scored = events.iter().filter(|event| match &event.body {
        EventBody::Score(score) => score.probability.is_some() && event.time >= at(storm.end + 10),
        _ => false,
    });
    assert!(scored.count() > 2000);
    assert_eq!(engine.counters().ledger_faults, 0);
    Ok(())
}

#[test]
fn names_of_any_length_and_kind_are_kept_apart_or_refused() -> Result<(), BoxError> {
    let long = "ö".repeat(5_000);
    let names = [long.clone(), format!("{long}x"), "a:b".into(), "a".into(), "\n\0".into(), " ".into()];
    let config = EngineConfig { most_name_bytes: 10_000, ..fixed_budget() };
    let mut engine = engine(config.clone());
    let mut events = Vec::new();
    for minute in 0..40 {
        for (place, name) in names.iter().enumerate() {
            let values = vec![place as f32 / 10.0; 10];
            events.extend(engine.apply(Input::Row { service: name.clone(), time: at(minute), values })?);
        }
        if minute % 9 == 0 {
            engine = Engine::restore(config.clone(), models(), &engine.snapshot()?)?;
        }
    }
    assert_eq!((engine.counters().refused_names, engine.view().services.len()), (40, 5));
    for event in &events {
        if let EventBody::Row(row) = &event.body {
            let place = names.iter().position(|name| row.service == *name).ok_or("a name")?;
            assert_eq!(row.values.iter().next(), Some(Some(place as f32 / 10.0)));
        }
    }
    Ok(())
}

#[test]
fn more_services_than_there_is_room_for_are_counted_and_the_others_go_on() -> Result<(), BoxError> {
    const MANY: u64 = 100_000;
    let config = EngineConfig { most_services: 100, ..fixed_budget() };
    let mut engine = engine(config);
    let inputs = rows(&frames(30));
    let (before, after) = inputs.split_at(40);
    apply_all(&mut engine, before.iter().cloned())?;
    for number in 0..MANY {
        let (service, values) = (format!("flood-{number}"), vec![0.5; 10]);
        engine.apply(Input::Row { service, time: at(20), values })?;
    }
    let events = apply_all(&mut engine, after.iter().cloned())?;
    engine.advance(at(40))?;
    assert_eq!(engine.view().services.len(), 100);
    assert_eq!(engine.counters().refused_services, MANY - 98);
    let cart =
        events.iter().filter(|event| matches!(&event.body, EventBody::Row(row) if row.service == "cart"));
    assert!(cart.count() >= 1);
    Ok(())
}
