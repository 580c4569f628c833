use crate::disk::{DiskFile, read_exact_at, write_all_at};
use std::{io, ops::Range};

/// What is read ahead.
const AHEAD: u64 = 1 << 16;

/// A file that is read mostly forwards, through a buffer.
#[derive(Debug)]
pub(crate) struct Input {
    file: Box<dyn DiskFile>,
    size: u64,
    /// Where in the file the buffer begins.
    start: u64,
    buffer: Vec<u8>,
}

impl Input {
    pub(crate) fn new(mut file: Box<dyn DiskFile>) -> io::Result<Self> {
        let size = file.size()?;
        Ok(Self { file, size, start: 0, buffer: Vec::new() })
    }

    /// The size of the file when it was opened.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Writes a part of the file once more to where it stands, so that the next sync writes it out for certain.
    pub(crate) fn rewrite(&mut self, to: &mut dyn DiskFile, range: Range<u64>) -> io::Result<()> {
        let mut offset = range.start;
        while offset < range.end {
            let size = (range.end - offset).min(AHEAD) as usize;
            let bytes = self.bytes(offset, size)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            write_all_at(to, offset, bytes)?;
            offset += size as u64;
        }
        Ok(())
    }

    /// What is buffered from `offset` on, read if nothing is; empty at the end of the file.
    pub(crate) fn ahead(&mut self, offset: u64) -> io::Result<&[u8]> {
        let buffered = self.start + self.buffer.len() as u64;
        let end = if (self.start..buffered).contains(&offset) {
            buffered
        } else {
            self.size.min(offset.saturating_add(AHEAD))
        };
        let bytes = self.bytes(offset, end.saturating_sub(offset) as usize)?;
        Ok(bytes.unwrap_or_default())
    }

    /// Bytes from `offset`, `None` where the file ends before. Takes memory only for what the file has.
    pub(crate) fn bytes(&mut self, offset: u64, count: usize) -> io::Result<Option<&[u8]>> {
        let Some(end) = offset.checked_add(count as u64).filter(|&end| end <= self.size) else {
            return Ok(None);
        };
        if offset < self.start || end > self.start + self.buffer.len() as u64 {
            let size = AHEAD.min(self.size - offset).max(count as u64);
            self.buffer.resize(size as usize, 0);
            if size <= AHEAD {
                // One large record leaves no large buffer behind.
                self.buffer.shrink_to(AHEAD as usize);
            }
            self.start = offset;
            if let Err(error) = read_exact_at(&mut *self.file, offset, &mut self.buffer) {
                self.buffer.clear();
                return Err(error);
            }
        }
        let from = (offset - self.start) as usize;
        Ok(self.buffer.get(from..from + count))
    }
}
