use crate::{Counts, EvalError, PrPoint, windows::expect_both_classes};
use forewarn_core::{CoreError, Score};

/// Windows with weights in order of score, sorted once for many figures. Equal scores enter together, so their order
/// does not matter; a window of weight 0 might as well not be there.
///
/// All figures are those of scikit-learn with `sample_weight`. `O(n log n)` time to make, then `O(n)` a figure; 24
/// bytes a distinct score, and 16 bytes of scratch a window.
#[derive(Clone, Debug)]
pub struct RankedWindows {
    groups: Vec<WeightedGroup>,
    positives: f64,
    negatives: f64,
}

/// Weights of the windows that share one score.
#[derive(Clone, Copy, Debug)]
struct WeightedGroup {
    score: Score,
    positives: f64,
    negatives: f64,
}

impl RankedWindows {
    /// Windows that all weigh 1.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`]; [`CoreError::SingleClass`] without a positive or without a negative window.
    pub fn new(scores: &[Score], positive: &[bool]) -> Result<Self, EvalError> {
        expect_both_classes("the data", scores, positive)?;
        Self::ranked(scores.iter().zip(positive).map(|(&score, &positive)| (score, positive, 1.0)).collect())
    }

    /// Windows of different weight, such as one over how often each was sampled.
    ///
    /// # Errors
    /// As [`new`](Self::new), of the windows whose weight is not 0; [`CoreError::InvalidSetting`] for a weight that
    /// is negative or not finite.
    pub fn weighted(scores: &[Score], positive: &[bool], weights: &[f64]) -> Result<Self, EvalError> {
        expect_both_classes("the data", scores, positive)?;
        if weights.len() != scores.len() {
            let (expected, got) = (scores.len(), weights.len());
            return Err(CoreError::LengthMismatch { what: "weights", expected, got }.into());
        }
        if let Some((index, weight)) =
            weights.iter().enumerate().find(|(_, w)| !(**w >= 0.0 && w.is_finite()))
        {
            return Err(CoreError::InvalidSetting {
                name: "weight of a window",
                value: format!("{weight} at position {index}"),
                expected: "a finite number of at least 0",
            }
            .into());
        }
        let windows = scores.iter().zip(positive).zip(weights).filter(|&(_, &weight)| weight > 0.0);
        Self::ranked(windows.map(|((&score, &positive), &weight)| (score, positive, weight)).collect())
    }

    fn ranked(mut windows: Vec<(Score, bool, f64)>) -> Result<Self, EvalError> {
        // The order within a tie is settled by label and weight, so that sums have the same bits however the input
        // was ordered.
        windows.sort_unstable_by(|a, b| {
            b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)).then_with(|| a.2.total_cmp(&b.2))
        });
        let groups: Vec<WeightedGroup> = windows
            .chunk_by(|a, b| a.0 == b.0)
            .map(|tied| {
                let sum =
                    |wanted| tied.iter().filter(|window| window.1 == wanted).map(|window| window.2).sum();
                WeightedGroup { score: tied[0].0, positives: sum(true), negatives: sum(false) }
            })
            .collect();
        let positives: f64 = groups.iter().map(|group| group.positives).sum();
        let negatives: f64 = groups.iter().map(|group| group.negatives).sum();
        if !(positives > 0.0 && negatives > 0.0) {
            let count = windows.iter().filter(|window| window.1).count();
            let part = "the data with a weight";
            return Err(CoreError::SingleClass { part, positives: count, windows: windows.len() }.into());
        }
        Ok(Self { groups, positives, negatives })
    }

    /// Weight of the positive windows as a share of all.
    #[must_use]
    pub fn prevalence(&self) -> f64 {
        self.positives / (self.positives + self.negatives)
    }

    /// What calling every window with at least each score positive gives, from the highest score on.
    pub fn points(&self) -> impl Iterator<Item = PrPoint> + '_ {
        self.cumulative().map(|(threshold, hits, misses)| PrPoint {
            threshold,
            recall: hits / self.positives,
            precision: hits / (hits + misses),
        })
    }

    /// Area under the precision-recall curve as a step function; see
    /// [`average_precision`](forewarn_core::average_precision).
    #[must_use]
    pub fn average_precision(&self) -> f64 {
        let mut hits = 0.0;
        let mut called = 0.0;
        let mut area = 0.0;
        for group in &self.groups {
            hits += group.positives;
            called += group.positives + group.negatives;
            area += group.positives / self.positives * (hits / called);
        }
        area
    }

    /// Area under the precision-recall curve with its points joined by straight lines, from precision 1 at recall 0.
    ///
    /// Too good: between two points the true curve lies below the line, and the first point is made up. Here because
    /// others publish it; compare models by [`average_precision`](Self::average_precision). `auc(recall, precision)`
    /// of scikit-learn.
    #[must_use]
    pub fn trapezoidal_pr_auc(&self) -> f64 {
        let (mut recall, mut precision, mut area) = (0.0, 1.0, 0.0);
        for point in self.points() {
            area += (point.recall - recall) * (point.precision + precision) / 2.0;
            (recall, precision) = (point.recall, point.precision);
        }
        area
    }

    /// Area under the ROC curve; see [`roc_auc`](crate::roc_auc).
    #[must_use]
    pub fn roc_auc(&self) -> f64 {
        self.roc_area(1.0)
    }

    /// Area under the ROC curve up to a false positive rate, rescaled so that no skill has 0.5 and a perfect ranking 1.
    ///
    /// Alarms live at small false positive rates: with one failure a day and a score a minute, 0.01 is fourteen false
    /// calls.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for a rate that is not above 0 and at most 1.
    ///
    /// # References
    /// D. K. McClish, *Analyzing a portion of the ROC curve*, Medical Decision Making 9(3), 1989. `max_fpr` of
    /// `sklearn.metrics.roc_auc_score`.
    #[allow(clippy::doc_markdown, reason = "McClish is a person")]
    pub fn partial_roc_auc(&self, highest_false_positive_rate: f64) -> Result<f64, EvalError> {
        let most = highest_false_positive_rate;
        if !(most > 0.0 && most <= 1.0) {
            let value = most.to_string();
            let expected = "above 0 and at most 1";
            return Err(CoreError::InvalidSetting { name: "false positive rate", value, expected }.into());
        }
        if most == 1.0 {
            return Ok(self.roc_auc());
        }
        let least = 0.5 * most * most;
        Ok(0.5 * (1.0 + (self.roc_area(most) - least) / (most - least)))
    }

    /// The point with the highest recall among those of at least this precision; of those the most precise. `None`
    /// where no threshold is that precise.
    #[must_use]
    pub fn recall_at_precision(&self, precision: f64) -> Option<PrPoint> {
        let precise = self.points().filter(|point| point.precision >= precision);
        precise.reduce(|best, point| if point.recall > best.recall { point } else { best })
    }

    /// Weights by what was said of the windows and what they were.
    #[must_use]
    pub fn counts(&self, threshold: Score) -> Counts {
        let called = self.cumulative().take_while(|&(score, ..)| score >= threshold).last();
        let (hits, false_calls) = called.map_or((0.0, 0.0), |(_, hits, misses)| (hits, misses));
        Counts {
            true_positives: hits,
            false_positives: false_calls,
            false_negatives: self.positives - hits,
            true_negatives: self.negatives - false_calls,
        }
    }

    /// Weighted mean squared difference between score and outcome; see [`brier`](crate::brier).
    #[must_use]
    pub fn brier(&self) -> f64 {
        self.mean(|score| ((score - 1.0).powi(2), score.powi(2)))
    }

    /// Weighted mean of minus the logarithm of the probability given to what happened; see
    /// [`log_loss`](crate::log_loss).
    #[must_use]
    pub fn log_loss(&self) -> f64 {
        self.mean(|score| (crate::windows::surprise(score, true), crate::windows::surprise(score, false)))
    }

    /// Weighted mean of a loss that is a pair of numbers for each score: for a positive window, and for a negative one.
    fn mean(&self, loss: impl Fn(f64) -> (f64, f64)) -> f64 {
        let sum: f64 = self
            .groups
            .iter()
            .map(|group| {
                let (positive, negative) = loss(f64::from(group.score.get()));
                group.positives * positive + group.negatives * negative
            })
            .sum();
        sum / (self.positives + self.negatives)
    }

    /// Each distinct score with the weight of the positive and of the negative windows that score at least as much.
    fn cumulative(&self) -> impl Iterator<Item = (Score, f64, f64)> + '_ {
        self.groups.iter().scan((0.0, 0.0), |(hits, misses), group| {
            *hits += group.positives;
            *misses += group.negatives;
            Some((group.score, *hits, *misses))
        })
    }

    /// Area under the ROC curve from false positive rate 0 to `most`, its points joined by straight lines.
    fn roc_area(&self, most: f64) -> f64 {
        let (mut x, mut y, mut area) = (0.0, 0.0, 0.0);
        for (_, hits, misses) in self.cumulative() {
            let (next_x, next_y) = (misses / self.negatives, hits / self.positives);
            if next_x > most {
                let cut_y = y + (next_y - y) * (most - x) / (next_x - x);
                return area + (most - x) * (y + cut_y) / 2.0;
            }
            area += (next_x - x) * (y + next_y) / 2.0;
            (x, y) = (next_x, next_y);
        }
        area
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Confusion, brier, log_loss, roc_auc};
    use crate::{testing::labelled_scores, testing::scores};
    use approx::assert_abs_diff_eq;
    use forewarn_core::average_precision;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn known_values() {
        // The example of scikit-learn's documentation; its trapezoid is 0.7916..., its partial area up to 0.1 is
        // 0.7368...
        let ranked =
            RankedWindows::new(&scores(&[0.1, 0.4, 0.35, 0.8]), &[false, false, true, true]).unwrap();
        assert_abs_diff_eq!(ranked.trapezoidal_pr_auc(), 0.791_666_666_666_666_6, epsilon = 1e-12);
        assert_abs_diff_eq!(ranked.partial_roc_auc(0.1).unwrap(), 0.736_842_105_263_157_9, epsilon = 1e-12);
        let point = ranked.recall_at_precision(0.6).unwrap();
        assert_eq!((point.threshold.get(), point.recall, point.precision), (0.35, 1.0, 2.0 / 3.0));
        assert_eq!(ranked.recall_at_precision(0.9).unwrap().recall, 0.5);
        assert!(ranked.recall_at_precision(1.1).is_none());
    }

    #[test]
    fn the_cases_of_scikit_learns_own_tests() {
        let ranked = |values: &[f32], labels: &[u8]| {
            let positive: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
            RankedWindows::new(&scores(values), &positive).unwrap()
        };
        // `test_precision_recall_curve_toydata` and `test_roc_curve_toydata`: average precision and ROC-AUC.
        for (labels, values, precision, roc) in [
            ([0, 1], [0.0, 1.0], 1.0, 1.0),
            ([0, 1], [1.0, 0.0], 0.5, 0.0),
            ([1, 0], [1.0, 1.0], 0.5, 0.5),
            ([1, 0], [1.0, 0.0], 1.0, 1.0),
            ([1, 0], [0.5, 0.5], 0.5, 0.5),
        ] {
            let found = ranked(&values, &labels);
            assert_eq!(
                (found.average_precision(), found.roc_auc()),
                (precision, roc),
                "{labels:?} {values:?}"
            );
        }
        // `test_partial_roc_auc_score`.
        let perfect = ranked(&[0.0, 0.0, 1.0, 1.0], &[0, 0, 1, 1]);
        assert_eq!(perfect.partial_roc_auc(1.0).unwrap(), 1.0);
        assert_eq!(perfect.partial_roc_auc(0.001).unwrap(), 1.0);
        assert!([-0.1, 1.1, 0.0].into_iter().all(|rate| perfect.partial_roc_auc(rate).is_err()));
        let found = ranked(&[0.1, 0.0, 0.1, 0.01], &[0, 0, 1, 1]);
        assert_eq!(found.partial_roc_auc(1.0).unwrap(), found.roc_auc());
        assert_abs_diff_eq!(found.partial_roc_auc(0.3).unwrap(), 0.5, epsilon = 1e-12);
        // `test_average_precision_constant_values`: every fourth is positive, all scores equal.
        let labels: Vec<u8> = (0..100).map(|index| u8::from(index % 4 == 0)).collect();
        assert_eq!(ranked(&[1.0; 100], &labels).average_precision(), 0.25);
    }

    #[test]
    fn weights_without_sense_are_refused() {
        let (scores, labels) = (scores(&[0.1, 0.4]), [true, false]);
        for weights in [&[1.0, -1.0][..], &[1.0, f64::NAN], &[f64::INFINITY, 1.0], &[1.0], &[1.0, 0.0]] {
            assert!(RankedWindows::weighted(&scores, &labels, weights).is_err(), "{weights:?}");
        }
        let ranked = RankedWindows::new(&scores, &labels).unwrap();
        assert!(ranked.partial_roc_auc(0.0).is_err() && ranked.partial_roc_auc(f64::NAN).is_err());
    }

    proptest! {
        #[test]
        fn a_weight_is_a_repetition((scores, positive) in labelled_scores(40), weights in vec(0u8..4, 40)) {
            let repeat = |i: usize| vec![(scores[i], positive[i]); usize::from(weights[i])];
            let (many, labels): (Vec<_>, Vec<_>) = (0..scores.len()).flat_map(repeat).unzip();
            let weights: Vec<f64> = weights[..scores.len()].iter().map(|&weight| f64::from(weight)).collect();
            let ranked = RankedWindows::weighted(&scores, &positive, &weights);
            prop_assert_eq!(ranked.is_err(), average_precision(&many, &labels).is_err());
            let Ok(ranked) = ranked else { return Ok(()) };
            assert_abs_diff_eq!(ranked.average_precision(), average_precision(&many, &labels).unwrap(), epsilon = 1e-12);
            assert_abs_diff_eq!(ranked.roc_auc(), roc_auc(&many, &labels).unwrap(), epsilon = 1e-12);
            assert_abs_diff_eq!(ranked.brier(), brier(&many, &labels).unwrap(), epsilon = 1e-12);
            assert_abs_diff_eq!(ranked.log_loss(), log_loss(&many, &labels).unwrap(), epsilon = 1e-12);
            for &threshold in &scores {
                let counts = Confusion::at(threshold, &many, &labels).unwrap();
                prop_assert_eq!(ranked.counts(threshold), Counts::from(counts));
            }
            // No skill never gives less than the partial area's floor, and the whole is the whole.
            prop_assert_eq!(ranked.partial_roc_auc(1.0).unwrap(), ranked.roc_auc());
        }
    }
}
