use super::*;
use forewarn_live::{
    FailureEvent, OutcomeEvent, OutcomeKind, ProbableKind, Recommendation, RiskLevel, RowEvent, ScoreEvent,
    SourceStatus, WarningEvent,
};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000).unwrap()
}

fn event(minute: i64, body: EventBody) -> Event {
    Event { seq: 0, time: at(minute), body }
}

fn row(minute: i64, service: &str, value: f32) -> Event {
    let values = vec![Some(value), None];
    event(minute, EventBody::Row(RowEvent { service: service.into(), values: values.into(), missing: None }))
}

fn score(minute: i64, service: &str, model: &str, probability: f64) -> Event {
    let body = ScoreEvent {
        service: service.into(),
        model: model.into(),
        shadow: model != "main",
        probability: Some(probability),
        per_step: (probability > 0.5).then(|| vec![probability; 2]),
        minutes_to_failure: None,
        level: Some(RiskLevel::Low),
        cannot_tell: None,
    };
    event(minute, EventBody::Score(body))
}

fn warning(minute: i64, state: WarningState) -> Event {
    let body = WarningEvent {
        id: "w:cart:a".to_owned(),
        service: "cart".to_owned(),
        state,
        since: at(3),
        model: "main".to_owned(),
        probability: Some(0.5),
        threshold: 0.25,
        level: RiskLevel::High,
        kind: ProbableKind::Memory,
        kind_confidence: 0.5,
        root: None,
        evidence: Vec::new(),
        minutes_to_failure: None,
        recommendation: Recommendation { text: String::new(), runbook: None },
        incident: None,
        silenced: false,
    };
    event(minute, EventBody::Warning(body.into()))
}

fn limits(most_rows: usize, records: usize) -> RecentConfig {
    RecentConfig { hours: 1, most_rows, records, ..RecentConfig::default() }
}

#[test]
fn rows_and_scores_come_back_by_service_and_minute() {
    let mut recent = Recent::new(limits(1_000, 10));
    let thresholds = BTreeMap::from([("main".to_owned(), 0.25)]);
    let events = [
        row(1, "shop", 2.0),
        row(1, "cart", 1.0),
        score(1, "cart", "old", 0.125),
        score(1, "cart", "main", 0.75),
        row(2, "shop", 3.0),
    ];
    recent.extend(&events, &thresholds);
    assert_eq!(recent.span(), Some((at(1), at(2))));
    let first = recent.minutes(at(0), at(2)).next().unwrap();
    let cart = first.row("cart").unwrap();
    assert_eq!(cart.values()[0], 1.0);
    assert!(cart.values()[1].is_nan());
    let main = cart.main().unwrap();
    assert_eq!((main.probability, main.column.threshold), (Some(0.75), Some(0.25)));
    assert_eq!(main.detail.unwrap().per_step, Some(vec![0.75; 2]));
    let old = cart.scores().nth(1).unwrap();
    assert_eq!((old.probability, old.column.threshold, old.detail), (Some(0.125), None, None));
    let shop = first.row("shop").unwrap();
    assert_eq!((shop.values()[0], shop.main().unwrap().probability), (2.0, None));
    let last = recent.last().unwrap();
    assert!(last.row("cart").is_none() && last.row("shop").unwrap().main().is_none());
}

#[test]
fn hours_and_rows_are_bounded_and_a_clone_stays() {
    let mut recent = Recent::new(limits(1_000_000, 10));
    for minute in 0..200 {
        recent.extend(&[row(minute, "cart", 1.0)], &BTreeMap::new());
    }
    assert_eq!(recent.span(), Some((at(140), at(199))));
    let before = recent.clone();
    recent.extend(&[row(200, "cart", 1.0)], &BTreeMap::new());
    assert_eq!(before.span(), Some((at(140), at(199))));
    assert!(Arc::ptr_eq(before.last().unwrap(), recent.minutes.iter().nth_back(1).unwrap()));
    let names = |block: &MinuteBlock| Arc::clone(block.names());
    assert!(Arc::ptr_eq(&names(before.last().unwrap()), &names(recent.last().unwrap())));

    let mut few = Recent::new(limits(5, 10));
    for minute in 0..4 {
        few.extend(&[row(minute, "cart", 1.0), row(minute, "shop", 1.0)], &BTreeMap::new());
    }
    assert_eq!(few.span(), Some((at(2), at(3))));
}

#[test]
fn a_warning_gathers_what_becomes_of_it() {
    let mut recent = Recent::new(limits(1_000, 2));
    let outcome = OutcomeEvent {
        service: "cart".to_owned(),
        model: "main".to_owned(),
        shadow: false,
        warning: Some("w:cart:a".to_owned()),
        alarm: Some(at(3)),
        onset: Some(at(8)),
        outcome: OutcomeKind::Hit,
        lead_minutes: Some(5.0),
        net_lead_minutes: Some(4.0),
    };
    let failure = FailureEvent {
        id: "f:cart:a".to_owned(),
        service: "cart".to_owned(),
        state: FailureState::Confirmed,
        onset: at(8),
        end: None,
    };
    let ended = FailureEvent { state: FailureState::Ended, end: Some(at(20)), ..failure.clone() };
    let id = "w:cart:a".to_owned();
    let events = [
        warning(3, WarningState::Firing),
        event(4, EventBody::Action(Action::Acknowledge { warning: id.clone() })),
        event(5, EventBody::Action(Action::Acknowledge { warning: id })),
        event(10, EventBody::Failure(failure)),
        event(10, EventBody::Outcome(outcome.clone().into())),
        event(20, EventBody::Failure(ended)),
        warning(21, WarningState::Resolved),
        event(22, EventBody::Source { source: "file".to_owned(), status: SourceStatus::Partial }),
    ];
    recent.extend(&events, &BTreeMap::new());
    let found = recent.warning("w:cart:a").unwrap();
    assert_eq!((found.acknowledged_at, found.acted_at, found.resolved_at), (Some(at(4)), None, Some(at(21))));
    assert_eq!(found.outcome.as_ref(), Some(&outcome));
    let failure = recent.failures().next().unwrap();
    assert_eq!((failure.confirmed_at, failure.event.end), (at(10), Some(at(20))));
    assert_eq!(recent.sources()["file"].since, at(22));
    recent.extend(&vec![event(30, EventBody::Outcome(outcome.into())); 5], &BTreeMap::new());
    assert_eq!(recent.outcomes().count(), 2);
}
