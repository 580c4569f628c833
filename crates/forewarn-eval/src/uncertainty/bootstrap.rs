use crate::{EvalError, ScoredSet};
use forewarn_core::CoreError;
use forewarn_schema::{Step, Timestamp};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::ops::Range;

/// How uncertain a figure is, found from whole blocks of time.
///
/// Windows that overlap, and services that fail together, are not independent: an interval that takes them for so is
/// far too narrow. A block (a day, from midnight UTC, by default) is taken with all that lies in it: the windows of
/// every service, the alarms raised and the failures begun in it. Alarms are matched with failures once, before. Blocks
/// are left out one at a time for areas under curves, counted for shares of failures and rates of alarms (see
/// [`ModelIntervals`](crate::ModelIntervals)), and drawn with replacement for everything else.
///
/// What is longer than a block, such as a trend over weeks, is not in the intervals at all; the number of blocks is
/// reported beside them.
///
/// | setting | meaning | default | range |
/// |---|---|---|---|
/// | `block` | length of a block, counted from midnight UTC of 1 January 1970 | a day | above 0 |
/// | `resamples` | how often blocks are drawn | 1,000 | at least 100 |
/// | `level` | probability with which an interval holds the true value | 0.95 | above 0.5, below 1 |
/// | `seed` | seed of the draws | 1 | |
///
/// The same seed gives the same intervals on every machine.
///
/// # References
/// B. Efron and R. J. Tibshirani, *An Introduction to the Bootstrap*, 1993, chapters 8 and 13. E. Carlstein, *The use
/// of subseries values for estimating the variance of a general statistic from a stationary sequence*, Annals of
/// Statistics 14(3), 1986.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockBootstrap {
    block: Step,
    resamples: usize,
    level: f64,
    seed: u64,
}

impl BlockBootstrap {
    /// A bootstrap that draws blocks of this length.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for fewer than 100 resamples, or a level that is not above 0.5 and below 1.
    pub fn new(block: Step, resamples: usize, level: f64, seed: u64) -> Result<Self, EvalError> {
        if resamples < 100 {
            return Err(invalid("resamples", resamples.to_string(), "at least 100").into());
        }
        if !(level > 0.5 && level < 1.0) {
            return Err(invalid("level of an interval", level.to_string(), "above 0.5 and below 1").into());
        }
        Ok(Self { block, resamples, level, seed })
    }

    /// Length of a block.
    #[must_use]
    pub fn block(&self) -> Step {
        self.block
    }

    /// Number of resamples.
    #[must_use]
    pub fn resamples(&self) -> usize {
        self.resamples
    }

    /// Level of the intervals.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.level
    }

    pub(crate) fn blocks(&self, set: &ScoredSet) -> Blocks {
        self.blocks_of(set.series().iter().flat_map(|series| series.times()).copied())
    }

    pub(crate) fn blocks_of(&self, times: impl IntoIterator<Item = Timestamp>) -> Blocks {
        let length = self.block.millis();
        let mut numbers: Vec<i64> = Vec::new();
        // Neighbours mostly share a block: the whole numbers of the last one's times are known without a division.
        let mut last = 0..0;
        for time in times {
            if !last.contains(&time.millis()) {
                let number = time.millis().div_euclid(length);
                numbers.push(number);
                let from = number.saturating_mul(length);
                last = from..from.saturating_add(length);
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        Blocks { length, numbers }
    }

    /// How often each of `blocks` blocks is drawn, one resample after another.
    pub(crate) fn draws(&self, blocks: usize) -> impl Iterator<Item = Vec<u32>> + use<> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        (0..self.resamples).map(move |_| {
            let mut counts = vec![0; blocks];
            for _ in 0..blocks {
                counts[random.random_range(0..blocks)] += 1;
            }
            counts
        })
    }
}

/// Whole days, 1,000 resamples, intervals of 95 %.
impl Default for BlockBootstrap {
    fn default() -> Self {
        let day = Step::from_millis(86_400_000).expect("a day is longer than zero");
        Self { block: day, resamples: 1000, level: 0.95, seed: 1 }
    }
}

/// The blocks of time in which something was scored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Blocks {
    length: i64,
    numbers: Vec<i64>,
}

impl Blocks {
    /// One block that holds all time.
    pub(crate) fn whole() -> Self {
        Self { length: i64::MAX, numbers: vec![0] }
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Times in order, as runs that share a block: the block's position, and the places of the times.
    pub(crate) fn runs(&self, times: &[Timestamp]) -> impl Iterator<Item = (usize, Range<usize>)> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let first = *times.get(from)?;
            let end = first.millis().div_euclid(self.length).saturating_add(1).saturating_mul(self.length);
            let run = from..from + times[from..].partition_point(|time| time.millis() < end).max(1);
            from = run.end;
            Some((self.of(first), run))
        })
    }

    /// Position of the block of `time`; the last one before it where nothing was scored in its own, as for a failure
    /// that begins a few minutes after the last score.
    pub(crate) fn of(&self, time: Timestamp) -> usize {
        let number = time.millis().div_euclid(self.length);
        self.numbers.partition_point(|&other| other <= number).saturating_sub(1)
    }
}

pub(crate) fn invalid(name: &'static str, value: String, expected: &'static str) -> CoreError {
    CoreError::InvalidSetting { name, value, expected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ScoredSeries, testing::minute, testing::scores};
    use forewarn_core::WindowSpec;
    use forewarn_schema::Episodes;

    #[test]
    fn services_share_blocks_and_gaps_are_none() {
        let series = |name: &str, days: &[i64]| {
            let times: Vec<_> = days.iter().map(|day| minute(1440 * day + 7)).collect();
            let count = times.len();
            ScoredSeries::new(name, times, scores(&vec![0.5; count]), vec![false; count], Episodes::default())
                .unwrap()
        };
        let list = vec![series("a", &[-1, 3]), series("b", &[3, 4])];
        let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, list).unwrap();
        let blocks = BlockBootstrap::default().blocks(&set);
        assert_eq!(blocks.numbers, [-1, 3, 4]);
        assert_eq!(
            [-1, -1440, 1440 * 3, 1440 * 5 - 1, 1440 * 5].map(|m| blocks.of(minute(m))),
            [0, 0, 1, 2, 2]
        );
    }

    #[test]
    fn runs_have_the_block_of_each_of_their_times() {
        let times: Vec<_> = [-1500, -1440, -1, 0, 1439, 1440, 9000, 9001].map(minute).to_vec();
        for blocks in [BlockBootstrap::default().blocks_of(times[2..].iter().copied()), Blocks::whole()] {
            let runs: Vec<_> = blocks.runs(&times).collect();
            let covered: Vec<usize> = runs.iter().flat_map(|(_, run)| run.clone()).collect();
            assert_eq!(covered, (0..times.len()).collect::<Vec<_>>());
            for (block, run) in runs {
                assert!(run.into_iter().all(|at| blocks.of(times[at]) == block));
            }
        }
    }

    #[test]
    fn draws_are_whole_and_stay_the_same() {
        let draws: Vec<_> = BlockBootstrap::default().draws(5).collect();
        assert!(draws.len() == 1000 && draws.iter().all(|counts| counts.iter().sum::<u32>() == 5));
        // A promise: published intervals can be had again.
        assert_eq!(draws[..3], PINNED);
    }

    const PINNED: [[u32; 5]; 3] = [[1, 1, 2, 0, 1], [0, 3, 1, 0, 1], [0, 0, 2, 2, 1]];

    #[test]
    fn settings_without_sense_are_refused() {
        let make = |resamples, level| BlockBootstrap::new(Step::MINUTE, resamples, level, 1);
        assert!(make(99, 0.9).is_err() && make(100, f64::NAN).is_err() && make(100, 1.0).is_err());
        assert!(make(100, 0.9).is_ok());
    }
}
