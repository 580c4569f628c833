use std::fmt;

/// Which event: the record that caused it, and its place among the events of that record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
pub struct EventId {
    /// The number of the record.
    pub seq: u64,
    /// From 0, in order; gaps are allowed.
    pub index: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, self.index)
    }
}
