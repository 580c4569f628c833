use super::*;
use crate::runtime::{Numbered, Reporter};
use forewarn_live::{
    EventBody, FailureEvent, FailureState, MissingReason, OutcomeEvent, OutcomeKind, RiskLevel, RowEvent,
    ScoreEvent,
};
use forewarn_schema::{Metric, Schema};
use forewarn_store::HistoryOptions;
use std::{collections::BTreeMap, path::Path, sync::Arc};

const DAY: i64 = 1440;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000).unwrap()
}

fn open(folder: &Path) -> HistoryWriter {
    // A metric may have the name of a column.
    let schema = Schema::new(vec![Metric::gauge("latency"), Metric::gauge("service")]).unwrap();
    HistoryWriter::start(folder, HistoryOptions::default(), &schema, Reporter::new().0).unwrap()
}

/// What an engine says of a minute of two services.
fn events(minute: i64) -> Vec<Arc<Numbered>> {
    let mut bodies = Vec::new();
    for service in ["cart", "login"] {
        let missing = (minute % 7 == 0).then_some(MissingReason::ServiceSilent);
        let values = [Some(minute as f32).filter(|_| missing.is_none()), None];
        let values = values.into_iter().collect();
        bodies.push(EventBody::Row(RowEvent { service: service.into(), values, missing }));
        bodies.push(EventBody::Score(ScoreEvent {
            service: service.into(),
            model: "main".into(),
            shadow: false,
            probability: missing.is_none().then_some(0.25),
            per_step: (minute % 3 == 0).then(|| vec![0.5, 0.25]),
            minutes_to_failure: None,
            level: missing.is_none().then_some(RiskLevel::Medium),
            cannot_tell: missing.map(|_| forewarn_live::CannotTell::MissingRow),
        }));
    }
    if minute % 100 == 0 {
        bodies.push(EventBody::Failure(FailureEvent {
            id: format!("f:cart:{minute}"),
            service: "cart".into(),
            state: FailureState::Confirmed,
            onset: at(minute),
            end: None,
        }));
        bodies.push(EventBody::Outcome(Box::new(OutcomeEvent {
            service: "login".into(),
            model: "main".into(),
            shadow: false,
            warning: None,
            alarm: Some(at(minute)),
            onset: None,
            outcome: OutcomeKind::False,
            lead_minutes: None,
            net_lead_minutes: None,
        })));
    }
    let numbered = |(index, body)| {
        Arc::new(Numbered::new(Event { seq: (minute * 10) as u64 + index, time: at(minute), body }))
    };
    (0..).zip(bodies).map(numbered).collect()
}

fn run(writer: &HistoryWriter, minutes: std::ops::Range<i64>) {
    let thresholds = BTreeMap::from([("main".to_owned(), 0.5)]);
    for minute in minutes {
        writer.take(&events(minute), &thresholds);
        if minute % 10 == 9 {
            assert!(writer.flush(at(minute + 1)).recv().unwrap());
        }
    }
}

#[test]
fn what_was_said_is_read_back_over_days_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let writer = open(folder.path());
    run(&writer, 0..DAY + 500);
    // Five minutes that no file has: a crash takes them, and the journal brings them again.
    run(&writer, DAY + 500..DAY + 505);
    writer.end();
    let writer = open(folder.path());
    run(&writer, DAY + 490..DAY + 510);
    let past = Arc::clone(writer.past());
    assert_eq!(past.span(), Some((at(0), at(DAY + 510))));
    let minutes = past.minutes("cart", (at(5), at(DAY + 505))).unwrap();
    assert_eq!(minutes.len() as i64, DAY + 500);
    for (minute, block) in (5..).zip(&minutes) {
        let row = block.row("cart").unwrap();
        assert!(block.len() == 1 && row.time() == at(minute));
        let score = row.main().unwrap();
        if minute % 7 == 0 {
            assert!(row.values().iter().all(|value| value.is_nan()) && score.probability.is_none());
            assert_eq!(row.missing(), Some(MissingReason::ServiceSilent));
            assert_eq!(score.cannot_tell, Some(forewarn_live::CannotTell::MissingRow));
        } else {
            assert!(row.values()[0] == minute as f32 && row.values()[1].is_nan());
            assert_eq!((score.probability, score.level), (Some(0.25), Some(RiskLevel::Medium)));
        }
        assert_eq!(score.column.threshold, Some(0.5));
        assert_eq!(score.detail.is_some(), minute % 3 == 0);
    }
    let all = (at(0), at(2 * DAY));
    let failures = past.events(Happened::Failures, Some("cart"), all).unwrap();
    assert_eq!(failures.len(), 20);
    assert_eq!(failures[3], events(300)[4].event);
    assert_eq!(past.events(Happened::Outcomes, None, all).unwrap().len(), 20);
    assert!(past.events(Happened::Outcomes, Some("cart"), all).unwrap().is_empty());
    assert!(past.error().is_none() && past.lost() == 0);
    writer.end();
    // However often it was flushed, today has few pieces.
    let names = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
    let rows = names.filter(|name| name.to_string_lossy().starts_with("rows.")).count();
    assert!(rows <= 16, "{rows}");
}
