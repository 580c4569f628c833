use super::segment;
use crate::{
    StoreError,
    error::{damaged, failed},
    frame::{self, Parsed, u32_at, u64_at},
    input::Input,
};
use std::{io, path::Path};

/// What the last segment holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    /// Where the last whole record ends.
    pub(super) end: u64,
    /// Where the last group begins: what stands before was synced for certain.
    pub(super) certain: u64,
    /// The number after that of the last whole record.
    pub(super) next_seq: u64,
    /// Bytes of a torn tail after `end`.
    pub(super) torn_bytes: u64,
}

/// Reads the last segment to its end.
///
/// Where a record is broken, two things can have happened. A crash tore what was not synced yet, in any order, so
/// that whole records may even follow: these were never acknowledged, and the tail goes. Or a record that was
/// synced is damaged. Every record says how many before it were durable when it was made; one further on that knows
/// the broken one as durable proves damage.
pub(super) fn scan(input: &mut Input, path: &Path, first_seq: u64) -> Result<Scan, StoreError> {
    let (mut end, mut certain, mut next_seq) = (segment::HEADER, segment::HEADER, first_seq);
    let broken = loop {
        match frame::parse(input, end).map_err(failed(path, "reading"))? {
            Parsed::Frame(frame) if frame.seq == next_seq => {
                // The first record after a sync.
                if frame.unsynced == 0 {
                    certain = end;
                }
                end += frame.size();
                next_seq += 1;
            }
            Parsed::Frame(_) => break "a record has another number than the one before it calls for",
            Parsed::End => return Ok(Scan { end, certain, next_seq, torn_bytes: 0 }),
            Parsed::Bad(found) => break found,
        }
    };
    if was_durable(input, end, next_seq).map_err(failed(path, "reading"))? {
        return Err(damaged(path, end, broken));
    }
    Ok(Scan { end, certain, next_seq, torn_bytes: input.size() - end })
}

/// Whether a whole record at or after `offset` says that record `seq` was durable.
fn was_durable(input: &mut Input, offset: u64, seq: u64) -> io::Result<bool> {
    // Records between the two take their room, so that a far higher number is no record but chance.
    let highest = seq.saturating_add((input.size() - offset) / frame::HEADER as u64);
    for at in offset..input.size() {
        let Some(header) = input.bytes(at, frame::HEADER)? else { break };
        let found = u64_at(header, 8);
        let durable_before = found.saturating_sub(u64::from(u32_at(header, 4)));
        if found <= highest
            && durable_before > seq
            && matches!(frame::parse(input, at)?, Parsed::Frame(frame) if frame.seq == found)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
