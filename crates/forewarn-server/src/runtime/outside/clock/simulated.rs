use super::{Clock, SLICE, Stop};
use forewarn_schema::Timestamp;
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// A clock of tests: time passes when [`advance`](Self::advance) or [`run`](Self::run) says so, and sleepers wake when
/// their time has come.
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
    sleepers: Vec<Sleeper>,
    /// Number of the next sleeper.
    next: u64,
}

#[derive(Debug)]
struct Sleeper {
    number: u64,
    /// When it wakes.
    due: Duration,
    /// Name of its thread.
    name: String,
    is_woken: bool,
}

impl Virtual {
    /// Threads that sleep and have not been woken.
    fn at_rest(&self) -> usize {
        self.sleepers.iter().filter(|sleeper| !sleeper.is_woken).count()
    }

    /// Wakes all whose time has come.
    fn wake_due(&mut self) {
        for sleeper in &mut self.sleepers {
            sleeper.is_woken |= sleeper.due <= self.passed;
        }
    }

    /// The one that wakes first, of several the one whose thread's name comes first.
    fn first(&mut self) -> Option<&mut Sleeper> {
        let asleep = self.sleepers.iter_mut().filter(|sleeper| !sleeper.is_woken);
        asleep.min_by(|a, b| a.due.cmp(&b.due).then_with(|| a.name.cmp(&b.name)))
    }
}

impl VirtualClock {
    /// Time that passes between two looks of a thread at another one.
    const LOOK: Duration = Duration::from_secs(1);

    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { start, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Lets time pass at once; all whose time has come wake together.
    pub fn advance(&self, time: Duration) {
        let mut state = self.lock();
        state.passed = state.passed.saturating_add(time);
        state.wake_due();
        self.changed.notify_all();
    }

    /// Lets time pass from one sleeper to the next: each wakes at its own time, alone, and the next one only when it
    /// sleeps again, so that a run of several threads is the same each time. `threads` are those that sleep by this
    /// clock and do nothing else at length; it waits until all of them do.
    pub fn run(&self, time: Duration, threads: usize) {
        let mut state = self.lock();
        let end = state.passed.saturating_add(time);
        loop {
            while state.at_rest() < threads {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let Some(first) = state.first().filter(|sleeper| sleeper.due <= end) else { break };
            first.is_woken = true;
            state.passed = first.due.max(state.passed);
            self.changed.notify_all();
        }
        state.passed = end;
    }

    /// Waits until at least `count` threads sleep whose time has not come.
    pub fn wait_for_sleepers(&self, count: usize) {
        let mut state = self.lock();
        while state.at_rest() < count {
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
        if time.is_zero() {
            return !stop.is_stopped();
        }
        let mut state = self.lock();
        let (number, due) = (state.next, state.passed.saturating_add(time));
        let name = thread::current().name().unwrap_or_default().to_owned();
        state.next += 1;
        state.sleepers.push(Sleeper { number, due, name, is_woken: false });
        self.changed.notify_all();
        loop {
            let own = state.sleepers.iter().position(|sleeper| sleeper.number == number);
            let is_woken = own.is_none_or(|own| state.sleepers[own].is_woken);
            if is_woken || stop.is_stopped() {
                own.map(|own| state.sleepers.swap_remove(own));
                return is_woken;
            }
            // A request to stop is a flag, which wakes no one.
            (state, _) = self.changed.wait_timeout(state, SLICE).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn look(&self) -> Duration {
        Self::LOOK
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn sleepers_wake_one_after_another_in_order_of_time_and_name() {
        let clock = Arc::new(VirtualClock::new(Timestamp::EPOCH));
        let (said, stop) = (Arc::new(Mutex::new(Vec::new())), Stop::default());
        let threads: Vec<_> = [("b", 3), ("a", 3), ("c", 2)]
            .into_iter()
            .map(|(name, seconds)| {
                let (clock, said, stop) = (Arc::clone(&clock), Arc::clone(&said), stop.clone());
                let run = move || {
                    while clock.sleep(Duration::from_secs(seconds), &stop) {
                        said.lock().unwrap().push(format!("{} {name}", clock.elapsed().as_secs()));
                    }
                };
                thread::Builder::new().name(name.to_owned()).spawn(run).unwrap()
            })
            .collect();
        clock.run(Duration::from_secs(6), 3);
        clock.wait_for_sleepers(3);
        let expected = ["2 c", "3 a", "3 b", "4 c", "6 a", "6 b", "6 c"];
        assert_eq!(*said.lock().unwrap(), expected);
        assert_eq!(clock.elapsed(), Duration::from_secs(6));
        stop.stop();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
