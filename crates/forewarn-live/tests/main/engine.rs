//! The engine: minutes, warnings, ledger, and nothing that a stream can do to it.

use crate::world::*;
use forewarn_core::{
    Alarm, AlarmOutcome, BudgetMode, BudgetSettings, CoreError, FailureOutcome, FailureRule, match_outcomes,
};
use forewarn_live::{
    Action, AlertState, CannotTell, Engine, EngineConfig, EngineModels, Event, EventBody, FailureState,
    IncidentState, Input, LiveError, MissingReason, OutcomeKind, SourceStatus, WarningState,
};
use forewarn_schema::{Frame, Schema, Step, Timestamp};

/// Three services; samples and rows of two of them are missing now and then.
fn shop(minutes: usize) -> Vec<Frame> {
    let gaps = |frame: Frame, every: usize| {
        let (view, width) = (frame.view(), Schema::v1().len());
        let mut values = view.values().to_vec();
        for row in (0..view.rows()).step_by(every) {
            values[row * width..(row + 2).min(view.rows()) * width].fill(f32::NAN);
            if let Some(value) = values.get_mut((row + 9) * width + 1) {
                *value = f32::NAN;
            }
        }
        Frame::new(view.service(), view.schema().clone(), view.start(), view.step(), values).unwrap()
    };
    let [a, b, c] = [("cart", 1), ("login", 2), ("shop", 3)].map(|(name, seed)| walk(name, minutes, seed));
    vec![gaps(a, 211), gaps(b, 97), c]
}

fn fixed_budget() -> EngineConfig {
    let budget = BudgetSettings { mode: BudgetMode::Static, ..BudgetSettings::default() };
    EngineConfig { budget, expire_minutes: 10_000, ..EngineConfig::default() }
}

fn scored<'a>(
    events: &'a [Event],
    service: &'a str,
    model: &'a str,
) -> impl Iterator<Item = (Timestamp, f64)> + 'a {
    events.iter().filter_map(move |event| match &event.body {
        EventBody::Score(score) if score.service == service && score.model == model => {
            Some((event.time, score.probability?))
        }
        _ => None,
    })
}

#[test]
fn scores_are_those_of_one_service_alone_and_the_ledger_is_that_of_an_evaluation() -> Result<(), BoxError> {
    let frames = shop(6 * 1440);
    let mut engine = engine(fixed_budget());
    let events = apply_all(&mut engine, rows(&frames))?;
    assert!(events.iter().enumerate().all(|(index, event)| event.seq == index as u64));
    let (mut hits, mut missed, mut censored) = (0, 0, 0);
    for frame in &frames {
        let view = frame.view();
        let model = model();
        let mut live = model.start(view.service(), view.start())?;
        let policy = model.policy().ok_or("a policy")?;
        let mut machine = forewarn_core::AlarmMachine::new(policy, Step::MINUTE);
        let mut expected = Vec::new();
        // The last minute is open: nothing of a later one has come.
        for (row, values) in view.values().chunks_exact(10).enumerate().take(view.rows() - 1) {
            let score = model.push_at(&mut live, view.time(row), values)?.result;
            if let Some(score) = score.filter(|_| values.iter().any(|value| !value.is_nan())) {
                expected.push((view.time(row), score));
            }
        }
        let found: Vec<_> = scored(&events, view.service(), "main").collect();
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(&expected).all(|(a, b)| a.0 == b.0 && a.1 as f32 == b.1.get()));
        // The same scores judged as an evaluation does, with the episodes of the whole frame.
        let scores: Vec<(Timestamp, Option<Alarm>)> = expected
            .iter()
            .map(|&(time, score)| Ok((time, machine.push(time, score)?)))
            .collect::<Result<_, CoreError>>()?;
        let assessment = engine.rule().assess(view)?;
        let window = model.window();
        let (alarms, failures) =
            match_outcomes(window, Step::MINUTE, scores.iter().copied(), &assessment.episodes)?;
        let unknown = |time: Timestamp| {
            let row = (time.millis() / 60_000) as usize;
            assessment.unknown.iter().any(|gap| gap.start <= row + window.horizon() && row < gap.end)
        };
        let outcomes: Vec<_> = events
            .iter()
            .filter_map(|event| match &event.body {
                EventBody::Outcome(outcome) if outcome.service == view.service() && !outcome.shadow => {
                    Some(outcome)
                }
                _ => None,
            })
            .collect();
        let end = at(view.rows() as i64 - 20);
        for judged in alarms.iter().filter(|judged| judged.alarm.time < end) {
            let id = format!("w:{}:{}", view.service(), judged.alarm.time);
            let live: Vec<_> =
                outcomes.iter().filter(|found| found.warning.as_deref() == Some(&*id)).collect();
            assert_eq!(live.len(), 1, "{id}");
            let expected = match judged.outcome {
                AlarmOutcome::Hit { .. } => OutcomeKind::Hit,
                AlarmOutcome::Late => OutcomeKind::Late,
                _ if unknown(judged.alarm.time) => OutcomeKind::Censored,
                _ => OutcomeKind::False,
            };
            assert_eq!((live[0].outcome, live[0].lead_minutes), (expected, judged.lead_minutes()), "{id}");
            hits += u32::from(expected == OutcomeKind::Hit);
            censored += u32::from(expected == OutcomeKind::Censored);
        }
        for judged in failures.iter().filter(|judged| judged.onset < end) {
            let is_missed = judged.outcome == FailureOutcome::Missed;
            let live = outcomes.iter().filter(|found| found.outcome == OutcomeKind::Missed);
            assert_eq!(
                live.filter(|found| found.onset == Some(judged.onset)).count(),
                usize::from(is_missed)
            );
            missed += u32::from(is_missed);
        }
    }
    assert!(hits > 5 && missed > 5 && censored > 0, "{hits} {missed} {censored}");
    let view = engine.view();
    assert_eq!((view.models[0].name.as_str(), view.models[1].shadow, view.services.len()), ("main", true, 3));
    assert!(view.models[0].ledger.hits >= hits && view.models[0].ledger.detected > 0);
    assert!(view.models[0].median_lead_minutes.is_some_and(|lead| (1.0..=5.0).contains(&lead)));
    assert_eq!(view.counters.ledger_faults, 0);
    Ok(())
}

#[test]
fn a_minute_waits_for_every_known_service_or_the_settle_delay() -> Result<(), BoxError> {
    let frames = shop(40);
    let mut engine = engine(fixed_budget());
    let inputs = rows(&frames);
    let (early, late) = inputs.split_at(3 * 20);
    apply_all(&mut engine, early.iter().cloned())?;
    assert_eq!(engine.next(), Some(at(19)), "nothing of a later minute has come");
    // The clock reaches the end of the minute, and all have reported it.
    assert!(!engine.advance(at(19))?.is_empty());
    assert_eq!(engine.next(), Some(at(20)));
    // One of three in the next minute: it is waited for.
    engine.apply(late[0].clone())?;
    assert!(engine.advance(at(20))?.is_empty());
    let settled = engine.advance(Timestamp::from_millis(21 * 60_000).ok_or("a time")?)?;
    let missing = settled.iter().filter_map(|event| match &event.body {
        EventBody::Row(row) => row.missing,
        _ => None,
    });
    assert_eq!(missing.collect::<Vec<_>>(), [MissingReason::ServiceSilent; 2]);
    // What comes now is late, and says so with the next minute.
    assert!(engine.apply(late[1].clone())?.is_empty());
    assert_eq!(engine.counters().late, 1);
    assert!(engine.advance(at(19))?.is_empty() && engine.counters().clock_set_back == 1);
    let next = apply_all(&mut engine, late[3..9].iter().cloned())?;
    assert!(
        next.iter()
            .any(|event| matches!(&event.body, EventBody::Late { service, count: 1 } if service == "login"))
    );
    // No minute was skipped or repeated.
    let minutes: Vec<_> = next.iter().filter(|event| matches!(event.body, EventBody::Row(_))).collect();
    assert!(minutes.iter().all(|event| event.time == at(21)) && minutes.len() == 3);
    Ok(())
}

#[test]
fn what_has_no_place_is_counted_and_changes_nothing_else() -> Result<(), BoxError> {
    let mut engine = engine(EngineConfig { most_services: 3, most_samples: 4, ..fixed_budget() });
    apply_all(&mut engine, rows(&shop(15)))?;
    engine.advance(at(14))?;
    let row =
        |service: &str, minute, values| Input::Row { service: service.to_owned(), time: at(minute), values };
    let name = "x".repeat(10_000);
    for input in [
        row(&name, 15, vec![0.0; 10]),
        row("", 15, vec![0.0; 10]),
        row("cart", 15, vec![0.0; 9]),
        row("cart", 1_000_000, vec![0.0; 10]),
        row("cart", 15, vec![f32::INFINITY; 10]),
        row("cart", 15, vec![1.0; 10]),
        row("fourth", 15, vec![1.0; 10]),
        Input::Sample { service: "cart".into(), metric: "unheard".into(), time: at(15), value: 1.0 },
    ] {
        assert!(engine.apply(input)?.is_empty());
    }
    for second in 0..9 {
        let time = Timestamp::from_millis(14 * 60_000 + second * 1000 + 1).ok_or("a time")?;
        engine.push("login", "cpu_usage", time, f64::NAN)?;
    }
    let events = engine.advance(at(17))?;
    let counters = *engine.counters();
    assert_eq!((counters.refused_names, counters.wrong_rows, counters.ahead), (2, 1, 1));
    assert_eq!((counters.duplicate_rows, counters.unknown_metrics), (1, 1));
    assert_eq!((counters.refused_samples, counters.refused_services, counters.out_of_range), (5, 1, 10));
    assert_eq!(engine.view().services.len(), 3);
    let cart = events.iter().find_map(|event| match &event.body {
        EventBody::Score(score) if score.service == "cart" && !score.shadow => {
            Some((event.time, score.cannot_tell))
        }
        _ => None,
    });
    assert_eq!(cart, Some((at(15), Some(CannotTell::MissingRow))));
    Ok(())
}

#[test]
fn a_wrong_unit_a_dead_source_and_silence_are_told_apart() -> Result<(), BoxError> {
    let mut engine = engine(EngineConfig { expire_minutes: 30, ..fixed_budget() });
    let frames = shop(30);
    apply_all(&mut engine, rows(&frames[2..]))?;
    engine.advance(at(29))?;
    let mut wrong = frames[2].view().values()[10..20].to_vec();
    wrong[2..5].iter_mut().for_each(|latency| *latency *= 1000.0);
    engine.apply(Input::Row { service: "shop".into(), time: at(30), values: wrong })?;
    let reason = |events: &[Event]| {
        events.iter().find_map(|event| match &event.body {
            EventBody::Score(score) if !score.shadow => score.cannot_tell,
            _ => None,
        })
    };
    assert_eq!(reason(&engine.advance(at(30))?), Some(CannotTell::FarFromTraining));
    assert_eq!(reason(&engine.advance(at(32))?), Some(CannotTell::MissingRow));
    let down = SourceStatus::Down { reason: "connection refused".to_owned() };
    engine.apply(Input::Source { source: "prometheus".into(), status: down.clone() })?;
    assert!(
        engine.apply(Input::Source { source: "prometheus".into(), status: down })?.is_empty(),
        "said once"
    );
    assert_eq!(reason(&engine.advance(at(33))?), Some(CannotTell::SourceDown));
    // After half an hour of silence the service is forgotten; centuries cost nothing then.
    let events = engine.advance("2970-01-01T00:00:00Z".parse()?)?;
    let expired = events.iter().find(|event| matches!(event.body, EventBody::ServiceExpired { .. }));
    assert_eq!(expired.map(|event| event.time), Some(at(60)));
    assert!(engine.view().services.is_empty() && engine.counters().minutes == 61);
    let later: Timestamp = "2970-01-01T00:00:00Z".parse()?;
    engine.apply(Input::Row { service: "shop".into(), time: later, values: vec![1.0; 10] })?;
    assert!(engine.advance(later.checked_add(Step::MINUTE, 1).ok_or("a time")?)?.len() >= 4);
    Ok(())
}

#[test]
fn warnings_fire_resolve_and_belong_to_one_incident() -> Result<(), BoxError> {
    let mut engine = engine(fixed_budget());
    let calls = vec![("shop".to_owned(), "cart".to_owned()), ("cart".to_owned(), "login".to_owned())];
    engine.apply(Input::Graph { calls })?;
    assert!(engine.apply(Input::Graph { calls: vec![("a".into(), "a".into())] }).is_err());
    let events = apply_all(&mut engine, rows(&shop(3 * 1440)))?;
    let warnings = || {
        events.iter().filter_map(|event| match &event.body {
            EventBody::Warning(warning) => Some((event.time, warning)),
            _ => None,
        })
    };
    let mut open = std::collections::BTreeMap::new();
    let mut fired = 0;
    for (time, warning) in warnings() {
        match warning.state {
            WarningState::Firing => {
                fired += 1;
                assert_eq!(warning.id, format!("w:{}:{time}", warning.service));
                assert!(
                    !warning.evidence.is_empty()
                        && warning.evidence.len() <= 5
                        && !warning.recommendation.text.is_empty()
                );
                assert!(open.insert(warning.service.clone(), (warning.id.clone(), warning.level)).is_none());
            }
            WarningState::Resolved => {
                let was = open.remove(&warning.service).ok_or("it fired")?;
                assert_eq!(was, (warning.id.clone(), warning.level));
            }
            WarningState::Pending => return Err("a policy of one vote waits for nothing".into()),
        }
    }
    let incidents = |state| {
        events
            .iter()
            .filter(|event| matches!(&event.body, EventBody::Incident(i) if i.state == state))
            .count()
    };
    let (opened, closed) = (incidents(IncidentState::Opened), incidents(IncidentState::Closed));
    assert!(fired > 20 && opened < fired && closed >= opened - 1 && opened > 2, "{fired} {opened} {closed}");
    let confirmed = events.iter().filter_map(|event| match &event.body {
        EventBody::Failure(failure) if failure.state == FailureState::Confirmed => Some(&failure.id),
        _ => None,
    });
    let confirmed: Vec<_> = confirmed.collect();
    let ended = events.iter().filter(|event| match &event.body {
        EventBody::Failure(failure) => {
            failure.state == FailureState::Ended && confirmed.contains(&&failure.id)
        }
        _ => false,
    });
    assert!(ended.count() + 3 >= confirmed.len() && confirmed.len() > 5);
    Ok(())
}

#[test]
fn an_operator_acts_silences_and_promotes() -> Result<(), BoxError> {
    let mut engine = engine(fixed_budget());
    let (mut acted, mut outcomes) = (0, Vec::new());
    for input in rows(&shop(2 * 1440)) {
        for event in engine.apply(input)? {
            match event.body {
                EventBody::Warning(warning) if warning.state == WarningState::Firing => {
                    engine.apply(Input::Action(Action::Acted { warning: warning.id.clone() }))?;
                    engine.apply(Input::Action(Action::Acknowledge { warning: warning.id }))?;
                    acted += 1;
                }
                EventBody::Outcome(outcome) if !outcome.shadow => outcomes.push(outcome.outcome),
                _ => {}
            }
        }
    }
    let count = |kind| outcomes.iter().filter(|&&outcome| outcome == kind).count();
    assert!(
        acted > 5 && count(OutcomeKind::Averted) > 3 && count(OutcomeKind::False) == 0,
        "{acted} {outcomes:?}"
    );
    let unknown =
        engine.apply(Input::Action(Action::Acted { warning: "w:cart:1970-01-01T00:00:00Z".into() }));
    assert!(matches!(unknown, Err(LiveError::Unknown { what: "open warning", .. })));
    let silence =
        |service: &str| Input::Action(Action::Silence { service: service.into(), until: at(99_999) });
    assert!(engine.apply(silence("cart")).is_ok() && engine.apply(silence("nowhere")).is_err());
    let promote =
        |model: &str| Input::Action(Action::Promote { model: model.into(), reason: "better".into() });
    assert!(engine.apply(promote("absent")).is_err() && engine.apply(promote("shadow")).is_ok());
    assert_eq!(engine.view().models[0].name, "shadow");
    Ok(())
}

#[test]
fn another_programs_alert_makes_a_hit_of_what_the_rule_did_not_see() -> Result<(), BoxError> {
    let alert = |service: &str, state, since| Input::Alert {
        service: service.into(),
        alert: "HighErrorRate".into(),
        state,
        since,
    };
    let mut engine = engine(fixed_budget());
    let unknown = engine.apply(alert("nowhere", AlertState::Firing, at(1)));
    assert!(matches!(unknown, Err(LiveError::Unknown { what: "service", .. })));
    let (mut told, mut outcomes) = (0, Vec::new());
    for input in rows(&shop(2 * 1440)) {
        let events = engine.apply(input)?;
        // A warning in the middle of a failure is judged at once, and no alert speaks for it any more.
        let late: Vec<String> = events
            .iter()
            .filter_map(|event| match &event.body {
                EventBody::Outcome(outcome) if !outcome.shadow => outcome.warning.clone(),
                _ => None,
            })
            .collect();
        for event in events {
            match event.body {
                EventBody::Warning(warning) if warning.state == WarningState::Firing => {
                    // A minute after the warning; told again, as programs do, and over.
                    let since = warning.since.checked_add(Step::MINUTE, 1).unwrap();
                    let events = engine.apply(alert(&warning.service, AlertState::Firing, since))?;
                    let [Event { body: EventBody::Alert(event), .. }] = &events[..] else {
                        panic!("{events:?}")
                    };
                    let open = (!late.contains(&warning.id)).then_some(&warning.id);
                    assert_eq!((event.warning.as_ref(), event.lead_minutes), (open, open.map(|_| 1.0)));
                    assert!(engine.apply(alert(&warning.service, AlertState::Firing, since))?.is_empty());
                    assert_eq!(engine.apply(alert(&warning.service, AlertState::Resolved, since))?.len(), 1);
                    assert!(engine.apply(alert(&warning.service, AlertState::Resolved, since))?.is_empty());
                    told += 1;
                }
                EventBody::Outcome(outcome) if !outcome.shadow => outcomes.push(outcome),
                _ => {}
            }
        }
    }
    let count = |kind| outcomes.iter().filter(|outcome| outcome.outcome == kind).count();
    assert!(told > 5 && count(OutcomeKind::Hit) > 5 && count(OutcomeKind::False) == 0, "{told} {outcomes:?}");
    let hits = outcomes.iter().filter(|outcome| outcome.outcome == OutcomeKind::Hit);
    assert!(hits.clone().all(|hit| hit.onset.is_some() && hit.lead_minutes >= Some(1.0)));
    // One that began before the warning does not speak for it, and a hundred are enough.
    for number in 0..150 {
        let (alert, service) = (format!("a{number}"), "cart".to_owned());
        engine.apply(Input::Alert { service, alert, state: AlertState::Firing, since: at(0) })?;
    }
    assert_eq!(engine.counters().refused_alerts, 50);
    Ok(())
}

#[test]
fn the_budget_holds_where_a_static_threshold_does_not() -> Result<(), BoxError> {
    let run = |mode| -> Result<(u64, f64), BoxError> {
        let budget = BudgetSettings { per_service_week: 14.0, mode, ..BudgetSettings::default() };
        let mut engine = Engine::new(
            EngineConfig { budget, ..EngineConfig::default() },
            EngineModels::new("m", other_model()),
        )?;
        apply_all(&mut engine, rows(&shop(14 * 1440)))?;
        let model = &engine.view().models[0];
        Ok((u64::from(model.ledger.hits), model.realised_per_service_week.ok_or("a rate")?))
    };
    let (_, fixed) = run(BudgetMode::Static)?;
    let (hits, held) = run(BudgetMode::Adaptive)?;
    assert!(
        fixed > 3.0 * 14.0 && held < 1.5 * 14.0 && held > 0.5 * 14.0 && hits > 0,
        "{fixed} {held} {hits}"
    );
    Ok(())
}

#[test]
fn models_and_settings_that_do_not_go_together_are_refused() {
    let twice = EngineModels::new("a", model()).with_shadow("a", other_model());
    assert!(matches!(Engine::new(EngineConfig::default(), twice), Err(LiveError::Models { .. })));
    let wrong = EngineConfig { far_factor: f32::NAN, ..EngineConfig::default() };
    assert!(matches!(
        Engine::new(wrong, models()),
        Err(LiveError::InvalidSetting { name: "far_factor", .. })
    ));
    let rule = Some("queue > 5 for 2 steps".parse().unwrap());
    let error = Engine::new(EngineConfig { rule, ..EngineConfig::default() }, models()).unwrap_err();
    assert!(error.to_string().contains("queue"), "{error}");
}

#[test]
fn a_service_among_many_is_told_of_as_one_alone() -> Result<(), BoxError> {
    const SERVICES: usize = 600;
    const MINUTES: usize = 90;
    let walk = walk("any", 3 * 1440, 11);
    let (view, width) = (walk.view(), Schema::v1().len());
    let rows = |numbers: &[usize]| {
        let row = |minute: usize, number: usize| {
            let place = (number * 7 + minute) * width;
            let (service, values) = (format!("s{number:03}"), view.values()[place..place + width].to_vec());
            Input::Row { service, time: at(minute as i64), values }
        };
        let minutes = 0..MINUTES;
        minutes.flat_map(|minute| numbers.iter().map(move |&number| row(minute, number))).collect::<Vec<_>>()
    };
    // How serious a score is depends on the fleet, and so does the number of an event.
    let told = |events: &[Event], service: &str| -> Vec<String> {
        let of_service = events.iter().filter_map(|event| match &event.body {
            EventBody::Row(row) if row.service == *service => Some(format!("{} {row:?}", event.time)),
            EventBody::Score(score) if score.service == *service => Some(format!(
                "{} {} {:?} {:?}",
                event.time, score.model, score.probability, score.cannot_tell
            )),
            EventBody::Warning(one) if one.service == service => {
                Some(format!("{} {} {:?} {:?}", event.time, one.id, one.state, one.evidence))
            }
            EventBody::Failure(one) if one.service == service => Some(format!("{} {one:?}", event.time)),
            EventBody::Outcome(one) if one.service == service => Some(format!("{} {one:?}", event.time)),
            _ => None,
        });
        of_service.collect()
    };
    let all: Vec<usize> = (0..SERVICES).collect();
    let events = apply_all(&mut engine(fixed_budget()), rows(&all))?;
    let mut warnings = 0;
    for number in (0..SERVICES).step_by(17).chain([254, 256, 257, 511, 512, 599]) {
        let service = format!("s{number:03}");
        let alone = apply_all(&mut engine(fixed_budget()), rows(&[number]))?;
        let expected = told(&alone, &service);
        assert!(expected.len() > 2 * MINUTES, "{service}: {}", expected.len());
        assert_eq!(told(&events, &service), expected, "{service}");
        warnings += alone.iter().filter(|event| matches!(event.body, EventBody::Warning(_))).count();
    }
    assert!(warnings > 0, "none of them had a warning");
    Ok(())
}
