use super::Stop;
use forewarn_schema::Timestamp;
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
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

/// A clock of tests: time passes when [`advance`](Self::advance) says so, and sleepers wake when their time has come.
///
/// ```
/// use forewarn_server::runtime::{Clock, Stop, VirtualClock};
/// use std::{sync::Arc, thread, time::Duration};
///
/// let clock = Arc::new(VirtualClock::new("2026-03-02T00:00:00Z".parse()?));
/// let sleeper = thread::spawn({
///     let clock = Arc::clone(&clock);
///     move || clock.sleep(Duration::from_secs(3600), &Stop::default())
/// });
/// clock.wait_for_sleepers(1);
/// clock.advance(Duration::from_secs(3600));
/// assert!(sleeper.join().is_ok_and(|slept| slept));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct VirtualClock {
    start: Timestamp,
    state: Mutex<Virtual>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Virtual {
    passed: Duration,
    /// When each sleeper wakes.
    dues: Vec<Duration>,
}

impl VirtualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { start, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        let mut state = self.lock();
        state.passed = state.passed.saturating_add(time);
        self.changed.notify_all();
    }

    /// Waits until at least `count` threads sleep whose time has not come.
    pub fn wait_for_sleepers(&self, count: usize) {
        let mut state = self.lock();
        while state.dues.iter().filter(|&&due| due > state.passed).count() < count {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Virtual> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.lock().passed.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.start.millis().saturating_add(passed)).unwrap_or(self.start)
    }

    fn elapsed(&self) -> Duration {
        self.lock().passed
    }

    fn sleep(&self, time: Duration, stop: &Stop) -> bool {
        let mut state = self.lock();
        let due = state.passed.saturating_add(time);
        state.dues.push(due);
        self.changed.notify_all();
        while state.passed < due && !stop.is_stopped() {
            // A request to stop is a flag, which wakes no one.
            let (next, _) = self.changed.wait_timeout(state, SLICE).unwrap_or_else(PoisonError::into_inner);
            state = next;
        }
        if let Some(own) = state.dues.iter().position(|&other| other == due) {
            state.dues.swap_remove(own);
        }
        state.passed >= due
    }
}
