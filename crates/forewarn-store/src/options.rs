use crate::{StoreError, frame};
use std::path::PathBuf;

/// When a record counts as kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Durability {
    /// Every record is synced on its own: nothing that was appended is lost, and each append waits for the disk.
    Each,
    /// All records since the last commit are synced together. Default.
    #[default]
    Group,
    /// A commit hands records to the system and does not wait for the disk: they survive the end of the process,
    /// kill -9 included, but a loss of power takes the last ones. Events of records that were lost so are cut from
    /// the log when the store is opened again, and counted.
    None,
}

/// Which old segments of the journal stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Retention {
    /// Those that a kept checkpoint needs. Default.
    #[default]
    Needed,
    /// Beyond these the newest, as long as the journal has at most this many bytes in all: to train on, or to replay.
    Bytes(u64),
    /// All.
    Everything,
}

/// Settings of a [`Store`](crate::Store), checked when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreOptions {
    /// When a record counts as kept. Default [`Durability::Group`].
    pub durability: Durability,
    /// Size from which on a segment of the journal is followed by a new one, in bytes. Default 64 MiB, range 4 KiB
    /// to 1 GiB.
    pub segment_bytes: u64,
    /// What may wait in memory while the disk fails, in bytes, for the journal and for the log of events each. What
    /// comes beyond is refused and counted. Default 64 MiB, range 17 MiB (one record of the largest size) to 1 GiB.
    pub buffer_bytes: usize,
    /// Checkpoints that are kept, the newest included. Default 2, range 1 to 1000: with 1, a damaged checkpoint
    /// cannot be replaced by the one before.
    pub checkpoints: usize,
    /// Which old segments of the journal stay. Default [`Retention::Needed`].
    pub retention: Retention,
    /// The file that gets events, one JSON object a line. Default none.
    pub events: Option<PathBuf>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            segment_bytes: 64 << 20,
            buffer_bytes: 64 << 20,
            checkpoints: 2,
            retention: Retention::default(),
            events: None,
        }
    }
}

impl StoreOptions {
    /// Sets [`durability`](Self::durability).
    #[must_use]
    pub fn with_durability(self, durability: Durability) -> Self {
        Self { durability, ..self }
    }

    /// Sets [`segment_bytes`](Self::segment_bytes).
    #[must_use]
    pub fn with_segment_bytes(self, segment_bytes: u64) -> Self {
        Self { segment_bytes, ..self }
    }

    /// Sets [`buffer_bytes`](Self::buffer_bytes).
    #[must_use]
    pub fn with_buffer_bytes(self, buffer_bytes: usize) -> Self {
        Self { buffer_bytes, ..self }
    }

    /// Sets [`checkpoints`](Self::checkpoints).
    #[must_use]
    pub fn with_checkpoints(self, checkpoints: usize) -> Self {
        Self { checkpoints, ..self }
    }

    /// Sets [`retention`](Self::retention).
    #[must_use]
    pub fn with_retention(self, retention: Retention) -> Self {
        Self { retention, ..self }
    }

    /// Sets [`events`](Self::events).
    #[must_use]
    pub fn with_events(self, events: impl Into<PathBuf>) -> Self {
        Self { events: Some(events.into()), ..self }
    }

    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`StoreError::Option`].
    pub fn check(&self) -> Result<(), StoreError> {
        let refuse = |name, value: String, expected| Err(StoreError::Option { name, value, expected });
        if !((4 << 10)..=(1 << 30)).contains(&self.segment_bytes) {
            return refuse(
                "segment_bytes",
                self.segment_bytes.to_string(),
                "4096 (4 KiB) to 1073741824 (1 GiB)",
            );
        }
        if !(frame::MAX_RECORD + (1 << 20)..=(1 << 30)).contains(&self.buffer_bytes) {
            return refuse(
                "buffer_bytes",
                self.buffer_bytes.to_string(),
                "17825792 (17 MiB) to 1073741824 (1 GiB)",
            );
        }
        if !(1..=1000).contains(&self.checkpoints) {
            return refuse("checkpoints", self.checkpoints.to_string(), "1 to 1000");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_in_range_and_what_is_not_is_named() {
        let options = StoreOptions::default();
        assert!(options.check().is_ok());
        let message = |options: StoreOptions| options.check().unwrap_err().to_string();
        assert_eq!(
            message(options.clone().with_segment_bytes(1)),
            "invalid segment_bytes 1: expected 4096 (4 KiB) to 1073741824 (1 GiB)"
        );
        assert_eq!(
            message(options.clone().with_buffer_bytes(16 << 20)),
            "invalid buffer_bytes 16777216: expected 17825792 (17 MiB) to 1073741824 (1 GiB)"
        );
        assert_eq!(message(options.with_checkpoints(0)), "invalid checkpoints 0: expected 1 to 1000");
    }
}
