use std::cmp::Ordering;

/// Labelled values from high to low, equal ones together: what every measure of ranking reads.
///
/// `O(n log n)` time and a pair of scratch for each value; as many [ties](Tie) as there are distinct values.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking<T> {
    ties: Vec<Tie<T>>,
    positives: u64,
    negatives: u64,
}

/// What shares one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie<T> {
    /// The value.
    pub value: T,
    /// How many of it are positive.
    pub positives: u64,
    /// How many are not.
    pub negatives: u64,
}

impl<T> Tie<T> {
    /// How many share the value.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.positives + self.negatives
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Copy + Ord> Ranking<T> {
    /// Of values with whether each is positive, in any order.
    pub fn new(labelled: impl IntoIterator<Item = (T, bool)>) -> Self {
        Self::by(labelled, T::cmp)
    }
}

impl<T: Copy + PartialEq> Ranking<T> {
    /// The same by an order that the type does not have, such as `f32::total_cmp`. What the order puts side by side
    /// and `==` calls equal (0.0 and -0.0) is one tie, of the lesser of its values.
    pub fn by(labelled: impl IntoIterator<Item = (T, bool)>, ascending: impl Fn(&T, &T) -> Ordering) -> Self {
        let mut labelled: Vec<(T, bool)> = labelled.into_iter().collect();
        labelled.sort_unstable_by(|a, b| ascending(&a.0, &b.0));
        let tie = |tied: &[(T, bool)]| {
            let positives = tied.iter().filter(|(_, positive)| *positive).count();
            let negatives = (tied.len() - positives) as u64;
            Tie { value: tied[0].0, positives: positives as u64, negatives }
        };
        let mut ties: Vec<Tie<T>> = labelled.chunk_by(|a, b| a.0 == b.0).map(tie).collect();
        ties.reverse();
        let positives = ties.iter().map(|tie| tie.positives).sum();
        Self { ties, positives, negatives: labelled.len() as u64 - positives }
    }

    /// The ties, from the highest value on.
    #[must_use]
    pub fn ties(&self) -> &[Tie<T>] {
        &self.ties
    }

    /// How many values are positive.
    #[must_use]
    pub fn positives(&self) -> u64 {
        self.positives
    }

    /// How many are not.
    #[must_use]
    pub fn negatives(&self) -> u64 {
        self.negatives
    }

    /// Area under the precision-recall curve as a step function; see [`average_precision_of`]. `None` unless there
    /// are both classes.
    #[must_use]
    pub fn average_precision(&self) -> Option<f64> {
        self.has_both_classes().then(|| average_precision_of(self.ties.iter().copied(), self.positives))
    }

    /// Area under the ROC curve: the probability that a positive value is higher than a negative one, a tie counting
    /// one half. Counted in integers, so it is exact up to the one division at the end. `None` unless there are both
    /// classes.
    ///
    /// # References
    /// The same definition as `sklearn.metrics.roc_auc_score`.
    #[must_use]
    pub fn roc_auc(&self) -> Option<f64> {
        let mut below = self.negatives;
        // Twice the number of pairs in the right order, so that a tie is a whole number.
        let mut doubled: u128 = 0;
        for tie in &self.ties {
            below -= tie.negatives;
            doubled += u128::from(tie.positives) * u128::from(2 * below + tie.negatives);
        }
        let pairs = u128::from(self.positives) * u128::from(self.negatives);
        self.has_both_classes().then(|| doubled as f64 / (2 * pairs) as f64)
    }

    /// The value from which on everything is to be called positive for the highest F1, and that F1; see [`best_f1_of`].
    #[must_use]
    pub fn best_f1(&self) -> Option<(T, f64)> {
        best_f1_of(self.ties.iter().copied(), self.positives)
    }

    fn has_both_classes(&self) -> bool {
        self.positives > 0 && self.negatives > 0
    }
}

/// Average precision of ties from the best on, `sum (R_i - R_{i-1}) P_i`, where `positives` are positive in all, in
/// these ties or elsewhere. NaN for none.
///
/// # References
/// The same definition as `sklearn.metrics.average_precision_score`.
pub fn average_precision_of<T>(ties: impl IntoIterator<Item = Tie<T>>, positives: u64) -> f64 {
    let (mut hits, mut called, mut area) = (0, 0, 0.0);
    for tie in ties {
        hits += tie.positives;
        called += tie.len();
        if called > 0 {
            area += tie.positives as f64 / positives as f64 * (hits as f64 / called as f64);
        }
    }
    if positives == 0 { f64::NAN } else { area }
}

/// The value with the highest F1 among ties from the best on, where `positives` are positive in all, and that F1. Of
/// equally good values the first, which calls the fewest positive; they are compared as fractions of integers, so no
/// rounding decides. `None` without a tie.
pub fn best_f1_of<T>(ties: impl IntoIterator<Item = Tie<T>>, positives: u64) -> Option<(T, f64)> {
    // F1 = 2 hits / (called positive + positive), of which the factor 2 does not matter to the comparison.
    let (mut best, mut hits, mut called) = (None, 0u64, 0u64);
    for tie in ties {
        hits += tie.positives;
        called += tie.len();
        let whole = called + positives;
        let is_better = match best {
            None => true,
            Some((_, before, of)) => {
                u128::from(hits) * u128::from(of) > u128::from(before) * u128::from(whole)
            }
        };
        if is_better {
            best = Some((tie.value, hits, whole.max(1)));
        }
    }
    best.map(|(value, hits, whole)| (value, 2.0 * hits as f64 / whole as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        // The example of scikit-learn's documentation.
        let ranking = Ranking::by([(0.1f32, false), (0.4, false), (0.35, true), (0.8, true)], f32::total_cmp);
        assert!((ranking.average_precision().unwrap() - 0.833_333_333_333_333_3).abs() < 1e-15);
        assert_eq!(ranking.roc_auc(), Some(0.75));
        assert_eq!(ranking.best_f1(), Some((0.35, 0.8)));
        assert_eq!(Ranking::new([(1, true), (2, true)]).roc_auc(), None);
        assert_eq!(Ranking::new([(1, false)]).average_precision(), None);
        assert_eq!(Ranking::<u8>::new([]).best_f1(), None);
    }

    #[test]
    fn both_zeros_are_one_tie() {
        let ranking = Ranking::by([(0.0f32, true), (-0.0, false), (1.0, false)], f32::total_cmp);
        assert_eq!(ranking.ties().len(), 2);
        assert!(ranking.ties()[1].value.is_sign_negative() && ranking.ties()[1].len() == 2);
    }

    proptest! {
        #[test]
        fn equal_to_counting(labelled in prop::collection::vec((0u8..8, any::<bool>()), 1..50)) {
            let ranking = Ranking::new(labelled.iter().copied());
            let at_least = |value: u8, wanted: bool| {
                labelled.iter().filter(|(other, positive)| *other >= value && *positive == wanted).count() as f64
            };
            let (positives, negatives) = (at_least(0, true), at_least(0, false));
            prop_assert_eq!((ranking.positives() as f64, ranking.negatives() as f64), (positives, negatives));
            let mut distinct: Vec<u8> = labelled.iter().map(|(value, _)| *value).collect();
            distinct.sort_unstable();
            distinct.dedup();
            distinct.reverse();
            prop_assert!(ranking.ties().iter().map(|tie| tie.value).eq(distinct.iter().copied()));

            let f1 = |value| 2.0 * at_least(value, true) / (at_least(value, true) + at_least(value, false) + positives);
            let (threshold, best) = ranking.best_f1().unwrap();
            prop_assert!(distinct.iter().all(|&value| f1(value) < best || (f1(value) == best && value <= threshold)));
            if positives == 0.0 || negatives == 0.0 {
                prop_assert_eq!(ranking.roc_auc().or(ranking.average_precision()), None);
                return Ok(());
            }
            let (mut sum, mut pairs, mut area, mut before) = (0.0, 0.0, 0.0, 0.0);
            for (a, _) in labelled.iter().filter(|(_, positive)| *positive) {
                for (b, _) in labelled.iter().filter(|(_, positive)| !*positive) {
                    pairs += 1.0;
                    sum += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                }
            }
            for &value in &distinct {
                let hits = at_least(value, true);
                area += (hits - before) / positives * hits / (hits + at_least(value, false));
                before = hits;
            }
            prop_assert!((ranking.roc_auc().unwrap() - sum / pairs).abs() < 1e-12);
            prop_assert!((ranking.average_precision().unwrap() - area).abs() < 1e-12);
        }
    }
}
