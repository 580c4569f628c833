/// Weights of windows by what was said of them and what they were: [`Confusion`](crate::Confusion), for windows that do
/// not all count 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Called positive, and positive.
    pub true_positives: f64,
    /// Called positive, and negative.
    pub false_positives: f64,
    /// Called negative, and positive.
    pub false_negatives: f64,
    /// Called negative, and negative.
    pub true_negatives: f64,
}

impl Counts {
    /// Share of the windows called positive that are; 0 where none is called.
    #[must_use]
    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// Share of the positive windows that are called positive; 0 where there is none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Weighted harmonic mean of precision and recall, in which recall counts `beta` times as much: 1 for F1, 2 where
    /// a missed failure is worse than a false alarm, 0.5 where it is the other way round. 0 where no positive window
    /// is found.
    ///
    /// # References
    /// C. J. van Rijsbergen, *Information Retrieval*, 1979, chapter 7.
    #[must_use]
    pub fn f_beta(&self, beta: f64) -> f64 {
        let square = beta * beta;
        let found = (1.0 + square) * self.true_positives;
        ratio(found, found + square * self.false_negatives + self.false_positives)
    }

    /// Matthews' correlation coefficient: the correlation of what was said with what was, from -1 to 1. 0 for no
    /// skill, and where all windows are called the same.
    ///
    /// # References
    /// B. W. Matthews, *Comparison of the predicted and observed secondary structure of T4 phage lysozyme*,
    /// Biochimica et Biophysica Acta 405(2), 1975.
    #[must_use]
    pub fn mcc(&self) -> f64 {
        let (tp, fp) = (self.true_positives, self.false_positives);
        let (fn_, tn) = (self.false_negatives, self.true_negatives);
        // Roots first: the product of four large counts loses nothing to the exponent.
        let scale = [tp + fp, tp + fn_, tn + fp, tn + fn_].map(f64::sqrt).iter().product::<f64>();
        if scale > 0.0 { ((tp * tn - fp * fn_) / scale).clamp(-1.0, 1.0) } else { 0.0 }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let counts =
            Counts { true_positives: 6.0, false_positives: 2.0, false_negatives: 3.0, true_negatives: 9.0 };
        // sklearn.metrics.fbeta_score and matthews_corrcoef of the same twenty windows.
        approx::assert_abs_diff_eq!(counts.f_beta(2.0), 30.0 / 44.0, epsilon = 1e-15);
        approx::assert_abs_diff_eq!(counts.f_beta(0.5), 7.5 / 10.25, epsilon = 1e-15);
        approx::assert_abs_diff_eq!(
            counts.mcc(),
            48.0 / (8.0 * 9.0 * 11.0 * 12.0f64).sqrt(),
            epsilon = 1e-15
        );
        assert_eq!(counts.f_beta(1.0), 12.0 / 17.0);
    }

    #[test]
    fn extremes() {
        let perfect = Counts { true_positives: 3.0, true_negatives: 5.0, ..Counts::default() };
        assert_eq!((perfect.mcc(), perfect.f_beta(2.0)), (1.0, 1.0));
        let wrong = Counts { false_positives: 3.0, false_negatives: 5.0, ..Counts::default() };
        assert_eq!((wrong.mcc(), wrong.f_beta(2.0)), (-1.0, 0.0));
        let silent = Counts { false_negatives: 3.0, true_negatives: 5.0, ..Counts::default() };
        assert_eq!((silent.mcc(), silent.precision(), silent.recall()), (0.0, 0.0, 0.0));
    }
}
