use crate::ServerError;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// Most bytes of a log: some 200,000 commands.
const MOST_BYTES: u64 = 64 << 20;

/// What was done to a target, one JSON object a line, after a line that says to which one. Together they give the
/// state of its faults again, after a kill at any moment.
#[derive(Debug)]
pub(super) struct ChaosLog {
    path: PathBuf,
    file: File,
    bytes: u64,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    /// Fingerprint of a simulation, or the word for a target.
    simulation: String,
}

impl ChaosLog {
    /// Opens a log, or begins one, and reads what it has. A last line that a kill has cut is cut off: its command was
    /// never acknowledged.
    pub(super) fn open<Entry: DeserializeOwned>(
        path: &Path,
        simulation: &str,
    ) -> Result<(Self, Vec<Entry>), ServerError> {
        let cannot = |source| ServerError::File { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(cannot)?;
        let bytes = file.metadata().map_err(cannot)?.len();
        if bytes > MOST_BYTES {
            return Err(cannot(io::Error::other("larger than 64 MiB, which no log of commands is")));
        }
        let mut text = Vec::new();
        (&mut file).take(MOST_BYTES).read_to_end(&mut text).map_err(cannot)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64).map_err(cannot)?;
        let mut log = Self { path: path.to_owned(), file, bytes: whole as u64 };
        let entries = log.read(&text[..whole], simulation)?;
        if whole == 0 {
            log.append_line(&Header { simulation: simulation.to_owned() }).map_err(cannot)?;
        }
        Ok((log, entries))
    }

    fn read<Entry: DeserializeOwned>(
        &self,
        text: &[u8],
        simulation: &str,
    ) -> Result<Vec<Entry>, ServerError> {
        let wrong = |line: usize, reason: String| {
            let reason = format!("{}: line {line}: {reason}", self.path.display());
            ServerError::Config { reason }
        };
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let Some(first) = lines.next() else { return Ok(Vec::new()) };
        let header: Header = serde_json::from_slice(first).map_err(|error| wrong(1, error.to_string()))?;
        if header.simulation != simulation {
            let reason = "the log of faults is one of another simulation or target: go back to its scenario and seed, \
                          or name an empty store folder";
            return Err(wrong(1, reason.to_owned()));
        }
        let parse =
            |(index, line)| serde_json::from_slice(line).map_err(|error| wrong(index + 2, error.to_string()));
        lines.enumerate().map(parse).collect()
    }

    /// Keeps an entry: it is on disk when this returns, or there is no trace of it.
    pub(super) fn append(&mut self, entry: &impl Serialize) -> io::Result<()> {
        self.append_line(entry)
    }

    fn append_line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        if self.bytes + line.len() as u64 > MOST_BYTES {
            return Err(io::Error::other("the log of faults is full: name an empty store folder"));
        }
        let written = io::Seek::seek(&mut self.file, io::SeekFrom::Start(self.bytes))
            .and_then(|_| self.file.write_all(&line))
            .and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.bytes += line.len() as u64,
            // Whatever was written of it goes, or is overwritten by the next.
            Err(_) => self.file.set_len(self.bytes).unwrap_or_default(),
        }
        written
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_sim::fleet::{ChaosEntry, ChaosKind, ChaosSession, Fleet};
    use std::fs;

    fn entries(count: usize) -> Vec<ChaosEntry> {
        let mut session = ChaosSession::new(&Fleet::shop(1)).unwrap();
        let mut entries = Vec::new();
        for _ in 0..count {
            let entry = session.order_injection(ChaosKind::CpuSpike, "auth", Some(0.1 + 0.2), None).unwrap();
            session.carry_out(entry.clone());
            entries.push(entry);
            session.tick();
        }
        entries
    }

    #[test]
    fn a_line_that_was_cut_is_gone_and_the_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chaos.ndjson");
        let expected = entries(3);
        let (mut log, read) = ChaosLog::open::<ChaosEntry>(&path, "a").unwrap();
        assert!(read.is_empty());
        expected.iter().for_each(|entry| log.append(entry).unwrap());
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut log, mut read) = ChaosLog::open(&path, "a").unwrap();
            let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(read, expected[..lines.saturating_sub(1)]);
            // It goes on where it was cut.
            log.append(&expected[2]).unwrap();
            read.push(expected[2].clone());
            assert_eq!(ChaosLog::open::<ChaosEntry>(&path, "a").unwrap().1, read);
        }
    }

    #[test]
    fn a_damaged_or_foreign_log_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chaos.ndjson");
        drop(ChaosLog::open::<ChaosEntry>(&path, "a").unwrap());
        let error = ChaosLog::open::<ChaosEntry>(&path, "b").unwrap_err().to_string();
        assert!(error.contains("another simulation"), "{error}");
        fs::write(&path, "{\"simulation\":\"a\"}\n{\"tick\":3}\n").unwrap();
        let error = ChaosLog::open::<ChaosEntry>(&path, "a").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("command"), "{error}");
    }
}
