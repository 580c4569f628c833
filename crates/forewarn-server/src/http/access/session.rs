use crate::http::{TokenHash, new_token};
use crate::store::{Readers, replace};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a browser stays signed in.
pub(crate) const SESSION: Duration = Duration::from_secs(12 * 60 * 60);
/// Browsers that are signed in at once; beyond, the one whose session ends first is signed out.
const MOST_SESSIONS: usize = 10_000;
/// The file of the store that has them.
const FILE: &str = "sessions.json";
/// Most bytes of it.
const MOST_BYTES: u64 = 4 << 20;

/// The browsers that are signed in. A session has an id of 256 random bits, of which only the hash is kept, as of a
/// token, so that a server that is started again knows its browsers and its disk has no secret.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    all: BTreeMap<TokenHash, Session>,
    path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Session {
    /// The token that it was exchanged for: a session ends when that is no longer accepted, and may do what it may.
    token: TokenHash,
    /// Seconds since 1970.
    ends: u64,
}

/// A session in the file, hashes in hexadecimal digits.
#[derive(Serialize, Deserialize)]
struct Line {
    id: String,
    token: String,
    ends: u64,
}

impl Sessions {
    /// From now on they are kept in the folder of the store; those that are there already go on. A file that cannot
    /// be read costs its sessions, and the log says so.
    pub(crate) fn keep_in(&self, folder: &Path) {
        let path = folder.join(FILE);
        let found = read(&path).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "the sessions of browsers cannot be read");
            BTreeMap::new()
        });
        let mut kept = self.lock();
        kept.all.extend(found);
        kept.path = Some(path);
    }

    /// Starts a session of the bearer of a token, and gives its id.
    pub(crate) fn start(&self, token: TokenHash, now: SystemTime) -> Result<String, getrandom::Error> {
        let id = new_token()?;
        let (mut kept, now) = (self.lock(), seconds(now));
        kept.all.retain(|_, session| session.ends > now);
        if kept.all.len() >= MOST_SESSIONS {
            let first = kept.all.iter().min_by_key(|(_, session)| session.ends).map(|(hash, _)| *hash);
            first.and_then(|hash| kept.all.remove(&hash));
        }
        kept.all.insert(TokenHash::of(&id), Session { token, ends: now + SESSION.as_secs() });
        kept.write();
        Ok(id)
    }

    /// The token of this session, unless it is over. The look-up is by hash, whose timing tells nothing of an id.
    pub(crate) fn find(&self, id: &str, now: SystemTime) -> Option<TokenHash> {
        let kept = self.lock();
        let session = kept.all.get(&TokenHash::of(id)).filter(|session| session.ends > seconds(now))?;
        Some(session.token)
    }

    /// Ends a session.
    pub(crate) fn end(&self, id: &str) {
        let mut kept = self.lock();
        if kept.all.remove(&TokenHash::of(id)).is_some() {
            kept.write();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // A panic elsewhere leaves the map whole: each change is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Keeps them on disk. Without, they hold until the server ends.
    fn write(&self) {
        let Some(path) = &self.path else { return };
        let line = |(id, session): (&TokenHash, &Session)| Line {
            id: id.to_string(),
            token: session.token.to_string(),
            ends: session.ends,
        };
        let lines: Vec<Line> = self.all.iter().map(line).collect();
        let text = serde_json::to_vec(&lines).map_err(io::Error::from);
        let written = text.and_then(|text| replace(path, &text, Readers::Owner));
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "browsers will be signed out by a restart");
        }
    }
}

fn read(path: &Path) -> io::Result<BTreeMap<TokenHash, Session>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut text)?;
    let lines: Vec<Line> = serde_json::from_slice(&text)?;
    let session = |line: Line| {
        let token = TokenHash::from_hex(&line.token)?;
        Some((TokenHash::from_hex(&line.id)?, Session { token, ends: line.ends }))
    };
    let all = lines.into_iter().map(session).collect::<Option<_>>();
    all.ok_or_else(|| io::Error::other("a hash is not 64 hexadecimal digits"))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn token() -> TokenHash {
        TokenHash::of("t")
    }

    #[test]
    fn a_session_lasts_until_it_is_ended_or_over() {
        let (sessions, now) = (Sessions::default(), SystemTime::now());
        let (one, other) = (sessions.start(token(), now).unwrap(), sessions.start(token(), now).unwrap());
        assert_eq!(sessions.find(&one, now), Some(token()));
        assert_eq!(sessions.find("fw_00", now), None);
        sessions.end(&one);
        assert_eq!(sessions.find(&one, now), None);
        assert_eq!(sessions.find(&other, now + SESSION - Duration::from_secs(1)), Some(token()));
        assert_eq!(sessions.find(&other, now + SESSION), None);
    }

    #[test]
    fn sessions_are_bounded_and_old_ones_go_first() {
        let (sessions, now) = (Sessions::default(), SystemTime::now());
        let first = sessions.start(token(), now).unwrap();
        let later = now + Duration::from_secs(1);
        let ids: Vec<String> = (0..MOST_SESSIONS).map(|_| sessions.start(token(), later).unwrap()).collect();
        assert_eq!(sessions.lock().all.len(), MOST_SESSIONS);
        assert_eq!(sessions.find(&first, later), None);
        assert!(sessions.find(&ids[0], later).is_some());
    }

    #[test]
    fn sessions_outlive_the_process_and_leave_no_secret() {
        let (folder, now) = (tempfile::tempdir().unwrap(), SystemTime::now());
        let open = || {
            let sessions = Sessions::default();
            sessions.keep_in(folder.path());
            sessions
        };
        let (one, other) = {
            let sessions = open();
            let pair = (sessions.start(token(), now).unwrap(), sessions.start(token(), now).unwrap());
            sessions.end(&pair.0);
            pair
        };
        assert_eq!(open().find(&other, now), Some(token()));
        assert_eq!(open().find(&one, now), None, "signed out");
        assert_eq!(open().find(&other, now + SESSION), None, "over");
        let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!text.contains(&other) && !text.contains(other.trim_start_matches("fw_")));
        fs::write(folder.path().join(FILE), "[{").unwrap();
        assert_eq!(open().find(&other, now), None);
    }
}
