//! Events as lines that people read.

use forewarn::{
    live::{
        EventBody, EvidenceItem, FailureState, OutcomeEvent, OutcomeKind, ProbableKind, WarningEvent,
        WarningState,
    },
    prelude::Timestamp,
};

/// What an event is in a story.
pub(super) struct Story;

impl Story {
    /// A line, for what a person on call would want to know.
    pub(super) fn of(event: &EventBody) -> Option<String> {
        match event {
            EventBody::Warning(warning) if warning.state == WarningState::Firing => {
                Some(format!("WARNING  {}", warned(warning)))
            }
            EventBody::Failure(failure) if failure.state == FailureState::Confirmed => {
                Some(format!("FAILURE  {} fails since {}", failure.service, clock(failure.onset)))
            }
            EventBody::Outcome(outcome) if !outcome.shadow => Some(format!("ledger   {}", judged(outcome))),
            _ => None,
        }
    }
}

/// Hour and minute.
pub(super) fn clock(time: Timestamp) -> String {
    time.to_string().get(11..16).unwrap_or("--:--").to_owned()
}

/// A warning in a line: what, how likely, where to look, and why.
pub(super) fn warned(warning: &WarningEvent) -> String {
    let probability = warning.probability.map_or_else(String::new, |p| format!(", {:.0} %", 100.0 * p));
    let kind = kind(warning.kind).map_or_else(String::new, |kind| format!(", looks like {kind}"));
    let root = warning.root.as_ref().map_or_else(String::new, |root| format!("; look at {root} first"));
    let evidence = warning.evidence.first().map_or_else(String::new, |item| format!(" ({})", evidence(item)));
    format!("{} may fail within 5 minutes{probability}{kind}{root}{evidence}", warning.service)
}

fn evidence(item: &EvidenceItem) -> String {
    let number = |value: Option<f32>| value.map(|value| format!("{value:.3}"));
    let values = match (number(item.value), number(item.normal)) {
        (Some(value), Some(normal)) => format!(" {value}, usually {normal}"),
        (Some(value), None) => format!(" {value}"),
        _ => String::new(),
    };
    format!("{} {}{values}", item.metric, item.view)
}

fn kind(kind: ProbableKind) -> Option<&'static str> {
    Some(match kind {
        ProbableKind::Latency => "slow answers",
        ProbableKind::Errors => "failing requests",
        ProbableKind::Cpu => "a busy processor",
        ProbableKind::Memory => "full memory",
        ProbableKind::Traffic => "unusual traffic",
        ProbableKind::Restarts => "restarting pods",
        ProbableKind::Dependency => "trouble in a server that it calls",
        _ => return None,
    })
}

/// An entry of the ledger in a line.
pub(super) fn judged(outcome: &OutcomeEvent) -> String {
    let service = &outcome.service;
    let lead = outcome.lead_minutes.map_or_else(String::new, |lead| format!(", {lead:.0} minutes ahead"));
    match outcome.outcome {
        OutcomeKind::Hit => format!("hit: the warning of {service} was right{lead}"),
        OutcomeKind::Late => format!("late: {service} was failing when the warning came"),
        OutcomeKind::False => format!("false alarm: {service} did not fail"),
        OutcomeKind::Censored => format!("open: whether {service} failed in time is not known"),
        OutcomeKind::Averted => format!("averted: somebody acted on the warning of {service}"),
        OutcomeKind::Detected => format!("detected: a warning came before the failure of {service}"),
        OutcomeKind::Missed => format!("missed: {service} failed without a warning"),
        _ => format!("{service}: {:?}", outcome.outcome),
    }
}
