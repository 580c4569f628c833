use std::{panic::resume_unwind, thread};

/// Calls `work` on parts of `values`, each on a thread of its own, together with the index of the part's first value;
/// gives what the calls return, in the order of the parts.
///
/// What is done to a value must not depend on the part that it is in: the number of threads then changes no result.
pub(crate) fn on_parts<T: Send, R: Send>(
    values: &mut [T],
    threads: usize,
    work: impl Fn(usize, &mut [T]) -> R + Sync,
) -> Vec<R> {
    let share = values.len().div_ceil(threads.max(1)).max(1);
    if values.len() <= share {
        return vec![work(0, values)];
    }
    thread::scope(|scope| {
        let parts = (0..).step_by(share).zip(values.chunks_mut(share));
        let work = &work;
        let handles: Vec<_> = parts.map(|(first, part)| scope.spawn(move || work(first, part))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_worked_on_once_and_in_order() {
        for threads in 0..9 {
            for count in 0..9 {
                let mut values = vec![0; count];
                let parts = on_parts(&mut values, threads, |first, part| {
                    part.iter_mut().zip(first..).for_each(|(value, index)| *value += index + 1);
                    part.to_vec()
                });
                assert!(values.iter().copied().eq(1..=count), "{threads} {count}: {values:?}");
                assert_eq!(parts.concat(), values);
            }
        }
    }
}
