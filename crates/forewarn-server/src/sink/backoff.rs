//! How long to wait before another try.

use super::time::plus_millis;
use forewarn_schema::Timestamp;
use sha2::{Digest, Sha256};

/// Waits that double with every failure in a row, from 1 s to 5 minutes, each shortened by up to a half so that
/// clients that failed together do not come back together. What the server asks for (`Retry-After`) is waited at
/// least, up to an hour.
///
/// The jitter is a hash of the target's name and the number of the try: the same in every run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    name: String,
    failures: u32,
    tries: u64,
    until: Option<Timestamp>,
}

/// First wait.
const FIRST_MILLIS: u64 = 1_000;
/// Longest wait of its own.
const LONGEST_MILLIS: u64 = 300_000;
/// Longest wait that a server may ask for.
const LONGEST_ASKED_SECS: u64 = 3_600;

impl Backoff {
    /// For the target of this name.
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), failures: 0, tries: 0, until: None }
    }

    /// Until when nothing is to be tried; `None` where it may be now.
    pub(crate) fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        // A clock that was set back must not stop a target for longer than the longest wait.
        let longest = plus_millis(now, LONGEST_ASKED_SECS as i64 * 1000);
        self.until.filter(|until| now < *until && *until <= longest)
    }

    /// A try succeeded.
    pub(crate) fn succeed(&mut self) {
        (self.failures, self.until) = (0, None);
    }

    /// A try failed; `asked_secs` is what the server asked to wait.
    pub(crate) fn fail(&mut self, now: Timestamp, asked_secs: Option<u64>) {
        let full = (FIRST_MILLIS << self.failures.min(20)).min(LONGEST_MILLIS);
        let hash = Sha256::digest(format!("{}\n{}", self.name, self.tries));
        let share = u64::from(hash[0]) * 256 + u64::from(hash[1]);
        let wait = full - full / 2 * share / 65_536;
        let asked = asked_secs.unwrap_or(0).min(LONGEST_ASKED_SECS) * 1000;
        self.failures = self.failures.saturating_add(1);
        self.tries += 1;
        self.until = Some(plus_millis(now, wait.max(asked) as i64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(name: &str, failures: usize) -> Vec<i64> {
        let mut backoff = Backoff::new(name);
        let wait = |backoff: &mut Backoff| {
            backoff.fail(Timestamp::EPOCH, None);
            backoff.waits_until(Timestamp::EPOCH).unwrap().millis()
        };
        (0..failures).map(|_| wait(&mut backoff)).collect()
    }

    #[test]
    fn waits_double_up_to_five_minutes_each_between_a_half_and_the_whole() {
        for (number, wait) in (0..).zip(waits("a", 40)) {
            let full = (1_000_i64 << std::cmp::min(number, 20)).min(300_000);
            assert!(wait > full / 2 - 1 && wait <= full, "{number}: {wait}");
        }
        assert_eq!(waits("a", 5), waits("a", 5));
        assert_ne!(waits("a", 5), waits("b", 5));
    }

    #[test]
    fn a_server_is_heeded_up_to_an_hour_and_success_ends_it() {
        let mut backoff = Backoff::new("a");
        backoff.fail(Timestamp::EPOCH, Some(120));
        assert_eq!(backoff.waits_until(Timestamp::EPOCH), Timestamp::from_millis(120_000));
        backoff.fail(Timestamp::EPOCH, Some(u64::MAX));
        assert_eq!(backoff.waits_until(Timestamp::EPOCH), Timestamp::from_millis(3_600_000));
        backoff.succeed();
        assert_eq!((backoff.waits_until(Timestamp::EPOCH), backoff.failures), (None, 0));
    }

    #[test]
    fn a_clock_that_is_set_back_a_day_stops_nothing() {
        let day = Timestamp::from_millis(86_400_000).unwrap();
        let mut backoff = Backoff::new("a");
        backoff.fail(day, None);
        assert!(backoff.waits_until(day).is_some() && backoff.waits_until(Timestamp::EPOCH).is_none());
    }
}
