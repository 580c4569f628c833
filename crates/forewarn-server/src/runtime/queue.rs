//! The queue of what the engine is to take: bounded by batches and by inputs.

use crate::ServerError;
use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Most batches that wait.
pub(super) const MOST_BATCHES: usize = 1_024;
/// Most inputs that wait. A single batch may be larger.
pub(super) const MOST_INPUTS: usize = 1_000_000;

/// Something that counts as a number of inputs.
pub(super) trait Weight {
    fn weight(&self) -> usize;
}

pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    has_items: Condvar,
    has_place: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    weight: usize,
    refused: u64,
    is_closed: bool,
}

impl<T> State<T> {
    fn has_place(&self, weight: usize) -> bool {
        self.items.is_empty()
            || (self.items.len() < MOST_BATCHES && self.weight.saturating_add(weight) <= MOST_INPUTS)
    }
}

impl<T: Weight> Queue<T> {
    pub(super) fn new() -> Self {
        let state = State { items: VecDeque::new(), weight: 0, refused: 0, is_closed: false };
        Self { state: Mutex::new(state), has_items: Condvar::new(), has_place: Condvar::new() }
    }

    /// Puts something at the end, and waits for a place if asked to.
    pub(super) fn push(&self, item: T, waits: bool) -> Result<(), ServerError> {
        let (mut state, weight) = (self.lock(), item.weight());
        loop {
            if state.is_closed {
                return Err(ServerError::Stopped);
            }
            if state.has_place(weight) {
                state.weight += weight;
                state.items.push_back(item);
                self.has_items.notify_one();
                return Ok(());
            }
            if !waits {
                state.refused += 1;
                return Err(ServerError::Busy { waiting: state.weight });
            }
            state = self.has_place.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Moves what has come to `out`: nothing if nothing comes within `timeout`. `false` when the queue is closed and
    /// empty.
    pub(super) fn take(&self, out: &mut Vec<T>, most_weight: usize, timeout: Duration) -> bool {
        let mut state = self.lock();
        if state.items.is_empty() && !state.is_closed {
            (state, _) = self.has_items.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner);
        }
        let mut taken = 0;
        while taken < most_weight {
            let Some(item) = state.items.pop_front() else { break };
            taken += item.weight().max(1);
            state.weight -= item.weight();
            out.push(item);
        }
        self.has_place.notify_all();
        !(out.is_empty() && state.is_closed)
    }

    /// Refuses everything from now on. What waits can still be taken.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.has_items.notify_all();
        self.has_place.notify_all();
    }

    /// Inputs that wait, and batches that were refused.
    pub(super) fn load(&self) -> (usize, u64) {
        let state = self.lock();
        (state.weight, state.refused)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Heavy(usize);

    impl Weight for Heavy {
        fn weight(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn it_is_bounded_and_drained_after_it_is_closed() {
        let queue = Queue::new();
        queue.push(Heavy(2 * MOST_INPUTS), false).unwrap();
        assert!(matches!(queue.push(Heavy(1), false), Err(ServerError::Busy { .. })));
        assert_eq!(queue.load(), (2 * MOST_INPUTS, 1));
        let mut out = Vec::new();
        assert!(queue.take(&mut out, 1, Duration::ZERO));
        for _ in 0..MOST_BATCHES {
            queue.push(Heavy(0), false).unwrap();
        }
        assert!(matches!(queue.push(Heavy(0), false), Err(ServerError::Busy { .. })));
        queue.close();
        assert!(matches!(queue.push(Heavy(0), true), Err(ServerError::Stopped)));
        out.clear();
        assert!(queue.take(&mut out, MOST_BATCHES, Duration::ZERO));
        assert_eq!(out.len(), MOST_BATCHES);
        out.clear();
        assert!(!queue.take(&mut out, 1, Duration::ZERO));
    }
}
