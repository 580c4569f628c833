use super::interval::{Interval, student_quantile};

/// Farthest that a figure is taken from 0 and 1.
const EDGE: f64 = 1e-9;

impl Interval {
    /// Where a figure between 0 and 1 lies, such as an area under a curve, by leaving out one block at a time:
    /// `logit(point) ± t se`, with the jackknife's standard error of the logit, which keeps both ends within 0 and 1,
    /// and Student's quantile `t` for as many equal `blocks` as say as much.
    ///
    /// `None` where that is fewer than two, or where one block alone holds all that the figure is about: from a
    /// single day with failures, nothing can be said of others.
    ///
    /// # References
    /// B. Efron and C. Stein, *The jackknife estimate of variance*, Annals of Statistics 9(3), 1981. K. Boyd,
    /// K. H. Eng and C. D. Page, *Area under the precision-recall curve: point estimates and confidence intervals*,
    /// ECML PKDD 2013 (logit intervals).
    pub(crate) fn left_out(
        point: Option<f64>,
        without_one: &[Option<f64>],
        blocks: f64,
        level: f64,
    ) -> Option<Self> {
        let point = point?;
        let without_one: Vec<f64> = without_one.iter().copied().collect::<Option<_>>()?;
        if without_one.len() < 2 || blocks.is_nan() || blocks < 2.0 {
            return None;
        }
        if without_one.iter().all(|value| *value == point) {
            return Some(Self { low: point, high: point, level });
        }
        let n = without_one.len() as f64;
        let logits: Vec<f64> = without_one.iter().map(|value| logit(*value)).collect();
        let mean = logits.iter().sum::<f64>() / n;
        let squares: f64 = logits.iter().map(|value| (value - mean).powi(2)).sum();
        let half = student_quantile(blocks - 1.0, level) * ((n - 1.0) / n * squares).sqrt();
        let end = |shift: f64| 1.0 / (1.0 + (-logit(point) - shift).exp());
        // Rounding must not leave out the figure itself.
        Some(Self { low: end(-half).min(point), high: end(half).max(point), level })
    }
}

fn logit(value: f64) -> f64 {
    let value = value.clamp(EDGE, 1.0 - EDGE);
    (value / (1.0 - value)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_blocks_has_students_interval() {
        // Means near 1/2, where the logit is straight with a slope of 4.
        let values: Vec<f64> = (0..12).map(|i| 0.5 + 0.001 * f64::from(i % 4)).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let without: Vec<Option<f64>> =
            values.iter().map(|value| Some((n * mean - value) / (n - 1.0))).collect();
        let found = Interval::left_out(Some(mean), &without, n, 0.95).unwrap();
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0) / n;
        // Student's quantile at 11 degrees of freedom, from tables.
        let half = 2.200_985 * variance.sqrt();
        assert!((found.high - mean - half).abs() < 1e-3 * half, "{found:?}");
        assert!((mean - found.low - half).abs() < 1e-3 * half, "{found:?}");
    }

    #[test]
    fn fewer_blocks_say_less_and_one_says_nothing() {
        let without = [Some(0.3), Some(0.4), Some(0.35)];
        let width = |blocks: f64| {
            let found = Interval::left_out(Some(0.35), &without, blocks, 0.95).unwrap();
            assert!(found.contains(0.35) && found.low > 0.0 && found.high < 1.0, "{found:?}");
            found.high - found.low
        };
        assert!(width(2.0) > width(3.0) && width(3.0) > width(30.0));
        assert_eq!(Interval::left_out(Some(0.35), &without, 1.9, 0.95), None);
        assert_eq!(Interval::left_out(Some(0.35), &[Some(0.3), None, Some(0.4)], 3.0, 0.95), None);
        assert_eq!(Interval::left_out(None, &without, 3.0, 0.95), None);
        let certain = Interval::left_out(Some(1.0), &[Some(1.0); 3], 3.0, 0.95).unwrap();
        assert_eq!((certain.low, certain.high), (1.0, 1.0));
    }
}
