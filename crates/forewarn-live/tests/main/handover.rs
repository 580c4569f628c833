//! A service that goes from one engine to another goes on there as if nothing had been.

use crate::world::*;
use forewarn_core::{BudgetMode, BudgetSettings};
use forewarn_live::{Engine, EngineConfig, Event, EventBody, FailureState, Input, LiveError, WarningState};
use forewarn_schema::Timestamp;

/// A threshold that does not move, so that an engine with fewer services says the same of each.
fn config() -> EngineConfig {
    let budget = BudgetSettings { mode: BudgetMode::Static, ..BudgetSettings::default() };
    EngineConfig { budget, settle_secs: 0, ..EngineConfig::default() }
}

fn time(input: &Input) -> Timestamp {
    match input {
        Input::Row { time, .. } => *time,
        _ => at(0),
    }
}

fn of<'a>(service: &'a str) -> impl Fn(&&Input) -> bool + 'a {
    move |input| matches!(input, Input::Row { service: of, .. } if of == service)
}

/// What was said of a service, without numbers of events and incidents, and without what all services share.
fn said(events: &[Event], service: &str) -> Vec<String> {
    let about = |event: &&Event| match &event.body {
        EventBody::Row(row) => row.service == service,
        EventBody::Score(score) => score.service == service,
        EventBody::Warning(warning) => warning.service == service,
        EventBody::Failure(failure) => failure.service == service,
        EventBody::Outcome(outcome) => outcome.service == service,
        _ => false,
    };
    let text = |event: &Event| {
        let mut value = serde_json::to_value(event).unwrap();
        let fields = value.as_object_mut().unwrap();
        fields.remove("seq");
        // A level says how much more probable a failure is than among all services of an engine.
        ["level", "per_step", "minutes_to_failure"].iter().for_each(|field| drop(fields.remove(*field)));
        value.to_string()
    };
    events.iter().filter(about).map(text).collect()
}

/// Runs `inputs`, each minute closed by the clock.
fn run(engine: &mut Engine, inputs: &[&Input], from: i64, until: i64) -> Result<Vec<Event>, BoxError> {
    let mut events = Vec::new();
    for minute in from..until {
        for input in inputs.iter().filter(|input| time(input) == at(minute)) {
            events.extend(engine.apply((*input).clone())?);
        }
        events.extend(engine.apply(Input::Advance { now: at(minute) })?);
    }
    Ok(events)
}

/// Whether a warning of the service fires after these events.
fn fires(events: &[Event], service: &str) -> Option<String> {
    let mut firing = None;
    for event in events {
        match &event.body {
            EventBody::Warning(warning) if warning.service == service => match warning.state {
                WarningState::Firing => firing = Some(warning.id.clone()),
                WarningState::Resolved => firing = None,
                _ => {}
            },
            _ => {}
        }
    }
    firing
}

const MINUTES: i64 = 1440;

fn fleet() -> Vec<Input> {
    rows(&[walk("cart", MINUTES as usize, 1), walk("login", MINUTES as usize, 2)])
}

/// Minutes after which a warning of `cart` has fired for the first time in that minute and does not end with the next.
fn firing_minutes(inputs: &[&Input]) -> Result<Vec<i64>, BoxError> {
    let mut engine = engine(config());
    let (mut found, mut before, mut all) = (Vec::new(), None, Vec::new());
    for minute in 0..MINUTES {
        all.extend(run(&mut engine, inputs, minute, minute + 1)?);
        let now = fires(&all, "cart");
        if now.is_some() && now == before {
            found.push(minute);
        }
        before = now;
    }
    Ok(found)
}

#[test]
fn a_service_that_is_handed_over_says_what_it_would_have_said() -> Result<(), BoxError> {
    let inputs = fleet();
    let (all, cart): (Vec<&Input>, Vec<&Input>) =
        (inputs.iter().collect(), inputs.iter().filter(of("cart")).collect());
    let login: Vec<&Input> = inputs.iter().filter(of("login")).collect();
    let firing = firing_minutes(&all)?;
    assert!(firing.len() > 3, "{firing:?}");
    // In the middle of a warning, at its first minutes, and somewhere without one.
    for minute in [firing[0], firing[firing.len() / 2], 700] {
        let mut steady = engine(config());
        let expected = run(&mut steady, &all, 0, MINUTES)?;
        let (mut one, mut other) = (engine(config()), engine(config()));
        let mut events = run(&mut one, &all, 0, minute + 1)?;
        let state = one.hand_over("cart")?;
        let released = one.apply(Input::Release { service: "cart".to_owned() })?;
        assert!(
            matches!(&released[..], [Event { body: EventBody::ServiceReleased { service }, .. }] if service == "cart")
        );
        let adopted = other.apply(Input::Adopt { state })?;
        let [Event { body: EventBody::ServiceAdopted { service, warning }, .. }] = &adopted[..] else {
            panic!("{adopted:?}")
        };
        assert_eq!(service, "cart");
        assert_eq!(warning.as_ref().map(|warning| warning.id.clone()), fires(&events, "cart"));
        let rest = run(&mut one, &login, minute + 1, MINUTES)?;
        assert!(said(&rest, "cart").is_empty(), "the first engine says no more of it");
        events.extend(run(&mut other, &cart, minute + 1, MINUTES)?);
        assert!(said(&events, "cart") == said(&expected, "cart"), "handed over at {minute}");
        assert!(expected.iter().any(|event| matches!(&event.body,
            EventBody::Failure(failure) if failure.state == FailureState::Ended)));
        assert!(said(&rest, "login") == said(&expected, "login")[said(&events, "login").len()..]);
        // Both may be saved and restored as ever.
        for engine in [&one, &other] {
            let again = Engine::restore(config(), models(), &engine.snapshot()?)?;
            assert_eq!(again.view(), engine.view());
        }
    }
    Ok(())
}

#[test]
fn a_service_joins_an_engine_that_has_others_also_minutes_later() -> Result<(), BoxError> {
    let inputs = fleet();
    let (cart, login): (Vec<&Input>, Vec<&Input>) =
        (inputs.iter().filter(of("cart")).collect(), inputs.iter().filter(of("login")).collect());
    let minute = firing_minutes(&inputs.iter().collect::<Vec<_>>())?[1];
    let (mut one, mut other) = (engine(config()), engine(config()));
    let before = run(&mut one, &cart, 0, minute + 1)?;
    let id = fires(&before, "cart").ok_or("no warning")?;
    run(&mut other, &login, 0, minute + 3)?;
    let state = one.hand_over("cart")?;
    let events = other.apply(Input::Adopt { state: state.clone() })?;
    // Two minutes passed without a row of it: nothing is known of them, and the warning goes on.
    assert!(
        !events.iter().any(|event| matches!(&event.body,
        EventBody::Warning(warning) if warning.state == WarningState::Resolved)),
        "{events:?}"
    );
    let adopted = events.iter().find_map(|event| match &event.body {
        EventBody::ServiceAdopted { warning, .. } => warning.as_ref().map(|warning| warning.id.clone()),
        _ => None,
    });
    assert_eq!(adopted, Some(id));
    assert_eq!(other.next(), Some(at(minute + 3)));
    let both: Vec<&Input> = cart.iter().chain(&login).copied().collect();
    let rest = run(&mut other, &both, minute + 3, minute + 200)?;
    assert_eq!(said(&rest, "cart").len() > 300, said(&rest, "login").len() > 300);
    // Not twice, and not into the past.
    let again = other.apply(Input::Adopt { state });
    assert!(matches!(again, Err(LiveError::DuplicateService { .. })));
    let late = other.hand_over("login")?;
    let refused = one.apply(Input::Adopt { state: late });
    assert!(
        matches!(&refused, Err(LiveError::Handover { reason, .. }) if reason.contains("run on")),
        "{refused:?}"
    );
    assert!(matches!(one.hand_over("nothing"), Err(LiveError::Unknown { .. })));
    assert!(matches!(
        one.apply(Input::Release { service: "nothing".to_owned() }),
        Err(LiveError::Unknown { .. })
    ));
    Ok(())
}

#[test]
fn bytes_that_were_changed_or_are_of_another_configuration_change_nothing() -> Result<(), BoxError> {
    let inputs = fleet();
    let mut one = engine(config());
    run(&mut one, &inputs.iter().collect::<Vec<_>>(), 0, 60)?;
    let state = one.hand_over("cart")?;
    let mut other = engine(config());
    for place in (0..state.len()).step_by(11) {
        let mut damaged = state.clone();
        damaged[place] ^= 1 << (place % 8);
        assert!(other.apply(Input::Adopt { state: damaged }).is_err(), "{place}");
        assert!(other.apply(Input::Adopt { state: state[..place].to_vec() }).is_err(), "{place}");
    }
    assert_eq!(other.snapshot()?, engine(config()).snapshot()?, "nothing is left of what was refused");
    let mut foreign = engine(EngineConfig { settle_secs: 7, ..config() });
    assert!(matches!(foreign.apply(Input::Adopt { state: state.clone() }), Err(LiveError::Core(_))));
    assert!(other.apply(Input::Adopt { state }).is_ok());
    Ok(())
}
