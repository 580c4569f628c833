use crate::LiveError;
use crate::engine::{
    MissingReason, Name, SourceStatus,
    intake::inbox::{CounterState, counters_of},
    slos::followed::Followed,
    warning::{normal::Normal, risk::Onsets},
};
use forewarn_label::{Rule, RuleState};
use forewarn_schema::{Schema, Step, Timestamp};
use std::collections::BTreeMap;
use thin_vec::ThinVec;

/// What an engine knows of one service, whatever the model.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Service {
    pub(in crate::engine) name: Name,
    pub(in crate::engine) rule: RuleState,
    pub(in crate::engine) counters: CounterState,
    /// The last minute of which something came.
    pub(in crate::engine) heard: Timestamp,
    /// Whether that was a whole row, or several minutes were heard of.
    pub(in crate::engine) has_row: bool,
    /// Samples that came late since that was last said.
    pub(in crate::engine) late: u64,
    pub(in crate::engine) silenced_until: Option<Timestamp>,
    /// The failure that goes on: its onset as it was known when it was confirmed.
    pub(in crate::engine) failing: Option<Timestamp>,
    /// Why the last row, or something of it, is missing.
    pub(in crate::engine) missing: Option<MissingReason>,
    pub(in crate::engine) onsets: Onsets,
    pub(in crate::engine) normal: Normal,
    pub(in crate::engine) slos: ThinVec<Followed>,
    /// Alerts of other programs that fire, and since when.
    pub(in crate::engine) alerts: BTreeMap<String, Timestamp>,
}

impl Service {
    pub(in crate::engine) fn new(
        name: Name,
        rule: &Rule,
        (metrics, step): (&Schema, Step),
        start: Timestamp,
    ) -> Result<Self, LiveError> {
        Ok(Self {
            rule: RuleState::new(rule, metrics, start, step)?,
            counters: counters_of(metrics),
            heard: start,
            has_row: false,
            late: 0,
            silenced_until: None,
            failing: None,
            missing: None,
            onsets: Onsets::default(),
            normal: Normal::default(),
            slos: ThinVec::new(),
            alerts: BTreeMap::new(),
            name,
        })
    }

    /// Whether nothing came of it for so long that it is forgotten.
    pub(in crate::engine) fn is_silent(&self, time: Timestamp, expire_minutes: u32) -> bool {
        time.minutes_since(self.heard) >= f64::from(expire_minutes)
    }

    /// Whether it has nothing more to say of the minute `next`.
    pub(in crate::engine) fn has_reported(&self, next: Timestamp) -> bool {
        self.heard > next || (self.heard == next && self.has_row)
    }
}

/// Why a row is missing, or what needs requests in it.
pub(in crate::engine) fn missing_reason(
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
