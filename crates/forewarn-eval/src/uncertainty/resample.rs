use crate::uncertainty::{Blocks, effective};
use crate::windows::expect_both_classes;
use crate::{EvalError, ScoredSet};
use forewarn_core::Score;

/// Windows of a set in order of score from high to low, each with its block, its label, and whether it is the last of
/// its score: figures of the ranking for any weighting of the blocks in one pass, without sorting again.
///
/// Four bytes a window.
pub(crate) struct RankedBlocks {
    cells: Vec<u32>,
    /// Negative and positive windows of each block.
    classes: Vec<[u64; 2]>,
}

const LAST: u32 = 1;
const POSITIVE: u32 = 2;
const BLOCK_SHIFT: u32 = 2;

/// Figures of the ranking in one resample; there are none in a resample of a single class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Areas {
    /// Average precision.
    pub(crate) pr: f64,
    /// Area under the precision-recall curve by straight lines.
    pub(crate) trapezoid: f64,
    /// Area under the ROC curve.
    pub(crate) roc: f64,
    /// The same up to a false positive rate, rescaled.
    pub(crate) partial_roc: f64,
    /// Highest recall of a threshold of at least half precision; 0 for none.
    pub(crate) recall_at_half_precision: f64,
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
                // A block is at least one window, and a frame set has no more than 2^32 of them in all services, so
                // that the number of blocks stays far below 2^30 for any block that is worth drawing.
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
        let mut classes = vec![[0; 2]; blocks.len()];
        for cell in &cells {
            classes[(cell >> BLOCK_SHIFT) as usize][usize::from(cell & POSITIVE != 0)] += 1;
        }
        Ok(Self { cells, classes })
    }

    /// Number of equal blocks that say as much, by their positive windows and by those among them that rank high,
    /// whichever are fewer: what figures of the ranking rest on. High are as many windows as there are positive ones.
    pub(crate) fn effective_blocks(&self) -> f64 {
        let positives: u64 = self.classes.iter().map(|classes| classes[1]).sum();
        let mut high = vec![0.0; self.classes.len()];
        for cell in self.cells.iter().take(positives as usize).filter(|cell| *cell & POSITIVE != 0) {
            high[(cell >> BLOCK_SHIFT) as usize] += 1.0;
        }
        let all = self.blocks_of_positives();
        match effective(high) {
            0.0 => all,
            high => high.min(all),
        }
    }

    /// Number of equal blocks that say as much, by their positive windows alone.
    pub(crate) fn blocks_of_positives(&self) -> f64 {
        effective(self.classes.iter().map(|classes| classes[1] as f64))
    }

    /// The figures where block `b` counts `weights[b]` times; the partial area goes up to `rate`. `O(n)` time: some
    /// two nanoseconds a window, since between two scores of positive windows both curves are straight.
    pub(crate) fn areas(&self, weights: &[u32], rate: f64) -> Option<Areas> {
        let drawn = |class: usize| -> u64 {
            weights
                .iter()
                .zip(&self.classes)
                .map(|(&weight, classes)| u64::from(weight) * classes[class])
                .sum()
        };
        let [negatives, positives] = [drawn(0), drawn(1)].map(|count| count as f64);
        if !(positives > 0.0 && negatives > 0.0) {
            return None;
        }
        let mut curves = Curves { cut: rate * negatives, ..Curves::default() };
        let (mut misses, mut group_hits, mut group_misses) = (0u64, 0u64, 0u64);
        for &cell in &self.cells {
            let weight = u64::from(weights[(cell >> BLOCK_SHIFT) as usize]);
            if cell & POSITIVE == 0 {
                group_misses += weight;
            } else {
                group_hits += weight;
            }
            if cell & LAST != 0 {
                if group_hits > 0 {
                    curves.step(misses as f64, group_misses as f64, group_hits as f64);
                }
                misses += group_misses;
                (group_hits, group_misses) = (0, 0);
            }
        }
        curves.flat(negatives);
        let least = 0.5 * rate * rate;
        let partial = curves.partial / (positives * negatives);
        Some(Areas {
            pr: curves.precision_sum / positives,
            trapezoid: curves.trapezoid / positives,
            roc: curves.area / (positives * negatives),
            partial_roc: 0.5 * (1.0 + (partial - least) / (rate - least)),
            recall_at_half_precision: curves.found_at_half / positives,
        })
    }
}

/// Both curves as far as they are drawn, in weights.
#[derive(Default)]
struct Curves {
    cut: f64,
    hits: f64,
    misses: f64,
    precision_sum: f64,
    trapezoid: f64,
    area: f64,
    partial: f64,
    found_at_half: f64,
}

impl Curves {
    /// The score of some positive windows, after `misses` negative ones.
    fn step(&mut self, misses: f64, more_misses: f64, more_hits: f64) {
        self.flat(misses);
        let called = self.hits + misses;
        let before = if called > 0.0 { self.hits / called } else { 1.0 };
        let (hits, end) = (self.hits + more_hits, misses + more_misses);
        let precision = hits / (hits + end);
        self.precision_sum += more_hits * precision;
        self.trapezoid += more_hits * f64::midpoint(before, precision);
        if precision >= 0.5 {
            self.found_at_half = hits;
        }
        self.area += more_misses * f64::midpoint(self.hits, hits);
        let within = (self.cut - misses).clamp(0.0, more_misses);
        if within > 0.0 {
            let cut = self.hits + more_hits * within / more_misses;
            self.partial += within * f64::midpoint(self.hits, cut);
        }
        (self.hits, self.misses) = (hits, end);
    }

    /// The ROC curve goes straight to the right.
    fn flat(&mut self, misses: f64) {
        self.area += (misses - self.misses) * self.hits;
        self.partial += (misses.min(self.cut) - self.misses).max(0.0) * self.hits;
        self.misses = misses;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlockBootstrap, RankedWindows, ScoredSeries, roc_auc};
    use crate::{testing::labelled_scores, testing::minute};
    use approx::assert_abs_diff_eq;
    use forewarn_core::WindowSpec;
    use forewarn_core::average_precision;
    use forewarn_schema::{Episodes, Step};
    use proptest::{collection::vec, prelude::*};

    proptest! {
        #[test]
        fn a_weight_is_a_repetition(
            (scores, positive) in labelled_scores(60), weights in vec(0u32..4, 60), rate in 0.01f64..0.99
        ) {
            let times = (0..scores.len() as i64).map(minute).collect();
            let series = ScoredSeries::new("a", times, scores.clone(), positive.clone(), Episodes::default()).unwrap();
            let set = ScoredSet::new(WindowSpec::default(), Step::MINUTE, vec![series]).unwrap();
            let three = Step::from_millis(180_000).unwrap();
            let blocks = BlockBootstrap::new(three, 100, 0.9, 1).unwrap().blocks(&set);
            let areas = RankedBlocks::new(&set, &blocks).unwrap().areas(&weights[..blocks.len()], rate);
            let repeated = (0..scores.len()).flat_map(|i| vec![(scores[i], positive[i]); weights[i / 3] as usize]);
            let (scores, positive): (Vec<_>, Vec<_>) = repeated.unzip();
            match (areas, average_precision(&scores, &positive)) {
                (Some(areas), Ok(expected)) => {
                    assert_abs_diff_eq!(areas.pr, expected, epsilon = 1e-12);
                    assert_abs_diff_eq!(areas.roc, roc_auc(&scores, &positive).unwrap(), epsilon = 1e-12);
                    let ranked = RankedWindows::new(&scores, &positive).unwrap();
                    assert_abs_diff_eq!(areas.trapezoid, ranked.trapezoidal_pr_auc(), epsilon = 1e-12);
                    assert_abs_diff_eq!(areas.partial_roc, ranked.partial_roc_auc(rate).unwrap(), epsilon = 1e-9);
                    let recall = ranked.recall_at_precision(0.5).map_or(0.0, |point| point.recall);
                    assert_abs_diff_eq!(areas.recall_at_half_precision, recall, epsilon = 1e-12);
                }
                (areas, expected) => prop_assert!(areas.is_none() && expected.is_err()),
            }
        }
    }
}
