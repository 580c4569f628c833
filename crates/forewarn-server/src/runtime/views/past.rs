//! What the log of events says of the time before the last checkpoint.

use forewarn_live::Event;
use serde::Deserialize;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek, SeekFrom},
    path::Path,
};

/// Bytes at the end of the log that are read: at about 100 MB a second.
const MOST_BYTES: u64 = 128 << 20;
/// Events that are handed over at once, or a few more: those of a minute stay together.
const GROUP: usize = 10_000;

#[derive(Deserialize)]
struct Line {
    seq: u64,
    event: Event,
}

/// Gives the last events of records before number `end`, in groups, and says how many lines could not be understood.
/// A checkpoint has the state of the engine and no events: without them a page would be empty after a restart.
pub(in crate::runtime) fn past_events(
    path: &Path,
    end: u64,
    mut take: impl FnMut(Vec<Event>),
) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(MOST_BYTES);
    // One byte before, so that a line that begins at the start is not taken for the rest of one.
    file.seek(SeekFrom::Start(start.saturating_sub(1)))?;
    let (mut file, mut line, mut group, mut unclear) = (BufReader::new(file), Vec::new(), Vec::new(), 0);
    if start > 0 {
        file.read_until(b'\n', &mut line)?;
    }
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        match serde_json::from_slice::<Line>(&line) {
            Ok(line) if line.seq >= end => break,
            Ok(line) => {
                let is_other_minute = group.last().is_some_and(|last: &Event| last.time != line.event.time);
                if group.len() >= GROUP && is_other_minute {
                    take(std::mem::take(&mut group));
                }
                group.push(line.event);
            }
            Err(_) => unclear += 1,
        }
    }
    if !group.is_empty() {
        take(group);
    }
    Ok(unclear)
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_live::EventBody;
    use forewarn_schema::Timestamp;
    use std::fmt::Write;

    #[test]
    fn it_ends_where_the_replay_begins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        let mut text = "what is this\n".to_owned();
        for seq in 0..10_u64 {
            let body = EventBody::ServiceAppeared { service: "cart".to_owned() };
            let event = Event { seq: 100 + seq, time: Timestamp::EPOCH, body };
            let event = serde_json::to_string(&event).unwrap();
            writeln!(text, "{{\"seq\":{seq},\"index\":0,\"event\":{event}}}").unwrap();
        }
        std::fs::write(&path, text).unwrap();
        let mut found = Vec::new();
        let unclear = past_events(&path, 7, |events| found.extend(events.iter().map(|event| event.seq)));
        assert_eq!(unclear.unwrap(), 1);
        assert_eq!(found, (100..107).collect::<Vec<_>>());
    }
}
