use crate::{
    Checkpoint, CheckpointWriter, Checkpoints, EventFate, EventId, EventLog, Fingerprints, Health, Journal,
    Records, Retention, SavedCheckpoint, StoreError, StoreOptions,
    checkpoints::Head,
    disk::{Disk, DiskLock, RealDisk},
    error::{failed, shown},
    events::EventMark,
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};

/// The folder of the journal in that of a store.
const JOURNAL: &str = "journal";

/// A journal, checkpoints and a log of events in one folder, used by one process at a time, in the order that loses
/// nothing.
///
/// The [crate's page](crate) says how an engine uses it.
#[derive(Debug)]
pub struct Store {
    journal: Journal,
    checkpoints: Checkpoints,
    events: Option<EventLog>,
    retention: Retention,
    recovery: Recovery,
    /// No checkpoint may be before this position.
    position: u64,
    _lock: Box<dyn DiskLock>,
}

/// What was found when the store was opened. Everything but the checkpoint and the tail belongs into a log of the
/// service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recovery {
    /// The last checkpoint that is whole; `None` in a new store, where a replay begins at record 0.
    pub checkpoint: Option<Checkpoint>,
    /// Newer checkpoints that were damaged and passed over: for each, what is wrong with it.
    pub damaged_checkpoints: Vec<String>,
    /// Records after the checkpoint.
    pub tail_records: u64,
    /// Bytes at the end of the journal that a crash had torn, or that were never committed, and were cut.
    pub torn_bytes: u64,
    /// The last event in the log, which a replay will not write again.
    pub last_event: Option<EventId>,
    /// Bytes at the end of the log of events that were cut. The replay writes the events again.
    pub cut_event_bytes: u64,
    /// The first event whose record the journal has lost, and which was cut: only with
    /// [`Durability::None`](crate::Durability::None).
    pub event_beyond_journal: Option<EventId>,
    /// The log of events that the checkpoint knew was gone and another one was begun.
    pub events_begun_again: bool,
}

impl Store {
    /// Opens the store in a folder of this machine, or begins one.
    ///
    /// # Errors
    /// As [`open_on`](Self::open_on).
    pub fn open(folder: impl AsRef<Path>, options: &StoreOptions) -> Result<Self, StoreError> {
        Self::open_on(Arc::new(RealDisk), folder.as_ref(), options)
    }

    /// Opens the store in a folder of any disk, or begins one. Torn tails are cut and counted.
    ///
    /// # Errors
    /// - [`StoreError::Option`] for a setting out of range.
    /// - [`StoreError::Locked`] when the folder is in use.
    /// - [`StoreError::File`] when the system refuses an operation.
    /// - [`StoreError::Damaged`] for a damaged journal, [`StoreError::NewerVersion`] for files of a later release.
    /// - [`StoreError::JournalBehind`], [`StoreError::NoCheckpoint`], [`StoreError::Gone`] when the parts do not fit.
    /// - [`StoreError::EventLogReplaced`] when the log of events is not the one that the checkpoint knows.
    pub fn open_on(disk: Arc<dyn Disk>, folder: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        options.check()?;
        disk.create_folder(folder).map_err(failed(folder, "creating"))?;
        let lock_path = folder.join("lock");
        let lock = disk.lock(&lock_path).map_err(failed(&lock_path, "locking"))?;
        let lock = lock.ok_or_else(|| StoreError::Locked { folder: shown(folder) })?;

        let (checkpoints, checkpoint) =
            Checkpoints::open(Arc::clone(&disk), &folder.join("checkpoints"), options.checkpoints)?;
        let log_disk = Arc::clone(&disk);
        let journal = Journal::open(disk, &folder.join(JOURNAL), options)?;
        let start = checkpoint.as_ref().map_or(0, Checkpoint::next_seq);
        let (oldest, next) = (journal.oldest_seq(), journal.next_seq());
        if next < start {
            return Err(StoreError::JournalBehind { next, needed: start, by: "the checkpoint" });
        }
        if start < oldest {
            return Err(match checkpoint {
                Some(_) => StoreError::Gone { asked: start, oldest },
                None => StoreError::NoCheckpoint { checkpoints: checkpoints.damaged().len(), oldest },
            });
        }

        let mark = checkpoint.as_ref().map_or_else(EventMark::default, |checkpoint| checkpoint.head.events);
        let events = options.events.as_ref();
        let events = events.map(|path| EventLog::open(&*log_disk, path, options, mark, next)).transpose()?;
        let log = events.as_ref();
        let recovery = Recovery {
            damaged_checkpoints: checkpoints.damaged().map(ToString::to_string).collect(),
            tail_records: next - start,
            torn_bytes: journal.torn_bytes(),
            last_event: log.and_then(EventLog::last_event),
            cut_event_bytes: log.map_or(0, EventLog::cut_bytes),
            event_beyond_journal: log.and_then(EventLog::beyond_journal),
            events_begun_again: log.is_some_and(EventLog::begun_again),
            checkpoint,
        };
        let retention = options.retention;
        Ok(Self { journal, checkpoints, events, retention, recovery, position: start, _lock: lock })
    }

    /// The records in the journal of a store of this machine, oldest first, without a lock and without any change. See
    /// [`Journal::read_only`].
    ///
    /// # Errors
    /// As [`Journal::read_only`].
    pub fn read_only_records(folder: impl AsRef<Path>) -> Result<Records, StoreError> {
        Journal::read_only(Arc::new(RealDisk), &folder.as_ref().join(JOURNAL))
    }

    /// What was found when the store was opened.
    pub const fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The records after the checkpoint of [`recovery`](Self::recovery), for the replay.
    ///
    /// # Errors
    /// [`StoreError::Gone`] once a later checkpoint has let them go.
    pub fn tail(&self) -> Result<Records, StoreError> {
        self.records_from(self.recovery.checkpoint.as_ref().map_or(0, Checkpoint::next_seq))
    }

    /// The records on disk from number `seq` on.
    ///
    /// # Errors
    /// [`StoreError::Gone`], [`StoreError::NotWritten`].
    pub fn records_from(&self, seq: u64) -> Result<Records, StoreError> {
        self.journal.read_from(seq)
    }

    /// Takes a record and gives it its number. See [`Journal::append`].
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], [`StoreError::BufferFull`].
    pub fn append(&mut self, record: &[u8]) -> Result<u64, StoreError> {
        self.journal.append(record)
    }

    /// Writes and syncs records, then the events of records that are on disk. Every record before the number that
    /// it gives may be acknowledged.
    ///
    /// # Errors
    /// [`StoreError::File`] of the journal, or else of the log of events. [`kept_seq`](Self::kept_seq) says what may be
    /// acknowledged nevertheless; the rest waits in memory, and the next commit tries again.
    pub fn commit(&mut self) -> Result<u64, StoreError> {
        let records = self.journal.commit();
        let kept_seq = self.journal.kept_seq();
        let events = self.events.as_mut().map_or(Ok(()), |events| events.commit(kept_seq));
        records.and_then(|kept_seq| events.map(|()| kept_seq))
    }

    /// Takes an event, for the next commit. Without a log of events it goes nowhere.
    ///
    /// Events come in order, and after the record that caused them was appended. During a replay those that are in
    /// the log already are passed over.
    ///
    /// # Errors
    /// [`StoreError::EventOrder`], [`StoreError::EventWithoutRecord`], [`StoreError::EventJson`],
    /// [`StoreError::TooLarge`]; [`StoreError::EventsBehind`] when the disk fails and memory has run out.
    pub fn write_event<T: Serialize + ?Sized>(
        &mut self,
        id: EventId,
        event: &T,
    ) -> Result<EventFate, StoreError> {
        let Some(events) = &mut self.events else { return Ok(EventFate::Taken) };
        if events.is_filling() && !events.condition().is_degraded() {
            // The condition keeps the error.
            events.commit(self.journal.kept_seq()).ok();
        }
        events.write(id, event, self.journal.next_seq())
    }

    /// Saves a state: that of the engine after all records before `next_seq`. See
    /// [`begin_checkpoint`](Self::begin_checkpoint).
    ///
    /// # Errors
    /// As [`begin_checkpoint`](Self::begin_checkpoint), [`CheckpointWriter::write`] and
    /// [`finish_checkpoint`](Self::finish_checkpoint).
    pub fn checkpoint(
        &mut self,
        next_seq: u64,
        fingerprints: Fingerprints,
        state: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<SavedCheckpoint, StoreError> {
        let saved = self.begin_checkpoint(next_seq, fingerprints)?.write(state)?;
        self.finish_checkpoint(saved)?;
        Ok(saved)
    }

    /// Makes everything durable that a checkpoint at `next_seq` builds on, and gives its writer, which may go to
    /// another thread while this one appends. One at a time.
    ///
    /// # Errors
    /// [`StoreError::File`]; [`StoreError::CheckpointPosition`] for a position before the last checkpoint or beyond
    /// [`kept_seq`](Self::kept_seq); [`StoreError::EventsUnwritten`] when events of earlier records are not on disk.
    pub fn begin_checkpoint(
        &mut self,
        next_seq: u64,
        fingerprints: Fingerprints,
    ) -> Result<CheckpointWriter, StoreError> {
        self.commit()?;
        self.journal.sync()?;
        let (oldest, newest) = (self.position, self.journal.kept_seq());
        if !(oldest..=newest).contains(&next_seq) {
            return Err(StoreError::CheckpointPosition { asked: next_seq, oldest, newest });
        }
        let events = match &mut self.events {
            Some(events) => events.mark(next_seq)?,
            None => EventMark::default(),
        };
        Ok(self.checkpoints.writer(Head { next_seq, events, fingerprints }))
    }

    /// Counts a checkpoint in that was written, and drops older ones and segments of the journal that are no longer
    /// needed.
    ///
    /// # Errors
    /// [`StoreError::File`] when something cannot be dropped. The checkpoint is there all the same.
    pub fn finish_checkpoint(&mut self, saved: SavedCheckpoint) -> Result<(), StoreError> {
        self.position = self.position.max(saved.next_seq);
        let oldest = self.checkpoints.finish(&saved)?;
        self.journal.retain_from(oldest, self.retention)?;
        Ok(())
    }

    /// The number that the next record gets.
    pub const fn next_seq(&self) -> u64 {
        self.journal.next_seq()
    }

    /// Every record before this number is on disk and may be acknowledged.
    pub const fn kept_seq(&self) -> u64 {
        self.journal.kept_seq()
    }

    /// The last event in the log.
    pub fn last_event(&self) -> Option<EventId> {
        self.events.as_ref().and_then(EventLog::last_event)
    }

    /// The journal, to look at.
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The checkpoints, to look at.
    pub const fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    /// How the store does.
    pub fn health(&self) -> Health {
        let log = self.events.as_ref();
        Health {
            journal: self.journal.condition().clone(),
            pending_records: self.journal.pending_records(),
            pending_bytes: self.journal.pending_bytes(),
            refused_records: self.journal.refused_records(),
            events: log.map(|log| log.condition().clone()).unwrap_or_default(),
            pending_events: log.map_or(0, EventLog::pending_events),
            refused_events: log.map_or(0, EventLog::refused_events),
        }
    }
}
