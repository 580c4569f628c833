//! The ledger over a span, against an evaluation of the same scores, and rows to train on.

use crate::world::*;
use forewarn_core::{BudgetMode, BudgetSettings, FailureRule, Score};
use forewarn_eval::{BlockBootstrap, Events, ScoredSeries, ScoredSet};
use forewarn_live::{
    ActedOn, Action, Engine, EngineConfig, Event, EventBody, Input, LedgerBook, LedgerQuery, OutcomeKind,
    TrainingRows, WarningState,
};
use forewarn_schema::{Frame, Schema, Step, Timestamp};

const DAYS: usize = 8;

fn frames() -> Vec<Frame> {
    [("cart", 1), ("login", 2), ("shop", 3)].map(|(name, seed)| walk(name, DAYS * 1440, seed)).into()
}

fn config() -> EngineConfig {
    let budget = BudgetSettings { mode: BudgetMode::Static, ..BudgetSettings::default() };
    EngineConfig { budget, ..EngineConfig::default() }
}

fn book(events: &[Event]) -> LedgerBook {
    let mut book = LedgerBook::new(Step::MINUTE);
    events.iter().for_each(|event| book.take(event));
    book
}

/// Scores of a model before a time, with the failures of the whole frame, as an evaluation takes them.
fn evaluated(engine: &Engine, events: &[Event], model: &str, end: Timestamp) -> Result<Events, BoxError> {
    let mut series = Vec::new();
    for frame in frames() {
        let view = frame.view();
        let scored: Vec<(Timestamp, f64)> = events
            .iter()
            .filter(|event| event.time < end)
            .filter_map(|event| match &event.body {
                EventBody::Score(score) if score.service == view.service() && score.model == model => {
                    Some((event.time, score.probability?))
                }
                _ => None,
            })
            .collect();
        let scores = scored.iter().map(|&(_, score)| Score::new(score as f32));
        let scores = scores.collect::<Result<Vec<_>, _>>()?;
        let times: Vec<_> = scored.iter().map(|&(time, _)| time).collect();
        let (positive, episodes) = (vec![false; times.len()], engine.rule().assess(view)?.episodes);
        series.push(ScoredSeries::new(view.service(), times, scores, positive, episodes)?);
    }
    let served = if model == "main" { crate::world::model() } else { other_model() };
    let set = ScoredSet::new(served.window(), Step::MINUTE, series)?;
    Ok(Events::new(&set, served.policy().ok_or("a policy")?))
}

#[test]
fn a_replay_has_the_figures_of_its_evaluation() -> Result<(), BoxError> {
    let mut engine = Engine::new(config(), models())?;
    let events = apply_all(&mut engine, rows(&frames()))?;
    let (book, bootstrap) = (book(&events), BlockBootstrap::default());
    assert_eq!(book.models().collect::<Vec<_>>(), ["main", "shadow"]);
    let end = at((DAYS as i64 - 1) * 1440);
    for model in ["main", "shadow"] {
        let expected = evaluated(&engine, &events, model, end)?.totals();
        let query = LedgerQuery { model: Some(model.into()), to: Some(end), ..LedgerQuery::default() };
        let found = book.figures(&query, &bootstrap);
        let alarms = (found.hits, found.late, found.false_alarms);
        let right = expected.alarms - expected.false_alarms - expected.late_alarms;
        assert_eq!(alarms, (right, expected.late_alarms, expected.false_alarms), "{model}");
        assert_eq!((found.detected, found.detected + found.missed), (expected.caught(), expected.episodes));
        let close = |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| (a - b).abs() < 1e-9);
        let rate = found.false_alarms_per_service_week.ok_or("a rate")?;
        assert!(close(rate.value, expected.false_alarms_per_service_day().map(|rate| 7.0 * rate)));
        let (precision, recall) = (found.precision.ok_or("a share")?, found.recall.ok_or("a share")?);
        assert!(close(precision.value, expected.alarm_precision()) && close(recall.value, expected.recall()));
        for estimate in [rate, precision, recall] {
            let interval = estimate.interval.ok_or("an interval of seven days")?;
            assert!(
                estimate.value.is_some_and(|value| interval.contains(value)) && interval.low < interval.high
            );
        }
        let leads = forewarn_eval::LeadTimes::new(expected.leads_minutes.clone());
        assert_eq!(found.median_lead_minutes, leads.median);
        assert!(found.hits > 10 && found.false_alarms > 10 && found.missed > 3, "{found:?}");
    }
    Ok(())
}

#[test]
fn services_spans_and_kinds_add_up() -> Result<(), BoxError> {
    let mut engine = Engine::new(config(), models())?;
    let book = book(&apply_all(&mut engine, rows(&frames()))?);
    let bootstrap = BlockBootstrap::default();
    let all = book.figures(&LedgerQuery::default(), &bootstrap);
    let sum = |parts: Vec<LedgerQuery>| {
        let figures = parts.iter().map(|query| book.figures(query, &bootstrap));
        figures.fold((0, 0, 0.0), |sum, part| {
            (sum.0 + part.hits, sum.1 + part.false_alarms, sum.2 + part.service_weeks)
        })
    };
    let services = ["cart", "login", "shop"]
        .map(|service| LedgerQuery { service: Some(service.into()), ..LedgerQuery::default() });
    let halves = [
        LedgerQuery { to: Some(at(4 * 1440)), ..LedgerQuery::default() },
        LedgerQuery { from: Some(at(4 * 1440)), ..LedgerQuery::default() },
    ];
    for parts in [services.to_vec(), halves.to_vec()] {
        let (hits, false_alarms, weeks) = sum(parts);
        assert_eq!((hits, false_alarms), (all.hits, all.false_alarms));
        assert!((weeks - all.service_weeks).abs() < 1e-9);
    }
    let kinds = [
        forewarn_live::ProbableKind::Latency,
        forewarn_live::ProbableKind::Errors,
        forewarn_live::ProbableKind::Cpu,
        forewarn_live::ProbableKind::Memory,
        forewarn_live::ProbableKind::Traffic,
        forewarn_live::ProbableKind::Restarts,
        forewarn_live::ProbableKind::Dependency,
        forewarn_live::ProbableKind::Unknown,
    ];
    let kinds = kinds.map(|kind| LedgerQuery { kind: Some(kind), ..LedgerQuery::default() });
    assert_eq!(sum(kinds.to_vec()).0, all.hits);
    assert!(book.figures(&kinds[0], &bootstrap).recall.is_none());
    let nothing = LedgerQuery { model: Some("unheard".into()), ..LedgerQuery::default() };
    assert_eq!(book.figures(&nothing, &bootstrap), Default::default());
    let mut later = book.clone();
    later.forget_before(at(4 * 1440));
    assert_eq!(later.figures(&LedgerQuery::default(), &bootstrap), book.figures(&halves[1], &bootstrap));
    // The shadow alarms more often: it detects more, and its false alarms decide.
    let compare = |budget| book.compare("main", "shadow", &LedgerQuery::default(), budget, &bootstrap);
    let strict = compare(1.0).ok_or("both scored")?;
    assert!(!strict.promote && strict.reason.contains("not shown to be better"), "{}", strict.reason);
    let lavish = compare(1e9).ok_or("both scored")?;
    assert_eq!(lavish.promote, lavish.recall_difference.interval.is_some_and(|interval| interval.low > 0.0));
    assert!(book.compare("main", "unheard", &LedgerQuery::default(), 1.0, &bootstrap).is_none());
    Ok(())
}

#[test]
fn rows_to_train_on_lack_what_an_operator_prevented() -> Result<(), BoxError> {
    let frames = frames();
    let mut engine = Engine::new(config(), models())?;
    let (mut events, mut acted) = (Vec::new(), 0);
    for input in rows(&frames) {
        let came = engine.apply(input)?;
        for event in &came {
            if let EventBody::Warning(warning) = &event.body
                && warning.state == WarningState::Firing
            {
                engine.apply(Input::Action(Action::Acted { warning: warning.id.clone() }))?;
                acted += 1;
            }
        }
        events.extend(came);
    }
    let made = |acted_on| -> Result<_, BoxError> {
        let mut rows = TrainingRows::new(&Schema::v1(), Step::MINUTE, model().window(), acted_on);
        events.iter().try_for_each(|event| rows.take(event))?;
        Ok(rows.finish()?)
    };
    let (kept, _) = made(ActedOn::Kept)?;
    for (frame, expected) in kept.frames().zip(&frames) {
        // The last minute is open.
        let expected = &expected.view().values()[..frame.values().len()];
        assert!(frame.values().iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert_eq!(frame.rows(), DAYS * 1440 - 1);
    }
    let (left, counts) = made(ActedOn::LeftOut)?;
    let averted: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            EventBody::Outcome(outcome) if outcome.outcome == OutcomeKind::Averted => outcome.alarm,
            _ => None,
        })
        .collect();
    assert!(acted > 20 && averted.len() as u64 == counts.averted_warnings && averted.len() > 10);
    let missing = left.values().chunks_exact(10).filter(|row| row.iter().all(|value| value.is_nan())).count();
    assert!(missing as u64 <= counts.averted_rows && missing > 4 * averted.len(), "{missing} {counts:?}");
    Ok(())
}

#[test]
fn rows_to_train_on_have_what_came_too_late_for_a_score() -> Result<(), BoxError> {
    let frames: Vec<_> = frames().iter().map(|frame| walk(frame.view().service(), 300, 5)).collect();
    let mut engine = Engine::new(config(), models())?;
    let mut made = TrainingRows::new(&Schema::v1(), Step::MINUTE, model().window(), ActedOn::LeftOut);
    let mut take = |input: Input| -> Result<(), BoxError> {
        made.take_late(&input);
        engine.apply(input)?.iter().try_for_each(|event| Ok(made.take(event)?))
    };
    // Every seventh row of one service comes when the hour is over.
    let is_held = |input: &Input| match input {
        Input::Row { service, time, .. } => service == "login" && (time.millis() / 60_000) % 7 == 6,
        _ => false,
    };
    let (mut held, mut late) = (Vec::new(), 0);
    for input in rows(&frames) {
        if is_held(&input) {
            held.push(input);
            continue;
        }
        if let Input::Row { service, time, .. } = &input
            && service == "cart"
        {
            take(Input::Advance { now: *time })?;
            if time.millis() % 3_600_000 == 0 {
                late += held.len() as u64;
                held.drain(..).try_for_each(&mut take)?;
            }
        }
        take(input)?;
    }
    // These two are refused: a value is there, and the time is before the first row.
    let sample = |time: i64| Input::Sample {
        service: "login".into(),
        metric: "cpu_usage".into(),
        time: at(time),
        value: 0.5,
    };
    take(sample(8))?;
    take(sample(-8))?;
    assert_eq!(engine.counters().late, late + 2);
    let (found, counts) = made.finish()?;
    assert_eq!((counts.missing_rows, counts.late_values), (held.len() as u64 + late, late * 10));
    assert_eq!(counts.late_values_left_out, 2);
    let (mut same, mut missing) = (0, 0);
    for (frame, expected) in found.frames().zip(&frames) {
        for (a, b) in frame.values().iter().zip(expected.view().values()) {
            same += usize::from(a.to_bits() == b.to_bits());
            missing += usize::from(a.is_nan());
        }
    }
    let values: usize = found.frames().map(|frame| frame.values().len()).sum();
    assert_eq!((missing, same), (held.len() * 10, values - missing));
    Ok(())
}

#[test]
fn calibration_counts_what_followed_each_score() -> Result<(), BoxError> {
    let mut engine = Engine::new(config(), models())?;
    let events = apply_all(&mut engine, rows(&frames()))?;
    let window = crate::world::model().window();
    let mut book = LedgerBook::new(Step::MINUTE).with_window("main", window);
    events.iter().for_each(|event| book.take(event));
    let bins = book.calibration(&LedgerQuery::default());
    assert!(bins.len() > 3 && bins.windows(2).all(|pair| pair[0].predicted < pair[1].predicted), "{bins:?}");
    // The same from whole frames.
    let (mut scores, mut followed, mut sum) = (0, 0, 0.0);
    for frame in frames() {
        let view = frame.view();
        let episodes = engine.rule().assess(view)?.episodes;
        for event in &events {
            let EventBody::Score(score) = &event.body else { continue };
            let is_final = event.time < at((DAYS as i64) * 1440 - 25);
            let Some(probability) = score.probability.filter(|_| is_final) else { continue };
            if score.service != view.service() || score.model != "main" {
                continue;
            }
            let time = event.time;
            if episodes.iter().any(|episode| episode.onset() <= time && time < episode.end()) {
                continue;
            }
            let minutes = |steps: usize| time.checked_add(Step::MINUTE, steps as i64).unwrap_or(time);
            let (opens, ends) = (minutes(window.lead()), minutes(window.horizon()));
            let follows = episodes.iter().any(|one| opens < one.onset() && one.onset() <= ends);
            (scores, followed, sum) = (scores + 1, followed + u64::from(follows), sum + probability);
        }
    }
    let all: u64 = bins.iter().map(|bin| bin.count).sum();
    let failures: u64 = bins.iter().map(|bin| bin.failures).sum();
    let predicted: f64 = bins.iter().map(|bin| bin.predicted * bin.count as f64).sum();
    // The last minutes are not judged yet by one or the other.
    assert!(
        all.abs_diff(scores) <= 60 && failures.abs_diff(followed) <= 3,
        "{all} {scores} {failures} {followed}"
    );
    assert!((predicted - sum).abs() < 1.0 && failures > 50, "{predicted} {sum}");
    // Days add up, and a model whose window is not known has none.
    let half = |from: Option<i64>, to: Option<i64>| {
        let query = LedgerQuery { from: from.map(at), to: to.map(at), ..LedgerQuery::default() };
        book.calibration(&query).iter().map(|bin| bin.count).sum::<u64>()
    };
    assert_eq!(half(None, Some(4 * 1440)) + half(Some(4 * 1440), None), all);
    let query = LedgerQuery { model: Some("shadow".into()), ..LedgerQuery::default() };
    assert!(book.calibration(&query).is_empty());
    Ok(())
}
