//! Until when a target that failed is left alone.

use crate::outgoing::Backoff;
use crate::sink::alerts::time::plus_millis;
use forewarn_schema::Timestamp;
use std::time::Duration;

/// Longest wait of its own.
const LONGEST: Duration = Duration::from_secs(300);
/// Longest wait that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3_600);

/// The waits of a [`Backoff`] as moments of the clock: from 1 s to 5 minutes, up to an hour where a server asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Pause {
    backoff: Backoff,
    failures: u32,
    until: Option<Timestamp>,
}

impl Pause {
    /// For the target of this name.
    pub(crate) fn new(name: &str) -> Self {
        Self { backoff: Backoff::new(name, 0, (LONGEST, LONGEST_ASKED)), failures: 0, until: None }
    }

    /// Until when nothing is to be tried; `None` where it may be now.
    pub(crate) fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        // A clock that was set back must not stop a target for longer than the longest wait.
        let longest = plus_millis(now, LONGEST_ASKED.as_millis() as i64);
        self.until.filter(|until| now < *until && *until <= longest)
    }

    /// A try succeeded.
    pub(crate) fn succeed(&mut self) {
        (self.failures, self.until) = (0, None);
    }

    /// A try failed; `asked_secs` is what the server asked to wait.
    pub(crate) fn fail(&mut self, now: Timestamp, asked_secs: Option<u64>) {
        let wait = self.backoff.wait(self.failures, asked_secs.map(Duration::from_secs));
        self.failures = self.failures.saturating_add(1);
        self.until = Some(plus_millis(now, wait.as_millis() as i64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_further_and_further_apart_up_to_five_minutes() {
        let mut pause = Pause::new("a");
        for failures in 0..20 {
            pause.fail(Timestamp::EPOCH, None);
            let wait = pause.waits_until(Timestamp::EPOCH).unwrap().millis();
            let full = (1_000_i64 << failures).min(300_000);
            assert!((full / 2..=full).contains(&wait), "{failures}: {wait}");
        }
    }

    #[test]
    fn a_server_is_heeded_up_to_an_hour_and_success_ends_it() {
        let mut pause = Pause::new("a");
        pause.fail(Timestamp::EPOCH, Some(120));
        assert_eq!(pause.waits_until(Timestamp::EPOCH), Timestamp::from_millis(120_000));
        pause.fail(Timestamp::EPOCH, Some(u64::MAX));
        assert_eq!(pause.waits_until(Timestamp::EPOCH), Timestamp::from_millis(3_600_000));
        pause.succeed();
        assert_eq!((pause.waits_until(Timestamp::EPOCH), pause.failures), (None, 0));
    }

    #[test]
    fn a_clock_that_is_set_back_a_day_stops_nothing() {
        let day = Timestamp::from_millis(86_400_000).unwrap();
        let mut pause = Pause::new("a");
        pause.fail(day, None);
        assert!(pause.waits_until(day).is_some() && pause.waits_until(Timestamp::EPOCH).is_none());
    }
}
