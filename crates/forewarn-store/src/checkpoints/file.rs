use super::head::Head;
use crate::{
    EventId, Fingerprint, Fingerprints, StoreError,
    disk::{Access, Disk, DiskFile, write_all_at},
    error::{damaged, failed, shown},
    events::EventMark,
    frame::{u32_at, u64_at},
    input::Input,
};
use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The layout of magic, version and checksum is that of every version.
const MAGIC: &[u8; 8] = b"FWCHECK\n";
const VERSION: u32 = 1;
const HEADER: usize = 144;
/// Size and checksum of the state.
const TRAILER: usize = 12;
const EXTENSION: &str = ".checkpoint";
pub(super) const TEMPORARY: &str = ".checkpoint.new";
/// What is written and read at once.
const CHUNK: usize = 1 << 16;

pub(super) fn path(folder: &Path, next_seq: u64) -> PathBuf {
    folder.join(format!("{next_seq:020}{EXTENSION}"))
}

pub(super) fn temporary(folder: &Path, next_seq: u64) -> PathBuf {
    folder.join(format!("{next_seq:020}{TEMPORARY}"))
}

/// The position, from a name; `None` for a file that is not ours.
pub(super) fn next_seq_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(EXTENSION)?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn header(head: &Head, version: u32) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&version.to_le_bytes());
    let last = head.events.last;
    header.extend_from_slice(&u32::from(last.is_some()).to_le_bytes());
    let last = last.unwrap_or(EventId { seq: 0, index: 0 });
    header.extend_from_slice(&head.next_seq.to_le_bytes());
    header.extend_from_slice(&head.events.bytes.to_le_bytes());
    header.extend_from_slice(&last.seq.to_le_bytes());
    header.extend_from_slice(&last.index.to_le_bytes());
    let Fingerprints { model, configuration, state_format } = head.fingerprints;
    for fingerprint in [model, configuration, state_format] {
        header.extend_from_slice(&fingerprint.0);
    }
    let checksum = crc32c::crc32c(&header);
    header.extend_from_slice(&checksum.to_le_bytes());
    header
}

fn fingerprint(header: &[u8], at: usize) -> Fingerprint {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&header[at..at + 32]);
    Fingerprint(bytes)
}

/// What reading a checkpoint gives.
pub(super) enum Verified {
    Good { head: Head, state_bytes: u64 },
    Damaged(StoreError),
}

/// Reads a checkpoint from end to end, without keeping it.
pub(super) fn verify(disk: &dyn Disk, path: &Path) -> Result<Verified, StoreError> {
    let file = disk.open(path, Access::Read).map_err(failed(path, "opening"))?;
    let mut input = Input::new(file).map_err(failed(path, "reading"))?;
    let bad = |offset, found| Ok(Verified::Damaged(damaged(path, offset, found)));
    let Some(header) = input.bytes(0, HEADER).map_err(failed(path, "reading"))? else {
        return bad(0, "the file ends within its header");
    };
    if !header.starts_with(MAGIC) || crc32c::crc32c(&header[..HEADER - 4]) != u32_at(header, HEADER - 4) {
        return bad(0, "this is not the header of a checkpoint");
    }
    let version = u32_at(header, 8);
    if version != VERSION {
        return Err(StoreError::NewerVersion { file: shown(path), found: version, supported: VERSION });
    }
    let last = EventId { seq: u64_at(header, 32), index: u32_at(header, 40) };
    let head = Head {
        next_seq: u64_at(header, 16),
        events: EventMark { bytes: u64_at(header, 24), last: (u32_at(header, 12) != 0).then_some(last) },
        fingerprints: Fingerprints {
            model: fingerprint(header, 44),
            configuration: fingerprint(header, 76),
            state_format: fingerprint(header, 108),
        },
    };
    let Some(state_bytes) = input.size().checked_sub((HEADER + TRAILER) as u64) else {
        return bad(HEADER as u64, "the file ends within its state");
    };
    let end = HEADER as u64 + state_bytes;
    let (mut offset, mut checksum) = (HEADER as u64, 0);
    while offset < end {
        let size = (end - offset).min(CHUNK as u64) as usize;
        let bytes = input.bytes(offset, size).map_err(failed(path, "reading"))?.unwrap_or_default();
        checksum = crc32c::crc32c_append(checksum, bytes);
        offset += size as u64;
    }
    let trailer = input.bytes(end, TRAILER).map_err(failed(path, "reading"))?.unwrap_or_default();
    if u64_at(trailer, 0) != state_bytes || u32_at(trailer, 8) != checksum {
        return bad(HEADER as u64, "the checksum of the state does not match");
    }
    Ok(Verified::Good { head, state_bytes })
}

/// Writes a checkpoint beside its place.
pub(super) fn write(
    file: &mut dyn DiskFile,
    head: &Head,
    state: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<u64> {
    let mut out = StateWriter { file, offset: 0, buffer: header(head, VERSION), checksum: 0, state_bytes: 0 };
    state(&mut out)?;
    let (state_bytes, checksum) = (out.state_bytes, out.checksum);
    out.buffer.extend_from_slice(&state_bytes.to_le_bytes());
    out.buffer.extend_from_slice(&checksum.to_le_bytes());
    out.flush()?;
    file.sync()?;
    Ok(state_bytes)
}

struct StateWriter<'a> {
    file: &'a mut dyn DiskFile,
    offset: u64,
    buffer: Vec<u8>,
    checksum: u32,
    state_bytes: u64,
}

impl Write for StateWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        let taken = bytes.get(..CHUNK).unwrap_or(bytes);
        self.checksum = crc32c::crc32c_append(self.checksum, taken);
        self.state_bytes += taken.len() as u64;
        self.buffer.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        write_all_at(self.file, self.offset, &self.buffer)?;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// The state in a checkpoint, read forwards. The checksum is looked at once more at its end.
#[derive(Debug)]
pub struct StateReader {
    input: Input,
    offset: u64,
    end: u64,
    checksum: u32,
}

impl StateReader {
    pub(super) fn open(disk: &dyn Disk, path: &Path, state_bytes: u64) -> Result<Self, StoreError> {
        let file = disk.open(path, Access::Read).map_err(failed(path, "opening"))?;
        let input = Input::new(file).map_err(failed(path, "reading"))?;
        Ok(Self { input, offset: HEADER as u64, end: HEADER as u64 + state_bytes, checksum: 0 })
    }
}

impl Read for StateReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let size = (self.end - self.offset).min(into.len().min(CHUNK) as u64) as usize;
        let bytes = self.input.bytes(self.offset, size)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        into[..size].copy_from_slice(bytes);
        self.checksum = crc32c::crc32c_append(self.checksum, bytes);
        self.offset += size as u64;
        if size > 0 && self.offset == self.end {
            let trailer = self.input.bytes(self.end, TRAILER)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if u32_at(trailer, 8) != self.checksum {
                let found = "the checkpoint changed while it was read";
                return Err(io::Error::new(io::ErrorKind::InvalidData, found));
            }
        }
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::simulated::SimulatedDisk;

    #[test]
    fn a_checkpoint_of_a_later_version_is_refused() {
        let disk = SimulatedDisk::default();
        let head = Head { next_seq: 3, events: EventMark::default(), fingerprints: Fingerprints::default() };
        disk.set_content("c", &header(&head, 9));
        assert!(matches!(
            verify(&disk, Path::new("c")),
            Err(StoreError::NewerVersion { found: 9, supported: 1, .. })
        ));
    }
}
