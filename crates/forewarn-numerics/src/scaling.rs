use crate::logistic::{Outcome, fit_outcomes};

/// Weight that draws the line to the log-odds as they are, where nothing tells of another.
const RIDGE: f64 = 1e-9;

/// The line `a x + b` through log-odds `x` of least log loss against what happened, each counted by its weight: Platt
/// scaling. `None` where all are of one class, where `a` would not be positive, or where a number is not finite.
///
/// `O(rows)` time for each of a few steps.
///
/// # References
/// J. Platt, *Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods*,
/// Advances in Large Margin Classifiers, 1999, section 2.2: with one more of each class, so that few windows do not make
/// a line without an end.
#[must_use]
pub fn fit_scaling(log_odds: &[f64], positive: &[bool], weight: impl Fn(usize) -> f64) -> Option<[f64; 2]> {
    let weights: Vec<f64> = (0..positive.len()).map(weight).collect();
    let of_class = |class: bool| -> f64 {
        positive.iter().zip(&weights).filter(|(is, _)| **is == class).map(|(_, weight)| weight).sum()
    };
    let (misses, hits) = (of_class(false), of_class(true));
    if !(misses > 0.0 && hits > 0.0) || log_odds.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let labels = [1.0 / (misses + 2.0), (hits + 1.0) / (hits + 2.0)];
    let outcome =
        |(&positive, &weight): (&bool, &f64)| Outcome { label: labels[usize::from(positive)], weight };
    let outcomes: Vec<Outcome> = positive.iter().zip(&weights).map(outcome).collect();
    let rows: Vec<f64> = log_odds.iter().flat_map(|&x| [x, 1.0]).collect();
    match fit_outcomes(&rows, &outcomes, &[1.0, 0.0], &[true, true], RIDGE)[..] {
        [a, b] if a > 0.0 && a.is_finite() && b.is_finite() => Some([a, b]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fit_logistic, sigmoid};

    /// Log-odds that overstate what happens: an event has log-odds `x / 2 - 1`.
    fn overstated() -> (Vec<f64>, Vec<bool>) {
        let log_odds: Vec<f64> = (0..4000).map(|row| f64::from(row % 97) / 12.0 - 6.0).collect();
        let happens = |(row, x): (usize, &f64)| crate::uniform(3, row as u64)[0] < sigmoid(x / 2.0 - 1.0);
        let positive = log_odds.iter().enumerate().map(happens).collect();
        (log_odds, positive)
    }

    #[test]
    fn the_line_is_that_of_a_logistic_regression() {
        let (log_odds, positive) = overstated();
        let [a, b] = fit_scaling(&log_odds, &positive, |_| 1.0).unwrap();
        let rows: Vec<f64> = log_odds.iter().flat_map(|&x| [x, 1.0]).collect();
        let expected = fit_logistic(&rows, &positive, &[1.0, 0.0], &[true, true], RIDGE);
        // The prior is one row of each class in four thousand.
        assert!((a - expected[0]).abs() < 5e-3 && (b - expected[1]).abs() < 5e-3, "{a} {b} {expected:?}");
        assert!((a - 0.5).abs() < 0.1 && (b + 1.0).abs() < 0.2, "{a} {b}");
    }

    #[test]
    fn a_weight_is_that_many_rows() {
        let (log_odds, positive) = overstated();
        let twice: Vec<f64> = log_odds.iter().chain(&log_odds[..2000]).copied().collect();
        let also: Vec<bool> = positive.iter().chain(&positive[..2000]).copied().collect();
        let expected = fit_scaling(&twice, &also, |_| 1.0).unwrap();
        let got = fit_scaling(&log_odds, &positive, |row| if row < 2000 { 2.0 } else { 1.0 }).unwrap();
        assert!(got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9), "{got:?} {expected:?}");
    }

    #[test]
    fn classes_that_are_apart_have_a_line_with_an_end() {
        let log_odds: Vec<f64> = (0..2000).map(|row| f64::from(row) / 1000.0 - 8.0).chain([-5.0]).collect();
        let positive: Vec<bool> = (0..=2000).map(|row| row == 2000).collect();
        let [a, b] = fit_scaling(&log_odds, &positive, |_| 1.0).unwrap();
        // Without the prior, any step between -6 and -5 that is steep enough is the best.
        assert!((1.0..5.0).contains(&a) && sigmoid(b - 5.0 * a) < 2.0 / 3.0, "{a} {b}");
    }

    #[test]
    fn what_has_no_rising_line_has_none() {
        assert_eq!(fit_scaling(&[1.0, 2.0], &[true, true], |_| 1.0), None);
        assert_eq!(fit_scaling(&[1.0, 2.0, 1.1], &[true, false, true], |_| 1.0), None);
        assert_eq!(fit_scaling(&[f64::INFINITY, 2.0], &[true, false], |_| 1.0), None);
        assert_eq!(fit_scaling(&[], &[], |_| 1.0), None);
    }
}
