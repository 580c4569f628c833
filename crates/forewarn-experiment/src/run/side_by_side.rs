//! Work on several processors whose results do not depend on how many there are.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Processors that this program may use.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does `work` for each of `items`, as many at a time as there are processors, and gives the results in the order of
/// the items. After an error nothing new is begun; of several the first in order is returned.
pub(crate) fn side_by_side<I: Sync, T: Send, E: Send>(
    items: &[I],
    work: impl Fn(usize, &I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    on_threads(processors(), items, work)
}

/// [`side_by_side`] on this number of threads.
pub(crate) fn on_threads<I: Sync, T: Send, E: Send>(
    threads: usize,
    items: &[I],
    work: impl Fn(usize, &I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    let worker = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return };
            let result = work(at, item);
            if result.is_err() {
                next.store(items.len(), Ordering::Relaxed);
            }
            // A panic in another worker cannot leave the list half-changed.
            results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.min(items.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|&(at, _)| at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_the_first_error_wins() {
        let items: Vec<usize> = (0..100).collect();
        let squares = side_by_side(&items, |at, &item| Ok::<_, ()>(at * item)).unwrap();
        assert!(squares.iter().enumerate().all(|(index, &square)| square == index * index));
        let fails = |_, &item: &usize| if item >= 3 { Err(item) } else { Ok(item) };
        assert_eq!(side_by_side(&items, fails), Err(3));
        assert_eq!(side_by_side(&[0_usize; 0], fails), Ok(vec![]));
    }
}
