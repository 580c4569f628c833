//! A record on disk: how long it is, which one it is, how much before it was durable, a checksum, its bytes.

use crate::input::Input;
use std::io;

/// Bytes before a record's own: length, count of records before it that were not durable yet, sequence number,
/// checksum.
pub(crate) const HEADER: usize = 20;

/// The largest record, in bytes: a limit on what one damaged length can ask for.
pub(crate) const MAX_RECORD: usize = 16 << 20;

/// Appends a record to `out`. `unsynced` says how many records before it were not yet durable; `record` is at most
/// [`MAX_RECORD`] long.
pub(crate) fn encode(seq: u64, unsynced: u32, record: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&(record.len() as u32).to_le_bytes());
    out.extend_from_slice(&unsynced.to_le_bytes());
    out.extend_from_slice(&seq.to_le_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&out[start..]), record);
    out.extend_from_slice(&checksum.to_le_bytes());
    out.extend_from_slice(record);
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    Frame(Frame<'a>),
    /// The file ends here.
    End,
    /// No whole record is here.
    Bad(&'static str),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) seq: u64,
    pub(crate) unsynced: u32,
    pub(crate) record: &'a [u8],
}

impl Frame<'_> {
    /// Bytes on disk.
    pub(crate) const fn size(&self) -> u64 {
        (HEADER + self.record.len()) as u64
    }
}

/// What stands at an offset.
pub(crate) fn parse(input: &mut Input, offset: u64) -> io::Result<Parsed<'_>> {
    if offset >= input.size() {
        return Ok(Parsed::End);
    }
    let Some(header) = input.bytes(offset, HEADER)? else {
        return Ok(Parsed::Bad("the file ends within the header of a record"));
    };
    let size = u32_at(header, 0) as usize;
    if size > MAX_RECORD {
        return Ok(Parsed::Bad("the length of a record is out of range"));
    }
    let Some(bytes) = input.bytes(offset, HEADER + size)? else {
        return Ok(Parsed::Bad("the file ends within a record"));
    };
    let (header, record) = bytes.split_at(HEADER);
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&header[..HEADER - 4]), record);
    if checksum != u32_at(header, 16) {
        return Ok(Parsed::Bad("the checksum of a record does not match"));
    }
    Ok(Parsed::Frame(Frame { seq: u64_at(header, 8), unsynced: u32_at(header, 4), record }))
}

/// The little-endian number at a place; bytes that are missing count as 0, callers have checked the length.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Access, Disk, simulated::SimulatedDisk};

    fn input(bytes: &[u8]) -> Input {
        let disk = SimulatedDisk::default();
        disk.set_content("f", bytes);
        Input::new(disk.open("f".as_ref(), Access::Read).unwrap()).unwrap()
    }

    #[test]
    fn a_record_comes_back() {
        let mut bytes = vec![0xAA; 3];
        encode(7, 2, b"hello", &mut bytes);
        let mut input = input(&bytes);
        let Parsed::Frame(frame) = parse(&mut input, 3).unwrap() else { panic!("no record") };
        assert_eq!(frame, Frame { seq: 7, unsynced: 2, record: b"hello" });
        assert_eq!(3 + frame.size(), bytes.len() as u64);
        assert_eq!(parse(&mut input, bytes.len() as u64).unwrap(), Parsed::End);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let mut bytes = Vec::new();
        encode(7, 2, b"hello", &mut bytes);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut input = input(&damaged);
            assert!(matches!(parse(&mut input, 0).unwrap(), Parsed::Bad(_)), "bit {bit}");
        }
    }

    #[test]
    fn zeros_are_no_record() {
        assert!(matches!(parse(&mut input(&[0; 100]), 0).unwrap(), Parsed::Bad(_)));
    }

    /// CRC-32C of RFC 3720, appendix B.4: the format stays what it is whatever the library does.
    #[test]
    fn the_checksum_is_crc32c() {
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c::crc32c(b"123456789"), 0xE306_9283);
    }
}
