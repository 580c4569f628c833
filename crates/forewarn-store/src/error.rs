use crate::EventId;
use std::{io, path::Path};

/// Why something could not be stored or read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another store of this process, uses the folder.
    #[error("{folder}: is in use by another process; stop it, or give this one a folder of its own")]
    Locked {
        /// The folder of the store.
        folder: String,
    },
    /// The system refused an operation. For an append, a commit or an event the caller can go on: see
    /// [`Health`](crate::Health).
    #[error("{file}: {action} failed: {source}")]
    File {
        /// The file or folder.
        file: String,
        /// What was tried, such as `"write"`.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// Bytes on disk are not those that were written.
    #[error(
        "{file}: damaged at byte {offset}: {found}; restore the file from a copy, or move the store's folder \
         away to start without it"
    )]
    Damaged {
        /// The file.
        file: String,
        /// Where in the file, in bytes from its beginning.
        offset: u64,
        /// What was found there.
        found: &'static str,
    },
    /// A file of a later release.
    #[error(
        "{file}: has format version {found}, this program reads up to {supported}; use the release that wrote it \
         or a later one, or move the store's folder away to start without it"
    )]
    NewerVersion {
        /// The file.
        file: String,
        /// The version that the file states.
        found: u32,
        /// The last version that this program knows.
        supported: u32,
    },
    /// A record or an event is larger than the format allows.
    #[error("a {what} of {bytes} bytes is too large: expected at most {limit}; split it")]
    TooLarge {
        /// `"record"` or `"event"`.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The largest size allowed.
        limit: usize,
    },
    /// Nothing can be written, and what waits in memory has reached its bound. The record was not taken.
    #[error(
        "the journal cannot be written and {pending_bytes} bytes wait in memory, the limit is {limit}: the record was \
         refused; see to the disk"
    )]
    BufferFull {
        /// Bytes that wait.
        pending_bytes: usize,
        /// The bound, [`StoreOptions::buffer_bytes`](crate::StoreOptions::buffer_bytes).
        limit: usize,
    },
    /// The records asked for were dropped with their segment.
    #[error("record {asked} is no longer in the journal; the oldest is {oldest}")]
    Gone {
        /// The sequence number asked for.
        asked: u64,
        /// The oldest in the journal.
        oldest: u64,
    },
    /// The records asked for were never written.
    #[error("record {asked} is not in the journal; the next to be written is {next}")]
    NotWritten {
        /// The sequence number asked for.
        asked: u64,
        /// The number that the next record gets.
        next: u64,
    },
    /// No checkpoint can be read, and the journal no longer begins at its first record.
    #[error(
        "no usable checkpoint among {checkpoints}, and the journal begins at record {oldest} instead of 0: the state \
         cannot be rebuilt; restore a checkpoint from a copy, or move the store's folder away to start without it"
    )]
    NoCheckpoint {
        /// How many checkpoint files there are, all damaged.
        checkpoints: usize,
        /// The oldest record in the journal.
        oldest: u64,
    },
    /// A checkpoint or the log of events holds what the journal has lost.
    #[error(
        "the journal ends before record {next}, but {by} knows records up to {needed}: acknowledged records are \
         missing; restore the journal from a copy, or move the store's folder away to start without it"
    )]
    JournalBehind {
        /// The number that the journal would give next.
        next: u64,
        /// The first number that no record known elsewhere has.
        needed: u64,
        /// `"the checkpoint"` or `"the log of events"`.
        by: &'static str,
    },
    /// A state for records that are not on disk yet, or one older than the last checkpoint.
    #[error("a checkpoint of the records before {asked} is not possible: expected {oldest} to {newest}")]
    CheckpointPosition {
        /// The position asked for.
        asked: u64,
        /// The position of the last checkpoint, or the oldest record.
        oldest: u64,
        /// The first record that is not on disk yet.
        newest: u64,
    },
    /// The state was saved for another model, configuration or format.
    #[error(
        "the checkpoint was saved with {which} {found}, expected {expected}; go back to it, or move the store's \
         folder away to start without its state"
    )]
    Fingerprint {
        /// `"model"`, `"configuration"` or `"state format"`.
        which: &'static str,
        /// The fingerprint in the checkpoint, in hexadecimal.
        found: String,
        /// The fingerprint of this program, in hexadecimal.
        expected: String,
    },
    /// An event that does not come after the one before.
    #[error("event {id} comes after event {last}: expected events in order of record and index")]
    EventOrder {
        /// The event.
        id: EventId,
        /// The last event that was taken.
        last: EventId,
    },
    /// An event of a record that does not exist.
    #[error("event {id} is of a record that the journal has not numbered; the next record is {next}")]
    EventWithoutRecord {
        /// The event.
        id: EventId,
        /// The number that the next record gets.
        next: u64,
    },
    /// An event that cannot be written as one line of JSON.
    #[error("event {id} cannot be written as JSON: {reason}")]
    EventJson {
        /// The event.
        id: EventId,
        /// The reason.
        reason: String,
    },
    /// The log of events misses events since `first`: memory for them ran out while it could not be written.
    #[error(
        "the log of events could not take event {first} and has refused {refused} events since; see to the disk, then \
         restart, or replay from the last checkpoint"
    )]
    EventsBehind {
        /// The first event that was refused. The log goes on when exactly this one is given again.
        first: EventId,
        /// How many were refused since.
        refused: u64,
    },
    /// Events wait in memory, or the log has refused some, so that no checkpoint may pass over them.
    #[error(
        "the log of events has not written all events of records before {next_seq}: commit first, see to the disk"
    )]
    EventsUnwritten {
        /// The position of the checkpoint.
        next_seq: u64,
    },
    /// The log of events is not the one that the checkpoint knows.
    #[error(
        "{file}: the last checkpoint knows {expected_bytes} bytes of it, {found}; put the file back, or move it away \
         to begin a new one"
    )]
    EventLogReplaced {
        /// The file.
        file: String,
        /// Its size at the last checkpoint.
        expected_bytes: u64,
        /// What was found.
        found: &'static str,
    },
    /// A file of the history cannot be written or read as Parquet.
    #[error("{file}: {action} it as Parquet failed: {reason}; move it away to go on without its rows")]
    History {
        /// The file.
        file: String,
        /// `"reading"` or `"writing"`.
        action: &'static str,
        /// The reason.
        reason: String,
    },
    /// A row that the history cannot take, or a question that it cannot answer.
    #[error("the history refused a row or a question: {reason}")]
    HistoryRow {
        /// Why.
        reason: &'static str,
    },
    /// A setting out of its range.
    #[error("invalid {name} {value}: expected {expected}")]
    Option {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// The range.
        expected: &'static str,
    },
}

/// Makes an error of a failed operation on a file.
pub(crate) fn failed<'a>(path: &'a Path, action: &'static str) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |source| StoreError::File { file: shown(path), action, source }
}

pub(crate) fn damaged(path: &Path, offset: u64, found: &'static str) -> StoreError {
    StoreError::Damaged { file: shown(path), offset, found }
}

/// A path for a message, without control characters.
pub(crate) fn shown(path: &Path) -> String {
    let mut text = String::new();
    for c in path.display().to_string().chars() {
        if c.is_control() { text.extend(c.escape_default()) } else { text.push(c) }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_paths_are_escaped() {
        assert_eq!(shown(Path::new("a\nb\u{1b}[1m")), "a\\nb\\u{1b}[1m");
    }
}
