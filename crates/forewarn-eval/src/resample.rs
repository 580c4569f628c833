use crate::ranking::expect_both_classes;
use crate::{EvalError, ScoredSet, bootstrap::Blocks};
use forewarn_core::Score;

/// Windows of a set in order of score from high to low, each with its block, its label, and whether it is the last of its
/// score: areas under curves for any weighting of the blocks in one pass, without sorting again.
///
/// Four bytes a window.
pub(crate) struct RankedBlocks {
    cells: Vec<u32>,
}

const LAST: u32 = 1;
const POSITIVE: u32 = 2;
const BLOCK_SHIFT: u32 = 2;

/// Areas under the curves of one resample; there are none in a resample of a single class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Areas {
    pub(crate) pr: f64,
    pub(crate) roc: f64,
}

impl RankedBlocks {
    /// `O(n log n)` time.
    pub(crate) fn new(set: &ScoredSet, blocks: &Blocks) -> Result<Self, EvalError> {
        let (scores, positive) = set.pooled("test")?;
        expect_both_classes("test", &scores, &positive)?;
        let times = set.series().iter().flat_map(|series| series.times());
        let mut ranked: Vec<(Score, u32)> = times
            .zip(scores.iter().zip(&positive))
            .map(|(&time, (&score, &positive))| {
                let label = if positive { POSITIVE } else { 0 };
                // A block is at least one window, and a frame set has no more than 2^32 of them in all services, so that the
                // number of blocks stays far below 2^30 for any block that is worth drawing.
                (score, ((blocks.of(time) as u32) << BLOCK_SHIFT) | label)
            })
            .collect();
        ranked.sort_unstable_by_key(|&(score, _)| std::cmp::Reverse(score));
        let mut cells: Vec<u32> = ranked.iter().map(|&(_, cell)| cell).collect();
        for (index, cell) in cells.iter_mut().enumerate() {
            if ranked.get(index + 1).is_none_or(|next| next.0 != ranked[index].0) {
                *cell |= LAST;
            }
        }
        Ok(Self { cells })
    }

    /// Average precision and area under the ROC curve where block `b` counts `weights[b]` times. `O(n)` time: some two
    /// nanoseconds a window.
    pub(crate) fn areas(&self, weights: &[u32]) -> Option<Areas> {
        let (mut hits, mut misses) = (0u64, 0u64);
        let (mut group_hits, mut group_misses) = (0u64, 0u64);
        let (mut precision_sum, mut pairs) = (0.0, 0.0);
        for &cell in &self.cells {
            let weight = u64::from(weights[(cell >> BLOCK_SHIFT) as usize]);
            if cell & POSITIVE == 0 {
                group_misses += weight;
            } else {
                group_hits += weight;
            }
            if cell & LAST != 0 {
                if group_hits > 0 {
                    hits += group_hits;
                    let called = hits + misses + group_misses;
                    precision_sum += group_hits as f64 * (hits as f64 / called as f64);
                    // Twice the negatives that score higher, ties as a half.
                    pairs += group_hits as f64 * (2 * misses + group_misses) as f64;
                }
                misses += group_misses;
                (group_hits, group_misses) = (0, 0);
            }
        }
        (hits > 0 && misses > 0).then(|| Areas {
            pr: precision_sum / hits as f64,
            roc: 1.0 - pairs / (2.0 * hits as f64 * misses as f64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockBootstrap, ScoredSeries, average_precision, roc_auc};
    use crate::{testing::labelled_scores, testing::minute};
    use approx::assert_abs_diff_eq;
    use forewarn_core::WindowSpec;
    use forewarn_schema::{Episodes, Step};
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn a_weight_is_a_repetition((scores, positive) in labelled_scores(60), weights in vec(0u32..4, 60)) {
            let times = (0..scores.len() as i64).map(minute).collect();
            let series = ScoredSeries::new("a", times, scores.clone(), positive.clone(), Episodes::default()).unwrap();
            let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap();
            let three = Step::from_millis(180_000).unwrap();
            let blocks = BlockBootstrap::new(three, 100, 0.9, 1).unwrap().blocks(&set);
            let areas = RankedBlocks::new(&set, &blocks).unwrap().areas(&weights[..blocks.len()]);
            let repeated = (0..scores.len()).flat_map(|i| vec![(scores[i], positive[i]); weights[i / 3] as usize]);
            let (scores, positive): (Vec<_>, Vec<_>) = repeated.unzip();
            match (areas, average_precision(&scores, &positive)) {
                (Some(areas), Ok(expected)) => {
                    assert_abs_diff_eq!(areas.pr, expected, epsilon = 1e-12);
                    assert_abs_diff_eq!(areas.roc, roc_auc(&scores, &positive).unwrap(), epsilon = 1e-12);
                }
                (areas, expected) => prop_assert!(areas.is_none() && expected.is_err()),
            }
        }
    }
}
