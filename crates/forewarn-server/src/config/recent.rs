use super::wrong;
use crate::ServerError;
use serde::Deserialize;

/// What is kept in memory for pages and the API: `[recent]`.
///
/// | name | meaning | default | range |
/// |---|---|---|---|
/// | `hours` | hours of rows and scores | 24 | 1 to 168 |
/// | `most_rows` | rows of all services together, about 60 bytes each: 1,000 services have 24 hours | 1,500,000 | 10,000 to 100,000,000 |
/// | `records` | warnings, incidents, failures and outcomes, each | 10,000 | 100 to 1,000,000 |
/// | `events` | events from which a client can go on after a pause | 100,000 | 1,000 to 10,000,000 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecentConfig {
    /// Hours of rows and scores.
    pub hours: u32,
    /// Rows of all services together.
    pub most_rows: usize,
    /// Warnings, incidents, failures and outcomes, each.
    pub records: usize,
    /// Events from which a client can go on after a pause.
    pub events: usize,
}

impl Default for RecentConfig {
    fn default() -> Self {
        Self { hours: 24, most_rows: 1_500_000, records: 10_000, events: 100_000 }
    }
}

impl RecentConfig {
    pub(super) fn check(&self) -> Result<(), ServerError> {
        let ranges = [
            ("hours", self.hours as usize, 1, 168),
            ("most_rows", self.most_rows, 10_000, 100_000_000),
            ("records", self.records, 100, 1_000_000),
            ("events", self.events, 1_000, 10_000_000),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(wrong(&format!("recent.{name}: {value}: expected {least} to {most}")));
            }
        }
        Ok(())
    }
}
