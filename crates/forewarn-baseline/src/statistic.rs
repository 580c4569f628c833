use serde::{Deserialize, Serialize};

/// What a rule computes from one metric of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Statistic {
    /// The last row's sample.
    Last,
    /// Mean of the samples present in the last `rows` rows.
    Mean { rows: usize },
    /// The least-squares line over the samples present, `horizon` steps after the last row.
    Line { horizon: u32 },
}

impl Statistic {
    /// The statistic of column `column` of a row-major window of `width` columns; NaN where every sample that it needs is
    /// missing. Sums are in `f64`. Infinities, which no frame holds, count as the largest `f32`.
    pub(crate) fn of(self, window: &[f32], width: usize, column: usize) -> f32 {
        let sample = |row: &[f32]| row[column].clamp(f32::MIN, f32::MAX);
        let rows = window.chunks_exact(width);
        match self {
            Self::Last => rows.last().map_or(f32::NAN, sample),
            Self::Mean { rows: last } => {
                let skipped = rows.len().saturating_sub(last);
                let (mut sum, mut count) = (0.0, 0u32);
                for value in rows.skip(skipped).map(sample).filter(|value| !value.is_nan()) {
                    sum += f64::from(value);
                    count += 1;
                }
                if count == 0 { f32::NAN } else { (sum / f64::from(count)) as f32 }
            }
            Self::Line { horizon } => {
                // Times in steps, the last row at 0.
                let first = 1.0 - rows.len() as f64;
                let points = rows
                    .map(sample)
                    .enumerate()
                    .filter(|(_, value)| !value.is_nan())
                    .map(|(row, value)| (first + row as f64, f64::from(value)));
                line_at(points, f64::from(horizon)) as f32
            }
        }
        .clamp(f32::MIN, f32::MAX)
    }
}

/// The least-squares line through `points` at time `at`; the only point's value where there is one, NaN where there is none.
///
/// Two passes, around the means: exact for constant values, and free of the cancellation of the textbook sums.
fn line_at(points: impl Iterator<Item = (f64, f64)> + Clone, at: f64) -> f64 {
    let (mut count, mut time_sum, mut value_sum) = (0u32, 0.0, 0.0);
    for (time, value) in points.clone() {
        count += 1;
        time_sum += time;
        value_sum += value;
    }
    if count == 0 {
        return f64::NAN;
    }
    let (time_mean, value_mean) = (time_sum / f64::from(count), value_sum / f64::from(count));
    let (mut time_square, mut product) = (0.0, 0.0);
    for (time, value) in points {
        time_square += (time - time_mean) * (time - time_mean);
        product += (time - time_mean) * (value - value_mean);
    }
    if time_square == 0.0 { value_mean } else { value_mean + product / time_square * (at - time_mean) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAN: f32 = f32::NAN;

    #[test]
    fn what_is_missing_is_left_out() {
        let window = [1.0, 9.0, NAN, 9.0, 4.0, 9.0, NAN, 9.0];
        let of = |statistic: Statistic| statistic.of(&window, 2, 0);
        assert!(of(Statistic::Last).is_nan());
        assert_eq!(of(Statistic::Mean { rows: 2 }), 4.0);
        assert_eq!(of(Statistic::Mean { rows: 4 }), 2.5);
        assert!(of(Statistic::Mean { rows: 1 }).is_nan());
        // Points (-3, 1) and (-1, 4): slope 1.5, so 5.5 at 0 and 8.5 at 2.
        assert_eq!(of(Statistic::Line { horizon: 0 }), 5.5);
        assert_eq!(of(Statistic::Line { horizon: 2 }), 8.5);
        let one = [NAN, 7.0, NAN];
        assert_eq!(Statistic::Line { horizon: 5 }.of(&one, 1, 0), 7.0);
        assert!(Statistic::Line { horizon: 5 }.of(&[NAN; 3], 1, 0).is_nan());
    }

    #[test]
    fn nothing_overflows() {
        for statistic in [Statistic::Last, Statistic::Mean { rows: 3 }, Statistic::Line { horizon: u32::MAX }]
        {
            for window in [[f32::INFINITY, f32::NEG_INFINITY, f32::MAX], [f32::MIN, 0.0, f32::MAX]] {
                assert!(statistic.of(&window, 1, 0).is_finite(), "{statistic:?} {window:?}");
            }
        }
    }

    /// `predict_linear` as `PromQL` computes it: plain sums with times in seconds relative to the evaluation, which is
    /// the last row; the intercept is the value at the evaluation.
    fn predict_linear(samples: &[f32], seconds: f64) -> f64 {
        let (mut n, mut sx, mut sy, mut sxy, mut sxx) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (i, &value) in samples.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let x = -60.0 * (samples.len() - 1 - i) as f64;
            n += 1.0;
            sx += x;
            sy += f64::from(value);
            sxy += x * f64::from(value);
            sxx += x * x;
        }
        let slope = (sxy - sx * sy / n) / (sxx - sx * sx / n);
        slope * seconds + (sy / n - slope * sx / n)
    }

    proptest! {
        #[test]
        fn trend_is_predict_linear(
            mut samples in prop::collection::vec(prop_oneof![1 => Just(NAN), 5 => -100f32..100.0], 4..20),
            horizon in 0u32..30
        ) {
            (samples[0], samples[2]) = (3.0, -5.0);
            let line = f64::from(Statistic::Line { horizon }.of(&samples, 1, 0));
            let twin = predict_linear(&samples, 60.0 * f64::from(horizon));
            prop_assert!((line - twin).abs() <= 1e-6 * (1.0 + twin.abs()), "{} {}", line, twin);
        }
    }
}
