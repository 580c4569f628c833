use forewarn_numerics::quantile;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::erf::erfc;

/// Where a figure lies, by resampling.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of such intervals that hold the true value, as far as the resampling is right; 0.95 for 95 %.
    pub level: f64,
}

impl Interval {
    /// Whether `value` lies in it, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The middle of resampled values of a figure, widened for the number of `blocks` that it rests on. `None` where
    /// fewer than half of the `resamples` gave a value: what is left would be a selection.
    ///
    /// The middle `level` itself is too narrow: resampling divides by `n` where a variance divides by `n - 1`, and
    /// knows the spread of the blocks no better than the data does. Its tails are therefore those of a normal at
    /// `t sqrt(n / (n - 1))`, with the quantile `t` of Student's distribution.
    ///
    /// # References
    /// T. C. Hesterberg, *What teachers should know about the bootstrap*, The American Statistician 69(4), 2015
    /// (expanded percentile).
    pub(crate) fn expanded(values: Vec<f64>, blocks: f64, resamples: usize, level: f64) -> Option<Self> {
        Self::corrected(values, None, &[], blocks, resamples, level)
    }

    /// The same, moved for bias and skewness: by where the figure of the data, `point`, lies among the resampled
    /// ones, and by how the figures without one block each lean. A rate of rare alarms is known to be at least so
    /// high better than to be at most so high.
    ///
    /// # References
    /// B. Efron, *Better bootstrap confidence intervals*, Journal of the American Statistical Association 82(397),
    /// 1987 (`BCa`).
    pub(crate) fn corrected(
        mut values: Vec<f64>,
        point: Option<f64>,
        without_one: &[f64],
        blocks: f64,
        resamples: usize,
        level: f64,
    ) -> Option<Self> {
        if values.is_empty() || 2 * values.len() < resamples {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        let (bias, lean) = (point.map_or(0.0, |point| bias(&values, point)), lean(without_one));
        let at = |errors: f64| {
            if errors.is_infinite() {
                return quantile(&values, if errors < 0.0 { 0.0 } else { 1.0 });
            }
            let from = bias + errors;
            // Beyond the pole of the correction lies the end of the values.
            let room = 1.0 - lean * from;
            let place = if room > 0.0 { bias + from / room } else { errors.signum() * f64::INFINITY };
            quantile(&values, normal_cdf(place))
        };
        let wide = widened(blocks, level);
        Some(Self { low: at(-wide)?, high: at(wide)?, level })
    }
}

/// Degrees of freedom from which on Student's distribution is the normal one.
const NORMAL: f64 = 1e6;

/// Standard errors, as resampling finds them, on each side of a figure that rests on this number of blocks: more than
/// the 1.96 of a normal at a level of 0.95, and without end for fewer than two blocks, whose spread is not known.
pub(crate) fn widened(blocks: f64, level: f64) -> f64 {
    let freedom = blocks - 1.0;
    // Below one degree of freedom the quantile is beyond any draw, and searching for it does not end.
    if freedom.is_nan() || freedom < 1.0 {
        return f64::INFINITY;
    }
    if freedom > NORMAL {
        return normal_quantile(level);
    }
    student_quantile(freedom, level) * (blocks / freedom).sqrt()
}

/// Standard errors on each side that hold a normal variable with this probability.
pub(crate) fn normal_quantile(level: f64) -> f64 {
    -Normal::standard().inverse_cdf((1.0 - level) / 2.0)
}

/// The same for Student's distribution, at one degree of freedom or more.
pub(crate) fn student_quantile(freedom: f64, level: f64) -> f64 {
    if freedom > NORMAL {
        return normal_quantile(level);
    }
    let student = StudentsT::new(0.0, 1.0, freedom.max(1.0));
    student.map_or(f64::INFINITY, |t| t.inverse_cdf(f64::midpoint(1.0, level)))
}

/// Number of equal blocks that say as much as these, by what each adds to what a figure is divided by: with all
/// failures in three of thirty days it is three at most.
///
/// # References
/// L. Kish, *Survey sampling*, 1965 (effective sample size).
pub(crate) fn effective(weights: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, squares) = weights.into_iter().fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// Normal quantile of the share of values below a figure, equal ones counting half; held within one standard error,
/// so that a figure at the end of its values keeps an interval.
fn bias(ascending: &[f64], point: f64) -> f64 {
    let below = ascending.partition_point(|value| *value < point);
    let until = ascending.partition_point(|value| *value <= point);
    let share = (below + until) as f64 / (2 * ascending.len().max(1)) as f64;
    Normal::standard().inverse_cdf(share.clamp(0.16, 0.84))
}

/// A sixth of the skewness of a figure's standard error, by leaving out one block at a time: the acceleration.
fn lean(without_one: &[f64]) -> f64 {
    let mean = without_one.iter().sum::<f64>() / without_one.len().max(1) as f64;
    let power = |exponent: i32| without_one.iter().map(|value| (mean - value).powi(exponent)).sum::<f64>();
    let squares = power(2);
    if squares > 0.0 { power(3) / (6.0 * squares.powf(1.5)) } else { 0.0 }
}

fn normal_cdf(value: f64) -> f64 {
    0.5 * erfc(-value / std::f64::consts::SQRT_2)
}

/// A figure and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntervalEstimate {
    /// The figure on the data measured; `None` where it does not exist.
    pub value: Option<f64>,
    /// Where it lies; `None` where resampling does not say.
    pub interval: Option<Interval>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_values_is_widened_for_few_blocks() {
        let values: Vec<f64> = (0..=10_000).rev().map(f64::from).collect();
        let of = |blocks: f64| Interval::expanded(values.clone(), blocks, 10_001, 0.95).unwrap();
        // Hesterberg's table: a level of 0.9625 for 30 blocks, 0.983 for 10 and 0.998 for 5.
        for (blocks, level) in [(1e9, 0.95), (30.0, 0.9625), (10.0, 0.983), (5.0, 0.998)] {
            let found = of(blocks);
            assert!(((found.high - found.low) / 1e4 - level).abs() < 5e-4, "{blocks}: {found:?}");
            assert!((found.low + found.high - 1e4).abs() < 1e-6 && found.level == 0.95);
        }
        let single = of(1.0);
        assert_eq!((single.low, single.high), (0.0, 1e4));
        assert!(single.contains(50.5) && !of(30.0).contains(1.0) && !of(30.0).contains(9999.0));
    }

    #[test]
    fn too_few_values_have_no_interval() {
        assert!(Interval::expanded(vec![1.0; 49], 9.0, 100, 0.9).is_none());
        assert!(Interval::expanded(vec![1.0; 50], 9.0, 100, 0.9).is_some());
        assert!(Interval::expanded(vec![], 9.0, 0, 0.9).is_none());
    }

    #[test]
    fn uneven_blocks_count_for_fewer() {
        assert_eq!(effective([2.0; 7]), 7.0);
        assert_eq!(effective([5.0, 0.0, 0.0]), 1.0);
        assert_eq!(effective([]), 0.0);
        assert!(widened(0.0, 0.95).is_infinite() && widened(1.9, 0.95).is_infinite());
        assert!((widened(2.0, 0.95) / 12.706_204_736 / 2f64.sqrt() - 1.0).abs() < 1e-6);
    }
}
