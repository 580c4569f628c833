//! How long to wait before another try.

use forewarn_numerics::Fnv1a;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::time::Duration;

/// First wait.
const FIRST: Duration = Duration::from_secs(1);

/// Waits that double with every failure in a row, from 1 s up to a longest one, each at random between half of that and
/// all, so that clients that failed together do not come back together. What the server asks for (`Retry-After`) is
/// waited at least, up to a longest time of its own.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    longest: Duration,
    longest_asked: Duration,
    random: ChaCha8Rng,
}

impl Backoff {
    /// For the server of this name, up to `longest` of its own and up to `longest_asked` where the server asks for it.
    /// Name and `salt` decide the jitter: the same in every run, and another for each.
    pub(crate) fn new(name: &str, salt: u64, (longest, longest_asked): (Duration, Duration)) -> Self {
        let mut hash = Fnv1a::new();
        hash.add_bytes(name.as_bytes());
        hash.add_bytes(&salt.to_le_bytes());
        Self { longest, longest_asked, random: ChaCha8Rng::seed_from_u64(hash.value()) }
    }

    /// How long to wait after `failures` failures before this one, and after what the server asked for.
    pub(crate) fn wait(&mut self, failures: u32, asked: Option<Duration>) -> Duration {
        let full = FIRST.saturating_mul(2u32.saturating_pow(failures)).min(self.longest);
        let half = full / 2;
        // The 32 upper bits over 2^32: at least 0, below 1.
        let share = f64::from(self.random.next_u32()) / (f64::from(u32::MAX) + 1.0);
        (half + half.mul_f64(share)).max(asked.unwrap_or_default().min(self.longest_asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(name: &str, salt: u64) -> Backoff {
        Backoff::new(name, salt, (Duration::from_secs(30), Duration::from_secs(60)))
    }

    #[test]
    fn waits_double_up_to_the_longest_each_between_a_half_and_the_whole() {
        let mut waits = backoff("a", 7);
        for failures in 0..40 {
            let full = Duration::from_secs(2u64.saturating_pow(failures).min(30));
            let wait = waits.wait(failures, None);
            assert!((full / 2..=full).contains(&wait), "{failures}: {wait:?}");
        }
        assert_eq!(backoff("a", 1).wait(3, None), backoff("a", 1).wait(3, None));
        assert_ne!(backoff("a", 1).wait(3, None), backoff("a", 2).wait(3, None));
        assert_ne!(backoff("a", 1).wait(3, None), backoff("b", 1).wait(3, None));
    }

    #[test]
    fn a_server_is_heeded_up_to_a_longest_time() {
        let asked = |seconds| backoff("a", 1).wait(0, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(20), Duration::from_secs(20));
        assert_eq!(asked(u64::MAX), Duration::from_secs(60));
        assert!(asked(0) >= FIRST / 2);
    }
}
