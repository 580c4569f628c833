mod simulated;

pub use simulated::VirtualClock;

use crate::runtime::Stop;
use forewarn_schema::Timestamp;
use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Longest wait before a request to stop is seen.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Time, as everything in a live service but its engine sees it.
pub trait Clock: Send + Sync {
    /// The time of day. It may be set back.
    fn now(&self) -> Timestamp;

    /// Time since some moment before; never less than before.
    fn elapsed(&self) -> Duration;

    /// Waits. `false` if it was asked to stop before the time was over.
    fn sleep(&self, time: Duration, stop: &Stop) -> bool;

    /// Time between two looks of a thread that waits for what another one does.
    fn look(&self) -> Duration {
        SLICE
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// The clock of the machine.
    #[must_use]
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).ok();
        millis.and_then(Timestamp::from_millis).unwrap_or(Timestamp::EPOCH)
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration, stop: &Stop) -> bool {
        let started = Instant::now();
        while !stop.is_stopped() {
            let left = time.saturating_sub(started.elapsed());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(SLICE));
        }
        false
    }
}
