use super::{EventId, EventMark, MAX_EVENT};
use crate::input::Input;
use serde::{Deserialize, de::IgnoredAny};
use std::io;

/// What a log holds after the mark of the last checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recovered {
    /// Bytes up to the last line that stays.
    pub(super) bytes: u64,
    pub(super) last: Option<EventId>,
    /// The first event of a record that the journal does not have. The log ends before it.
    pub(super) beyond: Option<EventId>,
}

#[derive(Deserialize)]
struct Line {
    seq: u64,
    index: u32,
    #[serde(rename = "event")]
    _event: IgnoredAny,
}

/// Reads lines as long as they are whole and in order, and of records before `next_seq`.
///
/// What comes after the first bad line was never synced: a replay from the checkpoint writes it again.
pub(super) fn recover(input: &mut Input, mark: EventMark, next_seq: u64) -> io::Result<Recovered> {
    let mut found = Recovered { bytes: mark.bytes, last: mark.last, beyond: None };
    while let Some(size) = line(input, found.bytes)? {
        let Some(line) = input.bytes(found.bytes, size)? else { break };
        let Ok(line) = serde_json::from_slice::<Line>(line) else { break };
        let id = EventId { seq: line.seq, index: line.index };
        if found.last.is_some_and(|last| id <= last) {
            break;
        }
        if id.seq >= next_seq {
            found.beyond = Some(id);
            break;
        }
        found.last = Some(id);
        found.bytes += size as u64;
    }
    Ok(found)
}

/// The size of the line at `offset` with its end; `None` where it has no end, or is longer than any event.
fn line(input: &mut Input, offset: u64) -> io::Result<Option<usize>> {
    let mut size = 0;
    while size <= MAX_EVENT {
        let bytes = input.ahead(offset + size as u64)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            return Ok(Some(size + end + 1));
        }
        size += bytes.len();
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Access, Disk, simulated::SimulatedDisk};

    const LOG: &str = "{\"seq\":0,\"index\":0,\"event\":{}}\n{\"seq\":0,\"index\":1,\"event\":{\"a\":[1]}}\n\
                       {\"seq\":4,\"index\":0,\"event\":null}\n";

    fn recovered(log: &[u8], mark: EventMark, next_seq: u64) -> Recovered {
        let disk = SimulatedDisk::default();
        disk.set_content("f", log);
        let mut input = Input::new(disk.open("f".as_ref(), Access::Read).unwrap()).unwrap();
        recover(&mut input, mark, next_seq).unwrap()
    }

    #[test]
    fn a_log_cut_anywhere_keeps_its_whole_lines() {
        let ends: Vec<usize> = LOG.match_indices('\n').map(|(at, _)| at + 1).collect();
        let ids = [EventId { seq: 0, index: 0 }, EventId { seq: 0, index: 1 }, EventId { seq: 4, index: 0 }];
        for size in 0..=LOG.len() {
            let whole = ends.partition_point(|&end| end <= size);
            let found = recovered(&LOG.as_bytes()[..size], EventMark::default(), 5);
            assert_eq!(found.last, ids[..whole].last().copied(), "{size} bytes");
            assert_eq!(found.bytes, ends[..whole].last().map_or(0, |&end| end as u64), "{size} bytes");
        }
    }

    #[test]
    fn lines_out_of_order_or_no_json_end_the_log() {
        for bad in ["{\"seq\":4,\"index\":0,\"event\":0}", "\0\0\0\0", "{\"seq\":9,\"index\":0}", "[]", ""] {
            let log = format!("{LOG}{bad}\n{{\"seq\":9,\"index\":0,\"event\":0}}\n");
            let found = recovered(log.as_bytes(), EventMark::default(), 10);
            assert_eq!(found.bytes, LOG.len() as u64, "{bad}");
        }
    }

    #[test]
    fn lines_before_the_mark_are_not_read_and_those_beyond_the_journal_are_told() {
        let mark = EventMark { bytes: 32, last: Some(EventId { seq: 0, index: 0 }) };
        let log = LOG.replacen("{\"seq\":0,\"index\":0,\"event\":{}}", "###############################", 1);
        let found = recovered(log.as_bytes(), mark, 4);
        assert_eq!(found.last, Some(EventId { seq: 0, index: 1 }));
        assert_eq!(found.beyond, Some(EventId { seq: 4, index: 0 }));
    }
}
