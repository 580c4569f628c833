use crate::chaos::{ChaosExperiment, ChaosPhase};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most faults that are over and still shown.
const MOST_PAST: usize = 1_000;
/// Longest wait before the end of a fault is asked for again.
const MOST_WAIT_SECONDS: i64 = 60;

/// What was asked of a target: a line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HookEntry {
    /// A fault is asked for.
    Begin { id: u32, kind: String, service: String, severity: f64, seconds: f64, at: Timestamp },
    /// The target has refused it: it never began.
    Refused { id: u32 },
    /// Its end is asked for: by a person, or because its time is over.
    End { id: u32, at: Timestamp, stopped: bool },
    /// The target has taken the end.
    Over { id: u32, at: Timestamp },
}

/// A fault of a target.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) id: u32,
    pub(super) kind: String,
    pub(super) service: String,
    pub(super) severity: f64,
    pub(super) seconds: f64,
    started: Timestamp,
    ends: Timestamp,
    over: Option<Timestamp>,
    pub(super) phase: ChaosPhase,
    stopped: bool,
    /// Whether the target has not answered yet: its end waits for that, so that the two cannot overtake each other.
    pub(super) is_starting: bool,
    tries: u32,
    next_try: Timestamp,
}

/// The faults of a target, without network and clock.
#[derive(Debug, Default)]
pub(super) struct Runs {
    all: BTreeMap<u32, Run>,
    last_id: u32,
}

impl Runs {
    /// The faults that a log tells of.
    pub(super) fn of(entries: impl IntoIterator<Item = HookEntry>) -> Self {
        let mut runs = Self::default();
        entries.into_iter().for_each(|entry| runs.apply(&entry));
        runs
    }

    /// An id that was never used.
    pub(super) fn next_id(&self) -> u32 {
        self.last_id.saturating_add(1)
    }

    pub(super) fn apply(&mut self, entry: &HookEntry) {
        match entry {
            HookEntry::Begin { id, kind, service, severity, seconds, at } => {
                self.last_id = self.last_id.max(*id);
                let run = Run {
                    id: *id,
                    kind: kind.clone(),
                    service: service.clone(),
                    severity: *severity,
                    seconds: *seconds,
                    started: *at,
                    ends: later(*at, (seconds * 1e3) as i64),
                    over: None,
                    phase: ChaosPhase::Active,
                    stopped: false,
                    is_starting: false,
                    tries: 0,
                    next_try: *at,
                };
                self.all.insert(*id, run);
            }
            HookEntry::Refused { id } => drop(self.all.remove(id)),
            HookEntry::End { id, at, stopped } => {
                if let Some(run) = self.all.get_mut(id).filter(|run| run.phase == ChaosPhase::Active) {
                    (run.phase, run.ends, run.stopped) = (ChaosPhase::Recovering, *at, *stopped);
                    run.next_try = *at;
                }
            }
            HookEntry::Over { id, at } => {
                if let Some(run) = self.all.get_mut(id) {
                    (run.phase, run.over) = (ChaosPhase::Over, Some(*at));
                }
                let past = self.all.values().filter(|run| run.phase == ChaosPhase::Over).map(|run| run.id);
                let past: Vec<u32> = past.collect();
                for old in past.iter().take(past.len().saturating_sub(MOST_PAST)) {
                    self.all.remove(old);
                }
            }
        }
    }

    pub(super) fn get(&self, id: u32) -> Option<&Run> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Run> {
        self.all.get_mut(&id)
    }

    /// Those that are not over, in order of id.
    pub(super) fn open(&self) -> impl Iterator<Item = &Run> {
        self.all.values().filter(|run| run.phase != ChaosPhase::Over)
    }

    /// Those that are over, the newest first.
    pub(super) fn past(&self) -> impl Iterator<Item = &Run> {
        self.all.values().rev().filter(|run| run.phase == ChaosPhase::Over)
    }

    /// Those whose time is over at `now`.
    pub(super) fn due(&self, now: Timestamp) -> Vec<u32> {
        let due = self.all.values().filter(|run| run.phase == ChaosPhase::Active && run.ends <= now);
        due.map(|run| run.id).collect()
    }

    /// Those whose end is to be asked for at `now`.
    pub(super) fn to_end(&self, now: Timestamp) -> Vec<Run> {
        let waits =
            |run: &&Run| run.phase == ChaosPhase::Recovering && !run.is_starting && run.next_try <= now;
        self.all.values().filter(waits).cloned().collect()
    }
}

impl Run {
    /// The target has not taken its end: it is asked again, later each time.
    pub(super) fn try_later(&mut self, now: Timestamp) {
        let seconds = 1_i64.checked_shl(self.tries).unwrap_or(MOST_WAIT_SECONDS).clamp(1, MOST_WAIT_SECONDS);
        self.tries = self.tries.saturating_add(1).min(16);
        self.next_try = later(now, 1_000 * seconds);
    }

    /// As it is shown at `now`. `reaches` is the services that it may affect.
    pub(super) fn shown(&self, now: Timestamp, reaches: Vec<String>) -> ChaosExperiment {
        let left = (self.ends.millis() - now.millis()).max(0) as f64 / 1e3;
        ChaosExperiment {
            id: self.id,
            kind: self.kind.clone(),
            service: self.service.clone(),
            severity: self.severity,
            seconds: self.seconds,
            phase: self.phase,
            started: self.started,
            ends: self.ends,
            over: self.over.unwrap_or(if self.phase == ChaosPhase::Active { self.ends } else { now }),
            left_seconds: if self.phase == ChaosPhase::Active { left } else { 0.0 },
            stopped: self.stopped,
            reaches,
            warned: None,
            failed: None,
            minutes_ahead: None,
        }
    }
}

fn later(time: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(time.millis().saturating_add(millis)).unwrap_or(time)
}
