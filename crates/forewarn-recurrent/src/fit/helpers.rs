//! Threads that help with a step, and stay awake for the next.

use forewarn_core::CoreError;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{
    hint,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a thread that waits for another stays awake: several times what lies between two steps of a fit. To wake
/// one that sleeps takes about a tenth of a step of 64 windows.
const AWAKE: Duration = Duration::from_micros(200);

/// Helpers of one caller, who does a share of each step as well.
pub(crate) struct Helpers {
    pool: ThreadPool,
    /// The number of the step: another one means that there is work.
    step: Arc<AtomicU64>,
}

impl Helpers {
    /// # Errors
    /// [`CoreError::Outside`] when threads cannot be made.
    pub(crate) fn new(count: usize) -> Result<Self, CoreError> {
        let pool = ThreadPoolBuilder::new().num_threads(count).build();
        let pool = pool.map_err(|error| CoreError::outside("starting threads", error))?;
        Ok(Self { pool, step: Arc::default() })
    }

    /// Does `work` on each share, the first on the calling thread; returns when all are done.
    pub(crate) fn share_out<S: Send>(&self, mut shares: impl Iterator<Item = S>, work: impl Fn(S) + Sync) {
        let step = self.step.load(Ordering::Relaxed) + 1;
        let (work, done) = (&work, &AtomicU64::new(0));
        self.pool.in_place_scope(|scope| {
            let own = shares.next();
            let mut shared = 0;
            for share in shares {
                let latest = Arc::clone(&self.step);
                scope.spawn(move |_| {
                    work(share);
                    // Not part of the scope, so that no thread waits for it.
                    rayon::spawn(move || stay_awake(|| latest.load(Ordering::Acquire) == step));
                    done.fetch_add(1, Ordering::Release);
                });
                shared += 1;
            }
            self.step.store(step, Ordering::Release);
            own.into_iter().for_each(work);
            stay_awake(|| done.load(Ordering::Acquire) < shared);
        });
    }
}

/// Keeps a thread from going to sleep while something is expected soon, but not for longer than [`AWAKE`].
fn stay_awake(expected: impl Fn() -> bool) {
    let since = Instant::now();
    while expected() && since.elapsed() < AWAKE {
        hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Mutex, thread};

    #[test]
    fn every_share_is_done_whether_helpers_are_awake_or_asleep() {
        for helpers in [1, 3] {
            let pool = Helpers::new(helpers).unwrap();
            for round in 0..300 {
                if round % 100 == 50 {
                    thread::sleep(AWAKE * 5);
                }
                let done = Mutex::new(Vec::new());
                pool.share_out(0..=helpers, |share| {
                    done.lock().unwrap().push((share, thread::current().id()));
                });
                let mut done = done.into_inner().unwrap();
                done.sort_unstable_by_key(|&(share, _)| share);
                assert_eq!(
                    done.iter().map(|&(share, _)| share).collect::<Vec<_>>(),
                    (0..=helpers).collect::<Vec<_>>()
                );
                assert_eq!(done[0].1, thread::current().id());
            }
        }
    }
}
