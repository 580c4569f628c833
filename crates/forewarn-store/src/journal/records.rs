use super::segment;
use crate::{
    StoreError,
    disk::Disk,
    error::{damaged, failed},
    frame::{self, Parsed},
    input::Input,
};
use std::{fmt, path::PathBuf, sync::Arc};

/// A record of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub seq: u64,
    /// Its content, as it was appended.
    pub bytes: Vec<u8>,
}

/// Records of the journal, in order: those that were on disk when the iterator was made.
///
/// Holds one buffer and one record at a time. After an error it ends.
pub struct Records {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    /// First numbers of the segments that are left, the one in `open` not among them, in reverse order.
    segments: Vec<u64>,
    open: Option<Open>,
    /// The number to be given next.
    next: u64,
    /// The number at which the iterator ends.
    until: u64,
}

struct Open {
    input: Input,
    path: PathBuf,
    offset: u64,
    /// The number of the record at `offset`.
    seq: u64,
    /// The number at which the next segment begins. What this one has from there on was written again, to the next.
    limit: u64,
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records")
            .field("next", &self.next)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Records {
    /// `segments` in order, the first of which begins at or before `from`.
    pub(super) fn new(disk: Arc<dyn Disk>, folder: PathBuf, segments: &[u64], from: u64, until: u64) -> Self {
        let skipped = segments.partition_point(|&first| first <= from).saturating_sub(1);
        let segments = segments[skipped..].iter().rev().copied().collect();
        Self { disk, folder, segments, open: None, next: from, until }
    }

    /// The number of the record that comes next.
    pub const fn next_seq(&self) -> u64 {
        self.next
    }

    /// How many records are still to come.
    pub const fn remaining(&self) -> u64 {
        self.until - self.next
    }

    fn advance(&mut self) -> Result<Record, StoreError> {
        loop {
            let open = match self.open.take() {
                Some(open) if open.seq < open.limit => self.open.insert(open),
                _ => {
                    let first = self
                        .segments
                        .pop()
                        .ok_or(StoreError::NotWritten { asked: self.next, next: self.next })?;
                    let input = segment::open(&*self.disk, &self.folder, first)?;
                    let limit = self.segments.last().copied().unwrap_or(self.until);
                    let path = segment::path(&self.folder, first);
                    self.open.insert(Open { input, path, offset: segment::HEADER, seq: first, limit })
                }
            };
            if open.seq == open.limit {
                continue;
            }
            let parsed = frame::parse(&mut open.input, open.offset).map_err(failed(&open.path, "reading"))?;
            let frame = match parsed {
                Parsed::Frame(frame) if frame.seq == open.seq => frame,
                Parsed::Frame(_) => {
                    let found = "a record has another number than the one before it calls for";
                    return Err(damaged(&open.path, open.offset, found));
                }
                Parsed::End => {
                    return Err(damaged(&open.path, open.offset, "the file ends and records are missing"));
                }
                Parsed::Bad(found) => return Err(damaged(&open.path, open.offset, found)),
            };
            open.seq += 1;
            open.offset += frame.size();
            if frame.seq >= self.next {
                self.next = frame.seq + 1;
                return Ok(Record { seq: frame.seq, bytes: frame.record.to_vec() });
            }
        }
    }
}

impl Iterator for Records {
    type Item = Result<Record, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.until {
            return None;
        }
        let record = self.advance();
        if record.is_err() {
            self.next = self.until;
        }
        Some(record)
    }
}
