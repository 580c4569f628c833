mod records;
mod scan;
mod segment;

pub use records::{Record, Records};

use crate::{
    Condition, Durability, Retention, StoreError, StoreOptions,
    disk::{Access, Disk, DiskFile, remove, write_all_at},
    error::failed,
    frame,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// An append-only file of numbered records, cut into segments.
///
/// Records are numbered from 0 without a gap. [`append`](Self::append) keeps a record in memory,
/// [`commit`](Self::commit) writes and syncs all that wait; only then may they be acknowledged.
///
/// After a write or a sync that failed, the segment is not trusted any more: what it had made durable stays, everything
/// since waits in memory and goes to a new segment, which begins at its number. A reader passes from one segment to the
/// next where the next one begins.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    durability: Durability,
    segment_bytes: u64,
    buffer_bytes: usize,
    /// Never empty: the last is the one that is written to, unless `active` is none.
    segments: Vec<Segment>,
    /// `None` after a failure and before the first record.
    active: Option<Box<dyn DiskFile>>,
    /// Records from `kept_seq` on, as they are written.
    pending: Vec<u8>,
    next_seq: u64,
    kept_seq: u64,
    synced_seq: u64,
    /// A name was removed and the folder not synced since.
    folder_unsynced: bool,
    refused: u64,
    condition: Condition,
    torn_bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    first_seq: u64,
    /// Bytes up to the last record that was kept.
    bytes: u64,
}

impl Journal {
    /// The largest record, in bytes: 16 MiB.
    pub const MAX_RECORD_BYTES: usize = frame::MAX_RECORD;

    /// Opens the journal in `folder`, or begins one. A torn tail is cut, and what remains is made durable.
    ///
    /// The caller sees to it that no other program writes there; [`Store`](crate::Store) does.
    ///
    /// # Errors
    /// [`StoreError::Option`], [`StoreError::File`], [`StoreError::NewerVersion`], [`StoreError::Damaged`] for
    /// records of the last segment that were durable. Older segments are checked when they are read.
    pub fn open(disk: Arc<dyn Disk>, folder: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        options.check()?;
        disk.create_folder(folder).map_err(failed(folder, "creating"))?;
        for name in disk.list(folder).map_err(failed(folder, "reading"))? {
            if name.ends_with(segment::TEMPORARY) {
                remove(&*disk, &folder.join(&name))?;
            }
        }
        let segments = list_segments(&*disk, folder)?;
        let mut journal = Self {
            disk,
            folder: folder.to_owned(),
            durability: options.durability,
            segment_bytes: options.segment_bytes,
            buffer_bytes: options.buffer_bytes,
            segments,
            active: None,
            pending: Vec::new(),
            next_seq: 0,
            kept_seq: 0,
            synced_seq: 0,
            folder_unsynced: false,
            refused: 0,
            condition: Condition::Healthy,
            torn_bytes: 0,
        };
        journal.open_last()?;
        Ok(journal)
    }

    fn open_last(&mut self) -> Result<(), StoreError> {
        let Some(last) = self.segments.last_mut() else { return Ok(()) };
        let path = segment::path(&self.folder, last.first_seq);
        let mut input = segment::open(&*self.disk, &self.folder, last.first_seq)?;
        let scan = scan::scan(&mut input, &path, last.first_seq)?;
        let mut file = self.disk.open(&path, Access::Write).map_err(failed(&path, "opening"))?;
        if scan.torn_bytes > 0 {
            file.truncate(scan.end).map_err(failed(&path, "cutting"))?;
        }
        // A process that was killed between write and sync leaves records that only the page cache has. They are
        // read now, and what follows from them is written: they must not be lost afterwards. A sync alone is not
        // enough: where one has failed before, the cache may hold them as if they were on disk.
        input.rewrite(&mut *file, scan.certain..scan.end).map_err(failed(&path, "writing"))?;
        file.sync().map_err(failed(&path, "syncing"))?;
        self.disk.sync_folder(&self.folder).map_err(failed(&self.folder, "syncing"))?;
        last.bytes = scan.end;
        self.active = Some(file);
        self.torn_bytes = scan.torn_bytes;
        (self.next_seq, self.kept_seq, self.synced_seq) = (scan.next_seq, scan.next_seq, scan.next_seq);
        Ok(())
    }

    /// The records in a folder, without a lock and without any change: to replay a journal elsewhere, or while a
    /// service writes it. Begins with the oldest record and ends with the last one that is whole now.
    ///
    /// # Errors
    /// As [`open`](Self::open). Records that a running service drops meanwhile end the iterator with an error.
    pub fn read_only(disk: Arc<dyn Disk>, folder: &Path) -> Result<Records, StoreError> {
        let segments: Vec<u64> =
            list_segments(&*disk, folder)?.iter().map(|segment| segment.first_seq).collect();
        let (mut from, mut until) = (0, 0);
        if let (Some(&first), Some(&last)) = (segments.first(), segments.last()) {
            let mut input = segment::open(&*disk, folder, last)?;
            from = first;
            until = scan::scan(&mut input, &segment::path(folder, last), last)?.next_seq;
        }
        Ok(Records::new(disk, folder.to_owned(), &segments, from, until))
    }

    /// Takes a record and gives it its number. It may be acknowledged once [`kept_seq`](Self::kept_seq) is beyond that
    /// number, which a [`commit`](Self::commit) that succeeds sees to.
    ///
    /// With [`Durability::Each`] it commits; should that fail, the record waits like any other and
    /// [`condition`](Self::condition) has the reason.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`]; [`StoreError::BufferFull`] when the disk fails and memory has run out. The record
    /// has not been taken then, and has no number.
    pub fn append(&mut self, record: &[u8]) -> Result<u64, StoreError> {
        if record.len() > Self::MAX_RECORD_BYTES {
            let limit = Self::MAX_RECORD_BYTES;
            return Err(StoreError::TooLarge { what: "record", bytes: record.len(), limit });
        }
        if self.pending.len() + frame::HEADER + record.len() > self.buffer_bytes {
            // While the disk fails, only a commit tries it again: not each of many records.
            if self.condition.is_degraded() || self.commit().is_err() {
                self.refused += 1;
                return Err(self.buffer_full());
            }
        }
        let seq = self.next_seq;
        // Segments and memory hold less than 2^32 records: see the ranges of the options.
        let unsynced = u32::try_from(seq - self.synced_seq).map_err(|_| self.buffer_full())?;
        frame::encode(seq, unsynced, record, &mut self.pending);
        self.next_seq += 1;
        if self.durability == Durability::Each {
            // The condition keeps the error.
            self.commit().ok();
        }
        Ok(seq)
    }

    fn buffer_full(&self) -> StoreError {
        StoreError::BufferFull { pending_bytes: self.pending.len(), limit: self.buffer_bytes }
    }

    /// Writes all records that wait and, but for [`Durability::None`], syncs them. Gives
    /// [`kept_seq`](Self::kept_seq): every record before it may be acknowledged.
    ///
    /// # Errors
    /// [`StoreError::File`]. Records keep waiting in memory, and the next commit tries again.
    pub fn commit(&mut self) -> Result<u64, StoreError> {
        match self.write_pending() {
            Ok(()) => {
                self.condition = Condition::Healthy;
                Ok(self.kept_seq)
            }
            Err(error) => {
                self.abandon_segment();
                self.condition.fail(self.kept_seq, error.to_string());
                Err(error)
            }
        }
    }

    fn write_pending(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.segments.last().is_some_and(|last| last.bytes >= self.segment_bytes) {
            self.sync()?;
            self.active = None;
        }
        if self.active.is_none() {
            let file = segment::create(&*self.disk, &self.folder, self.kept_seq)?;
            self.active = Some(file);
            // The same number twice: the one before had come to nothing and is replaced.
            self.segments.retain(|segment| segment.first_seq != self.kept_seq);
            self.segments.push(Segment { first_seq: self.kept_seq, bytes: segment::HEADER });
        }
        let (Some(file), Some(last)) = (&mut self.active, self.segments.last_mut()) else { return Ok(()) };
        let path = segment::path(&self.folder, last.first_seq);
        write_all_at(&mut **file, last.bytes, &self.pending).map_err(failed(&path, "writing"))?;
        if self.durability != Durability::None {
            file.sync().map_err(failed(&path, "syncing"))?;
            self.synced_seq = self.next_seq;
        }
        last.bytes += self.pending.len() as u64;
        self.kept_seq = self.next_seq;
        self.pending.clear();
        self.pending.shrink_to(1 << 20);
        Ok(())
    }

    /// Syncs what was written, whatever the durability.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        let (Some(file), Some(last)) = (&mut self.active, self.segments.last()) else { return Ok(()) };
        if self.synced_seq < self.kept_seq {
            let path = segment::path(&self.folder, last.first_seq);
            file.sync().map_err(failed(&path, "syncing"))?;
            self.synced_seq = self.kept_seq;
        }
        Ok(())
    }

    fn abandon_segment(&mut self) {
        if let (Some(mut file), Some(last)) = (self.active.take(), self.segments.last()) {
            // Gives room on a full disk, and takes from the page cache what a failed sync may have left there as if
            // it were on disk. It may fail: the next segment begins where this one is cut.
            file.truncate(last.bytes).ok();
        }
    }

    /// The records from number `from` on that are on disk now.
    ///
    /// # Errors
    /// [`StoreError::Gone`], [`StoreError::NotWritten`].
    pub fn read_from(&self, from: u64) -> Result<Records, StoreError> {
        let oldest = self.oldest_seq();
        if from < oldest {
            return Err(StoreError::Gone { asked: from, oldest });
        }
        if from > self.kept_seq {
            return Err(StoreError::NotWritten { asked: from, next: self.kept_seq });
        }
        let segments: Vec<u64> = self.segments.iter().map(|segment| segment.first_seq).collect();
        Ok(Records::new(Arc::clone(&self.disk), self.folder.clone(), &segments, from, self.kept_seq))
    }

    /// Removes segments that hold no record from number `seq` on, as far as `retention` lets them go. Gives how many.
    ///
    /// # Errors
    /// [`StoreError::File`]; the next call goes on.
    pub fn retain_from(&mut self, seq: u64, retention: Retention) -> Result<usize, StoreError> {
        let mut removed = 0;
        while let [oldest, second, ..] = *self.segments {
            let excess = match retention {
                Retention::Needed => true,
                Retention::Bytes(limit) => {
                    self.segments.iter().map(|segment| segment.bytes).sum::<u64>() > limit
                }
                Retention::Everything => false,
            };
            if second.first_seq > seq || !excess {
                break;
            }
            // Synced one by one: a loss of power must not leave a gap between two segments.
            self.sync_removed()?;
            let path = segment::path(&self.folder, oldest.first_seq);
            remove(&*self.disk, &path)?;
            self.segments.remove(0);
            self.folder_unsynced = true;
            removed += 1;
        }
        self.sync_removed()?;
        Ok(removed)
    }

    fn sync_removed(&mut self) -> Result<(), StoreError> {
        if self.folder_unsynced {
            self.disk.sync_folder(&self.folder).map_err(failed(&self.folder, "syncing"))?;
            self.folder_unsynced = false;
        }
        Ok(())
    }

    /// The number that the next record gets.
    pub const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Every record before this number is on disk, as far as the [`Durability`] promises.
    pub const fn kept_seq(&self) -> u64 {
        self.kept_seq
    }

    /// The number of the oldest record that can be read.
    pub fn oldest_seq(&self) -> u64 {
        self.segments.first().map_or(0, |segment| segment.first_seq)
    }

    /// Records that wait in memory.
    pub const fn pending_records(&self) -> u64 {
        self.next_seq - self.kept_seq
    }

    /// The memory that they take, in bytes.
    pub const fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    /// Records that were refused because memory had run out.
    pub const fn refused_records(&self) -> u64 {
        self.refused
    }

    /// Bytes that were cut when the journal was opened: records that a crash had torn.
    pub const fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Segments on disk.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Whether writing works.
    pub const fn condition(&self) -> &Condition {
        &self.condition
    }
}

/// The segments in a folder, in order.
fn list_segments(disk: &dyn Disk, folder: &Path) -> Result<Vec<Segment>, StoreError> {
    let mut segments = Vec::new();
    for name in disk.list(folder).map_err(failed(folder, "reading"))? {
        if let Some(first_seq) = segment::first_seq_of(&name) {
            let path = folder.join(&name);
            let mut file = disk.open(&path, Access::Read).map_err(failed(&path, "opening"))?;
            let bytes = file.size().map_err(failed(&path, "reading"))?;
            segments.push(Segment { first_seq, bytes });
        }
    }
    Ok(segments)
}
