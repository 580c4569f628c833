/// What a service did until it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchSummary {
    /// Records of the journal that were replayed at the start.
    pub replayed: u64,
    /// Minutes that were closed.
    pub minutes: u64,
    /// Rows that were taken.
    pub rows: u64,
    /// Warnings that were raised.
    pub warnings: u64,
    /// Failures by the failure rule.
    pub failures: u64,
}
