use std::sync::atomic::{AtomicU64, Ordering};

/// A limit or check at which requests and connections are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// A token that is unknown, or one that is missing where one is needed.
    Authentication,
    /// A role that may not do what was asked for.
    Role,
    /// Bytes of a body.
    Body,
    /// Open connections.
    Connections,
    /// Time for the TLS handshake.
    Handshake,
    /// Number or bytes of headers, or time until all of them have come.
    Header,
    /// A host name that the server does not go by.
    Host,
    /// A page of another origin.
    Origin,
    /// Bytes of a query.
    Query,
    /// Requests a second.
    Rate,
    /// Open live streams.
    Sockets,
    /// Time for a request.
    Time,
    /// Time for a client to take what it is sent.
    Write,
}

impl Limit {
    /// All of them, in order of name.
    pub const ALL: [Self; 13] = [
        Self::Authentication,
        Self::Body,
        Self::Connections,
        Self::Handshake,
        Self::Header,
        Self::Host,
        Self::Origin,
        Self::Query,
        Self::Rate,
        Self::Role,
        Self::Sockets,
        Self::Time,
        Self::Write,
    ];

    /// Its name in the API and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Body => "body",
            Self::Connections => "connections",
            Self::Handshake => "handshake",
            Self::Header => "header",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Query => "query",
            Self::Rate => "rate",
            Self::Role => "role",
            Self::Sockets => "sockets",
            Self::Time => "time",
            Self::Write => "write",
        }
    }
}

/// How often each [`Limit`] was hit since the start.
#[derive(Debug, Default)]
pub struct LimitCounters([AtomicU64; Limit::ALL.len()]);

impl LimitCounters {
    /// One more.
    pub fn hit(&self, limit: Limit) {
        self.0[limit as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often a limit was hit.
    #[must_use]
    pub fn get(&self, limit: Limit) -> u64 {
        self.0[limit as usize].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_a_counter_and_a_name_of_its_own() {
        let counters = LimitCounters::default();
        for (times, limit) in (1..).zip(Limit::ALL) {
            (0..times).for_each(|_| counters.hit(limit));
        }
        for (times, limit) in (1..).zip(Limit::ALL) {
            assert_eq!(counters.get(limit), times, "{}", limit.name());
        }
        assert!(Limit::ALL.is_sorted_by_key(|limit| limit.name()));
    }
}
