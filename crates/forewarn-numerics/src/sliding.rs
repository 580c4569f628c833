/// A summary of consecutive samples that can be joined with the summary of those that follow.
///
/// Joining must be associative but for rounding; it need not be commutative.
pub trait Summary: Copy {
    /// The summary of no sample.
    const EMPTY: Self;

    /// The summary of these samples and the `later` ones.
    #[must_use]
    fn join(self, later: Self) -> Self;
}

/// The summary of the last `steps` samples, by two stacks.
///
/// Samples are never subtracted again: a running sum that adds what comes and subtracts what goes keeps every
/// rounding error for ever, and one sample of 1e30 ruins it. Here each answer is joined afresh from the samples in
/// the window, with two joins a push on average and `steps` in the worst case. `2 steps` summaries of memory at most.
///
/// # References
/// K. Tangwongsan, M. Hirzel and S. Schneider, *Low-latency sliding-window aggregation in worst-case constant time*,
/// DEBS 2017, section 3.1 ("two-stacks").
#[derive(Clone, Debug, PartialEq)]
pub struct Sliding<S> {
    steps: usize,
    /// Summaries from each of the older samples to the last of them; the oldest sample's on top.
    older: Vec<S>,
    newer: Vec<S>,
    newer_total: S,
}

impl<S: Summary> Sliding<S> {
    /// A window of `steps` samples, at least 1, that has seen nothing yet.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        Self { steps: steps.max(1), older: Vec::new(), newer: Vec::new(), newer_total: S::EMPTY }
    }

    /// A window in the middle of its samples, from what [`older`](Self::older) and [`newer`](Self::newer) said of it:
    /// every later answer has the same bits. `None` for more samples than the window holds.
    #[must_use]
    pub fn restored(steps: usize, older: Vec<S>, newer: Vec<S>) -> Option<Self> {
        let steps = steps.max(1);
        if older.len().checked_add(newer.len())? > steps {
            return None;
        }
        let newer_total = newer.iter().fold(S::EMPTY, |total, &sample| total.join(sample));
        Some(Self { steps, older, newer, newer_total })
    }

    /// Takes the next sample; the one `steps` before it is forgotten.
    pub fn push(&mut self, sample: S) {
        if self.older.len() + self.newer.len() == self.steps {
            if self.older.is_empty() {
                let mut total = S::EMPTY;
                for sample in self.newer.drain(..).rev() {
                    total = sample.join(total);
                    self.older.push(total);
                }
                self.newer_total = S::EMPTY;
            }
            self.older.pop();
        }
        self.newer.push(sample);
        self.newer_total = self.newer_total.join(sample);
    }

    /// The summary of the samples in the window.
    #[must_use]
    pub fn total(&self) -> S {
        self.older.last().map_or(self.newer_total, |older| older.join(self.newer_total))
    }

    /// Samples of a whole window.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Summaries from each of the older samples to the last of them; the oldest sample's is last.
    #[must_use]
    pub fn older(&self) -> &[S] {
        &self.older
    }

    /// The samples after them, in order.
    #[must_use]
    pub fn newer(&self) -> &[S] {
        &self.newer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All samples in order: a join that forgets, repeats or turns any of them is seen.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Digits(u64, u32);

    impl Summary for Digits {
        const EMPTY: Self = Self(0, 0);

        fn join(self, later: Self) -> Self {
            Self(self.0.wrapping_mul(10u64.wrapping_pow(later.1)).wrapping_add(later.0), self.1 + later.1)
        }
    }

    fn plain(samples: &[u8], steps: usize) -> Digits {
        let last = &samples[samples.len().saturating_sub(steps)..];
        last.iter().fold(Digits::EMPTY, |total, &digit| total.join(Digits(u64::from(digit), 1)))
    }

    proptest! {
        #[test]
        fn the_last_samples_are_joined_in_order(samples in prop::collection::vec(0u8..10, 1..80), steps in 1usize..12, stop in 0usize..80) {
            let mut sliding = Sliding::new(steps);
            for (seen, &digit) in samples.iter().enumerate() {
                sliding.push(Digits(u64::from(digit), 1));
                prop_assert_eq!(sliding.total(), plain(&samples[..=seen], steps));
                if seen == stop {
                    let restored = Sliding::restored(steps, sliding.older().to_vec(), sliding.newer().to_vec());
                    prop_assert_eq!(restored.as_ref(), Some(&sliding));
                    sliding = restored.unwrap();
                }
            }
        }
    }

    #[test]
    fn a_window_of_nothing_is_one_of_one_and_too_much_is_refused() {
        let mut sliding = Sliding::new(0);
        (0..3).for_each(|digit| sliding.push(Digits(digit, 1)));
        assert_eq!((sliding.steps(), sliding.total()), (1, Digits(2, 1)));
        assert!(Sliding::restored(2, vec![Digits::EMPTY; 2], vec![Digits::EMPTY]).is_none());
    }
}
