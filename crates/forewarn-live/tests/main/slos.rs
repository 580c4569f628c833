//! Service level objectives of an engine's services.

use crate::world::*;
use forewarn_label::{Indicator, Slo, SloLevel};
use forewarn_live::{Engine, EngineConfig, Event, EventBody, Input, LiveError, SloEvent};

/// An objective of all services and one of `cart`.
fn config() -> EngineConfig {
    let latency = Indicator::Latency { metric: "p99_latency".into(), at_most: 1e6 };
    let latency = Slo::new("quick", latency, 0.95).with_service("cart");
    let answers = Slo::new("answers", Indicator::default(), 0.999);
    EngineConfig { slos: vec![answers, latency], ..EngineConfig::default() }
}

/// `cart` without an error but for 12 minutes from minute 100 on, `login` without any.
fn inputs(minutes: i64) -> Vec<Input> {
    let row = |service: &str, minute: i64| {
        let mut values = vec![1000.0, 0.0, 10.0, 20.0, 30.0, 0.2, 0.3, 1e5, 1e5, 0.0];
        values[1] = if service == "cart" && (100..112).contains(&minute) { 0.1 } else { 0.0 };
        Input::Row { service: service.to_owned(), time: at(minute), values }
    };
    (0..minutes).flat_map(|minute| [row("cart", minute), row("login", minute)]).collect()
}

fn told(events: &[Event]) -> Vec<(i64, SloEvent)> {
    let minute = |event: &Event| event.time.millis() / 60_000;
    events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Slo(slo) => Some((minute(event), SloEvent::clone(slo))),
            _ => None,
        })
        .collect()
}

#[test]
fn a_burning_budget_is_told_once_and_its_end_once() -> Result<(), BoxError> {
    let mut engine = Engine::new(config(), models())?;
    let events = apply_all(&mut engine, inputs(400))?;
    let told = told(&events);
    let levels: Vec<_> = told.iter().map(|(minute, slo)| (*minute, slo.level, slo.exhausted)).collect();
    // Two minutes of 10 % are more than a thousandth of 102 minutes; 9 of the last 60 are 15 times the budget. From
    // 112 on the last 5 minutes lose their errors one by one.
    assert_eq!(
        levels,
        [(101, SloLevel::Met, true), (108, SloLevel::Page, true), (116, SloLevel::Met, true),],
    );
    assert!(told.iter().all(|(_, slo)| slo.service == "cart" && slo.slo == "answers"));
    let rate =
        |minutes| told[1].1.burn_rates.iter().find(|burn| burn.window_minutes == minutes).unwrap().rate;
    assert!((rate(5).unwrap() - 100.0).abs() < 1e-3 && (rate(60).unwrap() - 15.0).abs() < 1e-3);
    let view = engine.view();
    let names: Vec<_> =
        view.slos.iter().map(|slo| (slo.standing.service.as_str(), slo.standing.slo.as_str())).collect();
    assert_eq!(names, [("cart", "answers"), ("cart", "quick"), ("login", "answers")]);
    let left = view.slos[0].standing.budget_left.unwrap();
    assert!((left - (1.0 - 1.2 / 399.0 / 0.001)).abs() < 1e-3, "{left}");
    assert_eq!((view.slos[0].since, view.slos[2].since), (Some(at(116)), None));
    assert_eq!(view.slos[2].standing.budget_left, Some(1.0));
    assert_eq!(view.slos[0].probability, view.services[0].probability);
    Ok(())
}

#[test]
fn objectives_are_saved_and_restored() -> Result<(), BoxError> {
    let mut steady = Engine::new(config(), models())?;
    let mut crashing = Engine::new(config(), models())?;
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    for (index, input) in inputs(160).into_iter().enumerate() {
        expected.extend(steady.apply(input.clone())?);
        found.extend(crashing.apply(input)?);
        if index % 7 == 0 {
            let bytes = crashing.snapshot()?;
            crashing = Engine::restore(config(), models(), &bytes)?;
            assert!(crashing.snapshot()? == bytes);
        }
    }
    assert!(told(&found).len() > 1 && told(&expected) == told(&found));
    assert_eq!(steady.view(), crashing.view());
    let other = EngineConfig { slos: config().slos[..1].to_vec(), ..config() };
    assert!(Engine::restore(other, models(), &crashing.snapshot()?).is_err());
    Ok(())
}

#[test]
fn objectives_that_cannot_be_followed_are_refused() {
    let answers = |service: Option<&str>| {
        let slo = Slo::new("answers", Indicator::default(), 0.999);
        service.map_or(slo.clone(), |service| slo.with_service(service))
    };
    let check = |slos| EngineConfig { slos, ..EngineConfig::default() }.check();
    assert!(check(vec![answers(Some("a")), answers(Some("b"))]).is_ok());
    for twice in [[None, Some("a")], [Some("a"), Some("a")], [None, None]] {
        let error = check(twice.map(answers).to_vec()).unwrap_err();
        assert!(error.to_string().contains("\"answers\" twice"), "{error}");
    }
    let queue = Indicator::Latency { metric: "queue".into(), at_most: 1.0 };
    let config = EngineConfig { slos: vec![Slo::new("q", queue, 0.9)], ..EngineConfig::default() };
    let error = Engine::new(config, models()).unwrap_err();
    assert!(matches!(error, LiveError::Label(_)) && error.to_string().contains("queue"), "{error}");
}
