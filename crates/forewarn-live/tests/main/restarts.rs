//! Saving and restoring changes nothing, whatever comes.

use crate::world::*;
use forewarn_core::{BudgetSettings, CoreError};
use forewarn_live::{
    Action, AlertState, Engine, EngineConfig, EngineModels, Event, EventBody, Input, LiveError, SourceStatus,
};
use forewarn_schema::Timestamp;
use proptest::prelude::*;

fn config() -> EngineConfig {
    // A budget that a day of two services does not use up.
    let budget = BudgetSettings { per_service_week: 100.0, ..BudgetSettings::default() };
    EngineConfig { expire_minutes: 25, ahead_minutes: 30, budget, ..EngineConfig::default() }
}

fn restarted(engine: &Engine) -> Result<Engine, LiveError> {
    Engine::restore(config(), models(), &engine.snapshot()?)
}

/// Inputs as text: JSON has no NaN, so events are compared as they are shown.
fn shown(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect()
}

#[derive(Clone, Debug)]
enum Step {
    Rows(u8),
    Sample { service: u8, metric: u8, seconds: i16, value: f64 },
    Row { service: u8, minutes: i8, value: f32 },
    Advance(i16),
    Act(u8),
    Graph,
    Source(bool),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![Just(f64::NAN), Just(-1.0), Just(1e30), 0.0..1.0f64, Just(f64::INFINITY)];
    prop_oneof![
        6 => (1u8..12).prop_map(Step::Rows),
        4 => (0u8..5, 0u8..12, -300i16..300, value)
            .prop_map(|(service, metric, seconds, value)| Step::Sample { service, metric, seconds, value }),
        3 => (0u8..5, -4i8..6, prop_oneof![Just(f32::NAN), Just(0.5), Just(1e9)])
            .prop_map(|(service, minutes, value)| Step::Row { service, minutes, value }),
        3 => (-90i16..120).prop_map(Step::Advance),
        1 => (0u8..6).prop_map(Step::Act),
        1 => Just(Step::Graph),
        1 => any::<bool>().prop_map(Step::Source),
        4 => Just(Step::Crash),
    ]
}

/// The inputs of a step; `minute` goes on with rows.
fn inputs(step: &Step, minute: &mut i64, last_warning: Option<&str>) -> Vec<Input> {
    let service = |number: u8| {
        ["cart", "login", "shop", "a:b:2024-01-01T00:00:00Z", "late"][usize::from(number)].to_owned()
    };
    match *step {
        Step::Rows(count) => {
            let from = *minute;
            *minute += i64::from(count);
            let frames: Vec<_> = [("cart", 1), ("login", 2)].map(|(name, seed)| walk(name, 600, seed)).into();
            rows(&frames)
                .into_iter()
                .filter(|input| matches!(input, Input::Row { time, .. } if (at(from)..at(*minute)).contains(time)))
                .collect()
        }
        Step::Sample { service: number, metric, seconds, value } => {
            let metric = model().metrics().names().nth(usize::from(metric)).unwrap_or("unheard").to_owned();
            let time = Timestamp::from_millis(*minute * 60_000 + i64::from(seconds) * 1000).unwrap();
            vec![Input::Sample { service: service(number), metric, time, value }]
        }
        Step::Row { service: number, minutes, value } => {
            vec![Input::Row {
                service: service(number),
                time: at(*minute + i64::from(minutes)),
                values: vec![value; 10],
            }]
        }
        Step::Advance(seconds) => {
            vec![Input::Advance {
                now: Timestamp::from_millis(*minute * 60_000 + i64::from(seconds) * 1000).unwrap(),
            }]
        }
        Step::Act(0) => {
            vec![Input::Action(Action::Promote { model: "shadow".into(), reason: String::new() })]
        }
        Step::Act(1) => vec![Input::Action(Action::Promote { model: "main".into(), reason: String::new() })],
        Step::Act(2) => {
            vec![Input::Action(Action::Silence { service: "cart".into(), until: at(*minute + 5) })]
        }
        Step::Act(3) => vec![Input::Alert {
            service: "cart".into(),
            alert: "HighErrorRate".into(),
            state: if *minute % 2 == 0 { AlertState::Firing } else { AlertState::Resolved },
            since: at(*minute - 2),
        }],
        Step::Act(_) => last_warning
            .map(|id| Input::Action(Action::Acted { warning: id.to_owned() }))
            .into_iter()
            .collect(),
        Step::Graph => vec![Input::Graph { calls: vec![("cart".into(), "login".into())] }],
        Step::Source(up) => {
            let status = if up { SourceStatus::Up } else { SourceStatus::Down { reason: "down".into() } };
            vec![Input::Source { source: "s".into(), status }]
        }
        Step::Crash => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// One engine runs on; its twin is saved and restored wherever a crash comes, and its journal has gone through
    /// bytes.
    #[test]
    fn an_engine_that_crashes_says_what_one_says_that_does_not(steps in proptest::collection::vec(step(), 1..60)) {
        let mut steady = Engine::new(config(), models()).unwrap();
        let mut crashing = Engine::new(config(), models()).unwrap();
        let (mut minute, mut last_warning, mut seq) = (1, None::<String>, 0);
        for step in &steps {
            if matches!(step, Step::Crash) {
                let bytes = crashing.snapshot().unwrap();
                crashing = restarted(&crashing).unwrap();
                prop_assert!(crashing.snapshot().unwrap() == bytes, "a snapshot of what was restored is the same");
            }
            for input in inputs(step, &mut minute, last_warning.as_deref()) {
                let (a, b) = (steady.apply(input.clone()), crashing.apply(input));
                match (a, b) {
                    (Ok(a), Ok(b)) => {
                        prop_assert_eq!(shown(&a), shown(&b));
                        for event in a {
                            prop_assert_eq!(event.seq, seq);
                            seq += 1;
                            if let EventBody::Warning(warning) = event.body {
                                last_warning = Some(warning.id);
                            }
                        }
                    }
                    (Err(a), Err(b)) => {
                        prop_assert_eq!(a.to_string(), b.to_string());
                        let is_unknown = matches!(a, LiveError::Unknown { .. });
                        prop_assert!(is_unknown, "{}", a);
                    }
                    (a, b) => prop_assert!(false, "{a:?} {b:?}"),
                }
            }
        }
        prop_assert_eq!(steady.view(), crashing.view());
        prop_assert_eq!(steady.counters().ledger_faults, 0);
    }
}

#[test]
fn restarts_after_every_minute_change_nothing() -> Result<(), BoxError> {
    let inputs = rows(&[walk("cart", 1440, 1), walk("login", 1440, 2)]);
    let mut steady = Engine::new(config(), models())?;
    let expected = shown(&apply_all(&mut steady, inputs.iter().cloned())?);
    let (mut engine, mut events) = (Engine::new(config(), models())?, Vec::new());
    for input in inputs {
        let came = engine.apply(input)?;
        if !came.is_empty() {
            engine = restarted(&engine)?;
        }
        events.extend(came);
    }
    assert!(shown(&events) == expected, "the same events");
    for said in ["firing", "resolved", "confirmed", "hit", "false", "missed", "closed"] {
        assert!(expected.contains(&format!("\"{said}\"")), "{said}");
    }
    Ok(())
}

#[test]
fn damaged_and_foreign_snapshots_are_refused() -> Result<(), BoxError> {
    let mut engine = Engine::new(config(), models())?;
    apply_all(&mut engine, rows(&[walk("cart", 60, 1)]))?;
    let bytes = engine.snapshot()?;
    let read = |bytes: &[u8]| Engine::restore(config(), models(), bytes);
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(read(&damaged).is_err() && read(&bytes[..at]).is_err(), "{at}");
    }
    assert!(read(&[&bytes[..], &[0]].concat()).is_err());
    // Snapshots of version 1 knew no objectives, and have no others instead.
    let mut older = bytes.clone();
    older[0] = 1;
    let error = read(&older).unwrap_err();
    assert!(matches!(error, LiveError::SnapshotVersion { got: 1, .. }));
    assert!(error.to_string().ends_with("replay the journal instead"), "{error}");
    let mut newer = bytes.clone();
    newer[0] = 9;
    assert!(matches!(read(&newer), Err(LiveError::SnapshotVersion { got: 9, supported: 5 })));
    let foreign = |result: Result<Engine, LiveError>| {
        matches!(result, Err(LiveError::Core(CoreError::ForeignState { .. })))
    };
    let other = EngineConfig { settle_secs: 61, ..config() };
    assert!(foreign(Engine::restore(other, models(), &bytes)));
    assert!(foreign(Engine::restore(config(), EngineModels::new("main", model()), &bytes)));
    assert!(read(&bytes).is_ok());
    Ok(())
}
