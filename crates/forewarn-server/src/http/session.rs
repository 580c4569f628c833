use super::{Role, TokenHash, new_token};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a browser stays signed in.
pub(crate) const SESSION: Duration = Duration::from_secs(12 * 60 * 60);
/// Browsers that are signed in at once; beyond, the one whose session ends first is signed out.
const MOST_SESSIONS: usize = 10_000;

/// The browsers that are signed in. A session has an id of 256 random bits, of which only the hash is kept, as of a
/// token; they end with the server.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<BTreeMap<TokenHash, Session>>);

#[derive(Clone, Debug)]
struct Session {
    name: String,
    role: Role,
    /// The token that it was exchanged for: a session ends when that is no longer accepted.
    token: TokenHash,
    ends: Instant,
}

/// Who a session is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedIn {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) token: TokenHash,
}

impl Sessions {
    /// Starts a session and gives its id.
    pub(crate) fn start(&self, of: SignedIn, now: Instant) -> Result<String, getrandom::Error> {
        let id = new_token()?;
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.ends > now);
        if sessions.len() >= MOST_SESSIONS {
            let first = sessions.iter().min_by_key(|(_, session)| session.ends).map(|(hash, _)| *hash);
            first.and_then(|hash| sessions.remove(&hash));
        }
        let session = Session { name: of.name, role: of.role, token: of.token, ends: now + SESSION };
        sessions.insert(TokenHash::of(&id), session);
        Ok(id)
    }

    /// Whose session this is, unless it is over. The look-up is by hash, whose timing tells nothing of an id.
    pub(crate) fn find(&self, id: &str, now: Instant) -> Option<SignedIn> {
        let sessions = self.lock();
        let session = sessions.get(&TokenHash::of(id)).filter(|session| session.ends > now)?;
        Some(SignedIn { name: session.name.clone(), role: session.role, token: session.token })
    }

    /// Ends a session.
    pub(crate) fn end(&self, id: &str) {
        self.lock().remove(&TokenHash::of(id));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<TokenHash, Session>> {
        // A panic elsewhere leaves the map whole: each change is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> SignedIn {
        SignedIn { name: "ann".to_owned(), role: Role::Operator, token: TokenHash::of("t") }
    }

    #[test]
    fn a_session_lasts_until_it_is_ended_or_over() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let (one, other) = (sessions.start(ann(), now).unwrap(), sessions.start(ann(), now).unwrap());
        assert_eq!(sessions.find(&one, now), Some(ann()));
        assert_eq!(sessions.find("fw_00", now), None);
        sessions.end(&one);
        assert_eq!(sessions.find(&one, now), None);
        assert_eq!(sessions.find(&other, now + SESSION - Duration::from_secs(1)), Some(ann()));
        assert_eq!(sessions.find(&other, now + SESSION), None);
    }

    #[test]
    fn sessions_are_bounded_and_old_ones_go_first() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let first = sessions.start(ann(), now).unwrap();
        let later = now + Duration::from_secs(1);
        let ids: Vec<String> = (0..MOST_SESSIONS).map(|_| sessions.start(ann(), later).unwrap()).collect();
        assert_eq!(sessions.lock().len(), MOST_SESSIONS);
        assert_eq!(sessions.find(&first, later), None);
        assert!(sessions.find(&ids[0], later).is_some());
    }
}
