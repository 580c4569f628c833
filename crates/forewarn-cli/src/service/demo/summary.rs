//! What happened, what was warned and what became of it, in words.

use super::story::{clock, judged, warned};
use forewarn::{live::OutcomeKind, prelude::Timestamp};
use forewarn_server::{
    chaos::{ChaosControl, ChaosExperiment, ChaosPhase},
    runtime::Snapshot,
};
use std::fmt::Write;

/// Most lines of the course of events.
const MOST_LINES: usize = 40;

/// The time from `from` on, as text.
pub(super) fn summary(snapshot: &Snapshot, chaos: Option<&dyn ChaosControl>, from: Timestamp) -> String {
    let to = snapshot.last_row.unwrap_or(from);
    if to <= from {
        return format!("Ended while the day before {from} was replayed: nothing was simulated yet.");
    }
    let mut lines = Lines::default();
    let experiments = chaos.map(injected).unwrap_or_default();
    for one in &experiments {
        lines.push(one.started, 0, format!("injected {} into {}", one.kind.replace('_', " "), one.service));
    }
    for warning in snapshot.recent.warnings().filter(|warning| warning.event.since > from) {
        lines.push(warning.event.since, 1, format!("WARNING  {}", warned(&warning.event)));
    }
    for failure in snapshot.recent.failures().filter(|failure| failure.event.onset > from) {
        lines.push(failure.event.onset, 2, format!("FAILURE  {} begins to fail", failure.event.service));
    }
    for entry in snapshot.recent.outcomes().filter(|entry| entry.time > from && !entry.event.shadow) {
        lines.push(entry.time, 3, format!("ledger   {}", judged(&entry.event)));
    }
    let minutes = (to.millis() - from.millis()) / 60_000;
    let mut text = format!("{minutes} minutes of the simulated shop, {} to {to}\n\n{}", from, lines.text());
    for one in &experiments {
        let _ = writeln!(text, "{}", verdict(one));
    }
    let _ = writeln!(text, "\nIn these {minutes} minutes: {}", Counts::of(snapshot, from).text());
    let whole = Counts::of(snapshot, Timestamp::EPOCH);
    let _ = writeln!(text, "With the day before:    {}", whole.text());
    if let Some(model) = snapshot.view.models.first() {
        let rate =
            model.realised_per_service_week.map_or_else(String::new, |rate| format!(", {rate:.1} so far"));
        let _ = write!(
            text,
            "Model {}, at a budget of {} false alarms per service and week{rate}.",
            model.name, model.budget_per_service_week
        );
    }
    text
}

/// Experiments that have begun, in order of their beginning.
fn injected(chaos: &dyn ChaosControl) -> Vec<ChaosExperiment> {
    let state = chaos.state();
    let mut all: Vec<ChaosExperiment> = state.active.into_iter().chain(state.past).collect();
    all.retain(|one| one.phase != ChaosPhase::Waiting);
    all.sort_by_key(|one| (one.started, one.id));
    all
}

/// What became of an injection.
fn verdict(one: &ChaosExperiment) -> String {
    let name = format!("The {} in {} at {}", one.kind.replace('_', " "), one.service, clock(one.started));
    match (&one.warned, one.failed, one.minutes_ahead) {
        (Some(_), Some(failed), Some(ahead)) if ahead > 0.0 => {
            format!("{name} was announced {ahead:.0} minutes before the first failure, at {}.", clock(failed))
        }
        (Some(_), Some(failed), _) => {
            format!("{name} was announced too late for the first failure, at {}.", clock(failed))
        }
        (Some(_), None, _) => format!("{name} was announced, and nothing failed."),
        (None, Some(failed), _) => format!("{name} was missed: the first failure was at {}.", clock(failed)),
        (None, None, _) => format!("{name} broke nothing so far, and nothing was warned."),
    }
}

/// Verdicts of a span.
#[derive(Default)]
struct Counts {
    failures: usize,
    hit: usize,
    late: usize,
    wrong: usize,
    missed: usize,
    detected: usize,
    other: usize,
    leads: Vec<f64>,
}

impl Counts {
    fn of(snapshot: &Snapshot, from: Timestamp) -> Self {
        let mut counts = Self {
            failures: snapshot.recent.failures().filter(|failure| failure.event.onset > from).count(),
            ..Self::default()
        };
        for entry in snapshot.recent.outcomes().filter(|entry| entry.time > from && !entry.event.shadow) {
            let count = match entry.event.outcome {
                OutcomeKind::Hit => &mut counts.hit,
                OutcomeKind::Late => &mut counts.late,
                OutcomeKind::False => &mut counts.wrong,
                OutcomeKind::Missed => &mut counts.missed,
                OutcomeKind::Detected => &mut counts.detected,
                _ => &mut counts.other,
            };
            *count += 1;
            if entry.event.outcome == OutcomeKind::Hit {
                counts.leads.extend(entry.event.lead_minutes);
            }
        }
        counts.leads.sort_by(f64::total_cmp);
        counts
    }

    fn text(&self) -> String {
        let lead = self.leads.get(self.leads.len() / 2);
        let lead = lead.map_or_else(String::new, |lead| format!(" (a median {lead:.0} minutes ahead)"));
        format!(
            "{} failures, {} detected and {} missed; warnings: {} hits{lead}, {} late, {} false alarms, {} open.",
            self.failures, self.detected, self.missed, self.hit, self.late, self.wrong, self.other
        )
    }
}

/// The course of events.
#[derive(Default)]
struct Lines(Vec<(Timestamp, u8, String)>);

impl Lines {
    fn push(&mut self, time: Timestamp, rank: u8, line: String) {
        self.0.push((time, rank, line));
    }

    fn text(mut self) -> String {
        self.0.sort();
        let left_out = self.0.len().saturating_sub(MOST_LINES);
        let mut text = String::new();
        for (time, _, line) in self.0.iter().skip(left_out) {
            let _ = writeln!(text, "{}  {line}", clock(*time));
        }
        if left_out > 0 {
            text = format!("({left_out} earlier lines are left out)\n{text}");
        }
        text + "\n"
    }
}
