//! Events for tests of the ways out.

use forewarn_label::{SloLevel, WindowBurn};
use forewarn_live::{
    Counters, EngineView, Event, EventBody, EvidenceItem, LedgerCounts, ProbableKind, Recommendation,
    RiskLevel, ScoreEvent, ServiceView, SloEvent, SourceStatus, WarningEvent, WarningState,
};
use forewarn_schema::Timestamp;

/// A time of both clocks.
pub(crate) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000).unwrap()
}

/// Seconds after a minute.
pub(crate) fn second(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000).unwrap()
}

/// A warning of a service that was raised in this minute.
pub(crate) fn warning(service: &str, since: i64) -> WarningEvent {
    let item = |metric: &str, view: &str, value, normal| EvidenceItem {
        metric: metric.to_owned(),
        view: view.to_owned(),
        value,
        normal,
        deviations: None,
        log_odds: 1.0,
    };
    WarningEvent {
        id: format!("w:{service}:{}", minute(since)),
        service: service.to_owned(),
        state: WarningState::Firing,
        since: minute(since),
        model: "main".to_owned(),
        probability: Some(0.43),
        threshold: 0.31,
        level: RiskLevel::High,
        kind: ProbableKind::Latency,
        kind_confidence: 0.8,
        root: None,
        evidence: vec![
            item("p99_latency", "last", Some(840.0), Some(210.0)),
            item("error_rate", "mean", Some(0.02), None),
        ],
        minutes_to_failure: Some(4.2),
        recommendation: Recommendation { text: "Look at the pools.".to_owned(), runbook: None },
        incident: None,
        silenced: false,
    }
}

pub(crate) fn event(seq: u64, time: i64, body: EventBody) -> Event {
    Event { seq, time: minute(time), body }
}

pub(crate) fn fires(seq: u64, service: &str, since: i64) -> Event {
    event(seq, since, EventBody::Warning(warning(service, since).into()))
}

pub(crate) fn resolves(seq: u64, service: &str, since: i64, at: i64) -> Event {
    let warning = WarningEvent { state: WarningState::Resolved, ..warning(service, since) };
    event(seq, at, EventBody::Warning(warning.into()))
}

pub(crate) fn source(seq: u64, at: i64, status: SourceStatus) -> Event {
    event(seq, at, EventBody::Source { source: "prometheus".to_owned(), status })
}

pub(crate) fn down() -> SourceStatus {
    SourceStatus::Down { reason: "connection refused".to_owned() }
}

pub(crate) fn score(seq: u64, service: &str, at: i64, probability: Option<f64>) -> Event {
    let score = ScoreEvent {
        service: service.into(),
        model: "main".into(),
        shadow: false,
        probability,
        per_step: None,
        minutes_to_failure: None,
        level: None,
        cannot_tell: None,
    };
    event(seq, at, EventBody::Score(score))
}

/// How an objective of a service stands.
pub(crate) fn slo(service: &str, level: SloLevel) -> SloEvent {
    let burn = |window_minutes, rate| WindowBurn { window_minutes, rate };
    SloEvent {
        service: service.to_owned(),
        slo: "answers".to_owned(),
        target: 0.999,
        period_days: 28,
        level,
        exhausted: false,
        budget_left: Some(0.4),
        burn_rates: vec![burn(60, Some(14.4)), burn(360, Some(6.2)), burn(1440, None)],
        minutes_to_exhaustion: Some(90.0),
    }
}

/// An engine with these services.
pub(crate) fn view(services: Vec<ServiceView>) -> EngineView {
    EngineView {
        next: Some(minute(20)),
        failure_rule: String::new(),
        metrics: Vec::new(),
        services,
        models: Vec::new(),
        incidents: Vec::new(),
        slos: Vec::new(),
        calls: Vec::new(),
        sources: Default::default(),
        counters: Counters::default(),
    }
}

pub(crate) fn service_view(name: &str, warning: Option<String>) -> ServiceView {
    ServiceView {
        name: name.to_owned(),
        row: Vec::new(),
        missing: None,
        heard: minute(19),
        probability: Some(0.5),
        level: Some(RiskLevel::Critical),
        warning,
        pending: None,
        base_rate: 0.0,
        dependents: 0,
        failing_since: None,
        silenced_until: None,
        ledger: LedgerCounts::default(),
    }
}
