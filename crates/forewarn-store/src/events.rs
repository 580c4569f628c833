mod id;
mod recover;

use crate::{
    Condition, Durability, StoreError, StoreOptions,
    disk::{Access, Disk, DiskFile, write_all_at},
    error::{failed, shown},
    input::Input,
};
pub use id::EventId;
use serde::Serialize;
use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
};

/// The largest event, as a line, in bytes.
const MAX_EVENT: usize = 16 << 20;
/// What is written at once.
const CHUNK: usize = 1 << 20;

/// What became of an event that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFate {
    /// It waits for the next commit.
    Taken,
    /// It was in the log when that was opened: a replay gave it once more.
    AlreadyThere,
}

/// How far the log was at a checkpoint, on disk for certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventMark {
    pub(crate) bytes: u64,
    pub(crate) last: Option<EventId>,
}

/// A file of events, one JSON object `{"seq":..,"index":..,"event":..}` a line, each exactly once over crashes and
/// restarts.
///
/// An event reaches the file after the record that caused it, and no checkpoint passes over an event that is not in
/// the file. After a crash the log is cut to its last whole line; the replay gives the events of the tail once
/// more, and those that are there already are passed over.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    durability: Durability,
    buffer_bytes: usize,
    /// Bytes of whole lines on disk.
    bytes: u64,
    /// The last event on disk.
    last_kept: Option<EventId>,
    /// The last event that was on disk when the log was opened.
    last_at_open: Option<EventId>,
    /// The last event taken.
    last: Option<EventId>,
    pending: VecDeque<(EventId, Vec<u8>)>,
    pending_bytes: usize,
    /// The first event that was refused, and how many since.
    behind: Option<(EventId, u64)>,
    unsynced: bool,
    condition: Condition,
    cut_bytes: u64,
    begun_again: bool,
    beyond: Option<EventId>,
}

#[derive(Serialize)]
struct Line<'a, T: ?Sized> {
    seq: u64,
    index: u32,
    event: &'a T,
}

impl EventLog {
    /// The largest event, as a line of JSON, in bytes: 16 MiB.
    pub const MAX_EVENT_BYTES: usize = MAX_EVENT;

    /// Opens or begins the log. Lines before `mark` are on disk for certain and not read; `next_seq` is the first
    /// number that the journal does not have.
    pub(crate) fn open(
        disk: &dyn Disk,
        path: &Path,
        options: &StoreOptions,
        mark: EventMark,
        next_seq: u64,
    ) -> Result<Self, StoreError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        disk.create_folder(folder).map_err(failed(folder, "creating"))?;
        let mut log = Self {
            path: path.to_owned(),
            file: match disk.open(path, Access::Write) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    disk.create(path).map_err(failed(path, "creating"))?
                }
                other => other.map_err(failed(path, "opening"))?,
            },
            durability: options.durability,
            buffer_bytes: options.buffer_bytes,
            bytes: 0,
            last_kept: None,
            last_at_open: None,
            last: None,
            pending: VecDeque::new(),
            pending_bytes: 0,
            behind: None,
            unsynced: false,
            condition: Condition::Healthy,
            cut_bytes: 0,
            begun_again: false,
            beyond: None,
        };
        disk.sync_folder(folder).map_err(failed(folder, "syncing"))?;
        let file = disk.open(path, Access::Read).map_err(failed(path, "opening"))?;
        let mut input = Input::new(file).map_err(failed(path, "reading"))?;
        log.recover(&mut input, mark, next_seq)?;
        Ok(log)
    }

    fn recover(&mut self, input: &mut Input, mut mark: EventMark, next_seq: u64) -> Result<(), StoreError> {
        let replaced = |found| {
            let (file, expected_bytes) = (shown(&self.path), mark.bytes);
            Err(StoreError::EventLogReplaced { file, expected_bytes, found })
        };
        if mark.bytes > 0 && input.size() == 0 {
            // Moved away between two runs, as one does with logs. What was in it is not written again but for the
            // events after the last checkpoint, which may be in both.
            (self.begun_again, mark.bytes) = (true, 0);
        } else if input.size() < mark.bytes {
            return replaced("it is shorter");
        } else if let Some(before) = mark.bytes.checked_sub(1)
            && input.bytes(before, 1).map_err(failed(&self.path, "reading"))? != Some(b"\n")
        {
            return replaced("no line ends there");
        }
        let found = recover::recover(input, mark, next_seq).map_err(failed(&self.path, "reading"))?;
        if let Some(event) = found.beyond {
            if self.durability != Durability::None {
                let needed = event.seq.saturating_add(1);
                return Err(StoreError::JournalBehind { next: next_seq, needed, by: "the log of events" });
            }
            self.beyond = Some(event);
        }
        self.cut_bytes = input.size() - found.bytes;
        if self.cut_bytes > 0 {
            self.file.truncate(found.bytes).map_err(failed(&self.path, "cutting"))?;
        }
        // Lines of a killed process may be in the page cache only, and after a failed sync stay there: see the journal.
        input.rewrite(&mut *self.file, mark.bytes..found.bytes).map_err(failed(&self.path, "writing"))?;
        self.file.sync().map_err(failed(&self.path, "syncing"))?;
        self.bytes = found.bytes;
        (self.last_kept, self.last_at_open, self.last) = (found.last, found.last, found.last);
        Ok(())
    }

    /// Takes an event for the next commit.
    pub(crate) fn write<T: Serialize + ?Sized>(
        &mut self,
        id: EventId,
        event: &T,
        next_seq: u64,
    ) -> Result<EventFate, StoreError> {
        if self.last_at_open.is_some_and(|last| id <= last) {
            return Ok(EventFate::AlreadyThere);
        }
        if let Some(last) = self.last.filter(|&last| id <= last) {
            return Err(StoreError::EventOrder { id, last });
        }
        if id.seq >= next_seq {
            return Err(StoreError::EventWithoutRecord { id, next: next_seq });
        }
        if let Some((first, refused)) = &mut self.behind
            && *first != id
        {
            *refused += 1;
            return Err(StoreError::EventsBehind { first: *first, refused: *refused });
        }
        let line = line(id, event)?;
        if self.pending_bytes + line.len() > self.buffer_bytes {
            let refused = self.behind.map_or(1, |(_, refused)| refused + 1);
            self.behind = Some((id, refused));
            return Err(StoreError::EventsBehind { first: id, refused });
        }
        self.behind = None;
        self.pending_bytes += line.len();
        self.pending.push_back((id, line));
        self.last = Some(id);
        Ok(EventFate::Taken)
    }

    /// Whether the next event of this size might not find room.
    pub(crate) const fn is_filling(&self) -> bool {
        self.pending_bytes > self.buffer_bytes / 2
    }

    /// Writes and syncs the events of records before `kept_seq`.
    pub(crate) fn commit(&mut self, kept_seq: u64) -> Result<(), StoreError> {
        let count = self.pending.partition_point(|(id, _)| id.seq < kept_seq);
        match self.write_pending(count) {
            Ok(()) => {
                self.condition = Condition::Healthy;
                Ok(())
            }
            Err(error) => {
                let since_seq = self.pending.front().map_or(kept_seq, |(id, _)| id.seq);
                self.condition.fail(since_seq, error.to_string());
                Err(error)
            }
        }
    }

    fn write_pending(&mut self, count: usize) -> Result<(), StoreError> {
        if count == 0 {
            return Ok(());
        }
        // After a failure the same lines and more are written to the same place: nothing of the failed try is left.
        let mut end = self.bytes;
        let mut chunk = Vec::new();
        for (place, (_, line)) in self.pending.iter().take(count).enumerate() {
            chunk.extend_from_slice(line);
            if chunk.len() >= CHUNK || place + 1 == count {
                write_all_at(&mut *self.file, end, &chunk).map_err(failed(&self.path, "writing"))?;
                end += chunk.len() as u64;
                chunk.clear();
            }
        }
        self.unsynced = true;
        if self.durability != Durability::None {
            self.file.sync().map_err(failed(&self.path, "syncing"))?;
            self.unsynced = false;
        }
        for (id, line) in self.pending.drain(..count) {
            self.pending_bytes -= line.len();
            self.last_kept = Some(id);
        }
        self.bytes = end;
        Ok(())
    }

    /// Makes sure that every event of a record before `next_seq` is on disk, and says how far the log is.
    pub(crate) fn mark(&mut self, next_seq: u64) -> Result<EventMark, StoreError> {
        let refused = self.behind.is_some_and(|(first, _)| first.seq < next_seq);
        if refused || self.pending.front().is_some_and(|(id, _)| id.seq < next_seq) {
            return Err(StoreError::EventsUnwritten { next_seq });
        }
        if self.unsynced {
            self.file.sync().map_err(failed(&self.path, "syncing"))?;
            self.unsynced = false;
        }
        Ok(EventMark { bytes: self.bytes, last: self.last_kept })
    }

    /// The last event that is in the file.
    pub const fn last_event(&self) -> Option<EventId> {
        self.last_kept
    }

    /// The size of the file in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Events that wait in memory.
    pub fn pending_events(&self) -> u64 {
        self.pending.len() as u64
    }

    /// Events that were refused since the log fell behind; 0 while it keeps up.
    pub fn refused_events(&self) -> u64 {
        self.behind.map_or(0, |(_, refused)| refused)
    }

    /// Whether writing works.
    pub const fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Bytes that were cut when the log was opened.
    pub const fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// Whether the file that the last checkpoint knew was gone, so that a new one was begun.
    pub const fn begun_again(&self) -> bool {
        self.begun_again
    }

    /// The first event that was cut because the journal has lost its record, as it may with [`Durability::None`].
    pub const fn beyond_journal(&self) -> Option<EventId> {
        self.beyond
    }
}

fn line<T: Serialize + ?Sized>(id: EventId, event: &T) -> Result<Vec<u8>, StoreError> {
    let refuse = |reason| StoreError::EventJson { id, reason };
    let mut line = serde_json::to_vec(&Line { seq: id.seq, index: id.index, event })
        .map_err(|error| refuse(error.to_string()))?;
    if line.contains(&b'\n') {
        return Err(refuse("it contains raw text with a line break".to_owned()));
    }
    if line.len() >= MAX_EVENT {
        return Err(StoreError::TooLarge { what: "event", bytes: line.len(), limit: MAX_EVENT });
    }
    line.push(b'\n');
    Ok(line)
}
