/// Whether what should be on disk is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// The last operation succeeded.
    #[default]
    Healthy,
    /// Writing fails. What could not be written waits in memory, and every commit tries again.
    Degraded {
        /// The first record (for the log of events: the record of the first event) that is not on disk.
        since_seq: u64,
        /// Commits that failed in a row.
        failures: u64,
        /// The last failure.
        reason: String,
    },
}

impl Condition {
    pub(crate) fn fail(&mut self, since_seq: u64, reason: String) {
        let failures = match self {
            Self::Healthy => 1,
            Self::Degraded { failures, .. } => failures.saturating_add(1),
        };
        *self = Self::Degraded { since_seq, failures, reason };
    }

    /// Whether writing fails.
    pub const fn is_degraded(&self) -> bool {
        matches!(self, Self::Degraded { .. })
    }
}

/// How a [`Store`](crate::Store) does, for metrics and a health page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Of the journal.
    pub journal: Condition,
    /// Records that have a number and are not on disk yet.
    pub pending_records: u64,
    /// The memory they take.
    pub pending_bytes: usize,
    /// Records refused since the store was opened, because memory for them had run out.
    pub refused_records: u64,
    /// Of the log of events.
    pub events: Condition,
    /// Events that are not on disk yet.
    pub pending_events: u64,
    /// Events refused since the last one that was taken, because memory for them had run out.
    pub refused_events: u64,
}
