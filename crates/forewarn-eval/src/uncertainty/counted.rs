//! Intervals of what is counted: few failures, few alarms. Resampling knows too little of them: where all three
//! failures were detected, every resample says so.

use super::interval::{Interval, effective, normal_quantile, student_quantile};

/// What a block of time adds to a count and to what the count is divided by.
pub(crate) type Counted = (f64, f64);

impl Interval {
    /// Where a share of counted things lies, such as failures detected: Wilson's interval for the number of
    /// independent things that say as much. That is their number over the design effect, by which the variance of
    /// the share over blocks exceeds that of independent things; 1 at least, so that luck makes no interval narrow.
    /// `None` with fewer than two blocks, or nothing counted.
    ///
    /// # References
    /// E. B. Wilson, *Probable inference, the law of succession, and statistical inference*, Journal of the American
    /// Statistical Association 22(158), 1927. L. Kish, *Survey sampling*, 1965 (design effect). E. L. Korn and
    /// B. I. Graubard, *Confidence intervals for proportions with small expected number of positive counts estimated
    /// from survey data*, Survey Methodology 24(2), 1998.
    pub(crate) fn share(blocks: &[Counted], level: f64) -> Option<Self> {
        let (part, whole) = sums(blocks);
        let n = blocks.len() as f64;
        if n < 2.0 || whole <= 0.0 {
            return None;
        }
        let share = part / whole;
        let squares: f64 = blocks.iter().map(|(part, whole)| (part - share * whole).powi(2)).sum();
        let over_blocks = squares * n / (n - 1.0) / (whole * whole);
        // Two more, one of each sort, so that a share of 0 or 1 keeps a variance.
        let likely = (part + 1.0) / (whole + 2.0);
        let design_effect = (over_blocks * whole / (likely * (1.0 - likely))).max(1.0);
        let (count, z) = (whole / design_effect, normal_quantile(level));
        let z2 = z * z;
        let middle = (share + z2 / (2.0 * count)) / (1.0 + z2 / count);
        let half =
            z / (1.0 + z2 / count) * (share * (1.0 - share) / count + z2 / (4.0 * count * count)).sqrt();
        // Rounding must not leave out the share itself at the ends.
        Some(Self {
            low: (middle - half).max(0.0).min(share),
            high: (middle + half).min(1.0).max(share),
            level,
        })
    }

    /// Where a rate of counted things lies, such as false alarms a day: the rates of which the count is no further
    /// than `t` standard deviations. A count has the variance of a Poisson one times the dispersion over blocks, 1 at
    /// least. `t` is Student's quantile for as many equal blocks as say as much about the spread, which a few
    /// blocks with many alarms dominate, and for at least half of all blocks. `None` with fewer than two blocks, or no
    /// time.
    ///
    /// # References
    /// P. `McCullagh` and J. A. Nelder, *Generalized linear models*, second edition, 1989, section 9.2
    /// (quasi-likelihood).
    pub(crate) fn rate(blocks: &[Counted], level: f64) -> Option<Self> {
        let (count, time) = sums(blocks);
        let n = blocks.len() as f64;
        if n < 2.0 || time <= 0.0 {
            return None;
        }
        let rate = count / time;
        let squares = blocks.iter().filter(|(_, time)| *time > 0.0).map(|(count, time)| {
            let expected = rate * time;
            (count - expected).powi(2) / expected
        });
        let dispersion = if rate > 0.0 { (squares.sum::<f64>() / (n - 1.0)).max(1.0) } else { 1.0 };
        let with_some = match effective(blocks.iter().map(|(count, _)| *count)) {
            0.0 => n,
            with_some => with_some.min(n),
        };
        let t = student_quantile((with_some - 1.0).max((n - 1.0) / 2.0), level);
        let room = dispersion * t * t / 2.0;
        let half = (2.0 * room * count + room * room).sqrt();
        let end = |count: f64| count.max(0.0) / time;
        Some(Self { low: end(count + room - half).min(rate), high: end(count + room + half), level })
    }
}

fn sums(blocks: &[Counted]) -> Counted {
    blocks.iter().fold((0.0, 0.0), |sum, block| (sum.0 + block.0, sum.1 + block.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn independent_failures_have_wilsons_interval() {
        // Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        let alike = |part: f64, whole: f64| vec![(part / 10.0, whole / 10.0); 10];
        for (part, whole, low, high) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let found = Interval::share(&alike(part, whole), 0.95).unwrap();
            assert_abs_diff_eq!(found.low, low, epsilon = 5e-5);
            assert_abs_diff_eq!(found.high, high, epsilon = 5e-5);
        }
        let all = Interval::share(&alike(20.0, 20.0), 0.95).unwrap();
        assert_eq!(all.high, 1.0);
        assert_abs_diff_eq!(all.low, 1.0 - 0.1611, epsilon = 5e-5);
    }

    #[test]
    fn failures_that_are_detected_together_count_for_fewer() {
        let alone = [(1.0, 2.0); 20];
        let together: Vec<Counted> = (0..20).map(|i| (f64::from(i % 2) * 2.0, 2.0)).collect();
        let width = |blocks: &[Counted]| {
            let found = Interval::share(blocks, 0.95).unwrap();
            found.high - found.low
        };
        // Both failures of a day are found or missed: nearly as wide as for half as many failures.
        let half = Interval::share(&[(0.5, 1.0); 20], 0.95).unwrap();
        assert_abs_diff_eq!(width(&together), half.high - half.low, epsilon = 0.015);
        assert!(width(&together) > 1.3 * width(&alone));
    }

    #[test]
    fn rare_alarms_have_an_interval_of_counts() {
        let found = Interval::rate(&[(1.0, 1.0), (0.0, 1.0), (2.0, 1.0), (1.0, 1.0)], 0.95).unwrap();
        // Both ends: the distance from the count is t standard deviations of a Poisson count with that mean.
        let t = student_quantile(16.0 / 6.0 - 1.0, 0.95);
        for end in [found.low, found.high] {
            assert_abs_diff_eq!((4.0 - 4.0 * end).abs() / (4.0 * end).sqrt(), t, epsilon = 1e-9);
        }
        let none = Interval::rate(&[(0.0, 1.0); 30], 0.95).unwrap();
        assert!(none.low == 0.0 && (3.5..4.5).contains(&(none.high * 30.0)), "{none:?}");
        let uneven = Interval::rate(&[(4.0, 1.0), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0)], 0.95).unwrap();
        assert!(uneven.high > 2.0 * found.high, "{uneven:?}");
    }

    #[test]
    fn nothing_counted_has_no_interval() {
        assert_eq!(Interval::share(&[(0.0, 0.0); 3], 0.95), None);
        assert_eq!(Interval::share(&[(1.0, 2.0)], 0.95), None);
        assert_eq!(Interval::rate(&[(0.0, 0.0); 3], 0.95), None);
        assert_eq!(Interval::rate(&[(1.0, 2.0)], 0.95), None);
    }
}
