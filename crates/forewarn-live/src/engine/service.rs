use super::{
    MissingReason, Name, SourceStatus, inbox::CounterState, normal::Normal, risk::Onsets, slos::Followed,
};
use crate::LiveError;
use forewarn_label::{Rule, RuleState};
use forewarn_schema::{Schema, Step, Timestamp};
use std::collections::BTreeMap;

/// What an engine knows of one service, whatever the model.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) name: Name,
    pub(super) rule: RuleState,
    pub(super) counters: CounterState,
    /// The last minute of which something came.
    pub(super) heard: Timestamp,
    /// Whether that was a whole row, or several minutes were heard of.
    pub(super) has_row: bool,
    /// Samples that came late since that was last said.
    pub(super) late: u64,
    pub(super) silenced_until: Option<Timestamp>,
    /// The failure that goes on: its onset as it was known when it was confirmed.
    pub(super) failing: Option<Timestamp>,
    /// Why the last row, or something of it, is missing.
    pub(super) missing: Option<MissingReason>,
    pub(super) onsets: Onsets,
    pub(super) normal: Normal,
    pub(super) slos: Vec<Followed>,
    /// Alerts of other programs that fire, and since when.
    pub(super) alerts: BTreeMap<String, Timestamp>,
}

impl Service {
    pub(super) fn new(
        name: Name,
        rule: &Rule,
        (metrics, step): (&Schema, Step),
        start: Timestamp,
    ) -> Result<Self, LiveError> {
        Ok(Self {
            rule: RuleState::new(rule, metrics, start, step)?,
            counters: vec![None; metrics.len()],
            heard: start,
            has_row: false,
            late: 0,
            silenced_until: None,
            failing: None,
            missing: None,
            onsets: Onsets::default(),
            normal: Normal::default(),
            slos: Vec::new(),
            alerts: BTreeMap::new(),
            name,
        })
    }

    /// Whether it has nothing more to say of the minute `next`.
    pub(super) fn has_reported(&self, next: Timestamp) -> bool {
        self.heard > next || (self.heard == next && self.has_row)
    }
}

/// Why a row is missing, or what needs requests in it.
pub(super) fn missing_reason(
    row: &[f32],
    requests: Option<usize>,
    (came, out_of_range): (bool, u64),
    sources: &BTreeMap<String, SourceStatus>,
) -> Option<MissingReason> {
    let has_gap = row.iter().any(|value| value.is_nan());
    if has_gap && requests.is_some_and(|column| row[column] == 0.0) {
        return Some(MissingReason::NoTraffic);
    }
    if row.iter().any(|value| !value.is_nan()) {
        return None;
    }
    if out_of_range > 0 {
        return Some(MissingReason::OutOfRange);
    }
    let is_down = |status: &SourceStatus| matches!(status, SourceStatus::Down { .. });
    let source_down = !came && sources.values().any(is_down);
    Some(if source_down { MissingReason::SourceDown } else { MissingReason::ServiceSilent })
}
