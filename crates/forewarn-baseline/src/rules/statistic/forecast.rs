/// The least-squares line through `points` at time `at`; the only point's value where there is one, NaN where there
/// is none.
///
/// Two passes, around the means: exact for constant values, and free of the cancellation of the textbook sums.
pub(super) fn line_at(points: impl Iterator<Item = (f64, f64)> + Clone, at: f64) -> f64 {
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

/// The line with the median slope of all pairs of points and the median intercept, at time `at`; NaN without a point.
///
/// `O(points^2)` time and memory.
///
/// # References
/// P. Sen, *Estimates of the regression coefficient based on Kendall's tau*, Journal of the American Statistical
/// Association 63, 1968.
pub(super) fn theil_sen_at(points: &[(f64, f64)], at: f64) -> f64 {
    let mut slopes = Vec::with_capacity(points.len() * points.len().saturating_sub(1) / 2);
    for (index, &(time, value)) in points.iter().enumerate() {
        slopes.extend(points[..index].iter().map(|&(before, old)| (value - old) / (time - before)));
    }
    let slope = if slopes.is_empty() { 0.0 } else { median(&mut slopes) };
    let mut rests: Vec<f64> = points.iter().map(|&(time, value)| value + slope * (at - time)).collect();
    if rests.is_empty() { f64::NAN } else { median(&mut rests) }
}

/// The middle value, or the mean of the two in the middle.
fn median(values: &mut [f64]) -> f64 {
    let (length, middle) = (values.len(), values.len() / 2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if length % 2 == 1 {
        return upper;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(lower, upper)
}

/// Level and trend of the samples, in order, by double exponential smoothing with the weights `level` and `trend` of
/// what is new, drawn on `steps` steps; the only sample where there is one, NaN where there is none.
///
/// The recurrence of Prometheus: the level is what its `double_exponential_smoothing` gives.
///
/// # References
/// C. Holt, *Forecasting seasonals and trends by exponentially weighted moving averages*, 1957.
pub(super) fn holt(mut samples: impl Iterator<Item = f64>, level: f64, trend: f64, steps: f64) -> f64 {
    let Some(first) = samples.next() else { return f64::NAN };
    let (mut smooth, mut slope, mut before) = (first, 0.0, None);
    for sample in samples {
        slope = match before {
            None => sample - first,
            Some(before) => trend * (smooth - before) + (1.0 - trend) * slope,
        };
        before = Some(smooth);
        smooth = level * sample + (1.0 - level) * (smooth + slope);
    }
    let slope = before.map_or(0.0, |before| trend * (smooth - before) + (1.0 - trend) * slope);
    smooth + slope * steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `predict_linear` as `PromQL` computes it: plain sums with times in seconds relative to the evaluation, which is
    /// the last row; the intercept is the value at the evaluation.
    fn predict_linear(samples: &[f64], seconds: f64) -> f64 {
        let (mut n, mut sx, mut sy, mut sxy, mut sxx) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (i, &value) in samples.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let x = -60.0 * (samples.len() - 1 - i) as f64;
            n += 1.0;
            sx += x;
            sy += value;
            sxy += x * value;
            sxx += x * x;
        }
        let slope = (sxy - sx * sy / n) / (sxx - sx * sx / n);
        slope * seconds + (sy / n - slope * sx / n)
    }

    /// `double_exponential_smoothing` as Prometheus' `funcDoubleExponentialSmoothing` computes it.
    fn prometheus_smoothing(samples: &[f64], sf: f64, tf: f64) -> f64 {
        let trend_value =
            |i: usize, s0: f64, s1: f64, b: f64| if i == 0 { b } else { tf * (s1 - s0) + (1.0 - tf) * b };
        let (mut s0, mut s1, mut b) = (0.0, samples[0], samples[1] - samples[0]);
        for (i, sample) in samples.iter().enumerate().skip(1) {
            let x = sf * sample;
            b = trend_value(i - 1, s0, s1, b);
            let y = (1.0 - sf) * (s1 + b);
            (s0, s1) = (s1, x + y);
        }
        s1
    }

    fn points(samples: &[f64]) -> impl Iterator<Item = (f64, f64)> + Clone + '_ {
        let first = 1.0 - samples.len() as f64;
        samples
            .iter()
            .enumerate()
            .map(move |(row, &value)| (first + row as f64, value))
            .filter(|(_, value)| !value.is_nan())
    }

    proptest! {
        #[test]
        fn the_line_is_predict_linear(
            mut samples in prop::collection::vec(prop_oneof![1 => Just(f64::NAN), 5 => -100f64..100.0], 4..20),
            horizon in 0u32..30
        ) {
            (samples[0], samples[2]) = (3.0, -5.0);
            let line = line_at(points(&samples), f64::from(horizon));
            let twin = predict_linear(&samples, 60.0 * f64::from(horizon));
            prop_assert!((line - twin).abs() <= 1e-9 * (1.0 + twin.abs()), "{} {}", line, twin);
        }

        #[test]
        fn the_level_is_that_of_prometheus(samples in prop::collection::vec(-100f64..100.0, 2..20), sf in 0.01f64..0.99, tf in 0.01f64..0.99) {
            let level = holt(samples.iter().copied(), sf, tf, 0.0);
            let twin = prometheus_smoothing(&samples, sf, tf);
            prop_assert!((level - twin).abs() <= 1e-12 * (1.0 + twin.abs()), "{} {}", level, twin);
        }

        #[test]
        fn a_line_is_drawn_on(start in -10f64..10.0, slope in -5f64..5.0, length in 2usize..15, horizon in 0u32..20) {
            let samples: Vec<f64> = (0..length).map(|row| start + slope * row as f64).collect();
            let expected = start + slope * (length as f64 - 1.0 + f64::from(horizon));
            let at = f64::from(horizon);
            let near = |value: f64| (value - expected).abs() < 1e-9 * (1.0 + expected.abs() + slope.abs() * 20.0);
            prop_assert!(near(theil_sen_at(&points(&samples).collect::<Vec<_>>(), at)));
            prop_assert!(near(holt(samples.iter().copied(), 0.5, 0.3, at)));
        }
    }

    #[test]
    fn the_cases_of_prometheus_own_tests() {
        // `functions.test`: a counter every five minutes that is reset at 25 minutes, 3600 s ahead of 50 minutes; the
        // same with the sample at 0 minutes, ahead of 10, 50 and 70 minutes.
        let counter = [0.0, 10.0, 20.0, 30.0, 40.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0];
        assert!((line_at(points(&counter[1..]), 12.0) - 70.0).abs() < 1e-12);
        for (ahead, expected) in
            [(4.0, 51.363_636_363_636_37), (12.0, 76.818_181_818_181_81), (16.0, 89.545_454_545_454_55)]
        {
            assert!((line_at(points(&counter), ahead) - expected).abs() < 1e-12, "{ahead}");
        }
        // Histograms among the samples are left out, as gaps are here: `predict_linear(..._mix[60m], 3000)`.
        let mixed: Vec<f64> = counter[1..].iter().copied().chain([f64::NAN; 2]).collect();
        assert!((line_at(points(&mixed), 10.0) - 70.0).abs() < 1e-12);
        // `deriv` of the counter, a second.
        let slope = (line_at(points(&counter), 1.0) - line_at(points(&counter), 0.0)) / 300.0;
        assert!((slope - 0.010_606_060_606_060_607).abs() < 1e-15);
        // `double_exponential_smoothing(...[1m], 0.01, 0.1)` of `0+10x1000` at 8,000 s, and of what falls.
        let rising: Vec<f64> = (795..=800).map(|row| 10.0 * f64::from(row)).collect();
        assert!((holt(rising.iter().copied(), 0.01, 0.1, 0.0) - 8000.0).abs() < 1e-9);
        let falling: Vec<f64> = rising.iter().map(|value| 8000.0 - value).collect();
        assert!(holt(falling.iter().copied(), 0.01, 0.1, 0.0).abs() < 1e-9);
    }

    #[test]
    fn the_median_line_ignores_a_spike() {
        let mut samples = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        samples[5] = 1e6;
        let robust = theil_sen_at(&points(&samples).collect::<Vec<_>>(), 3.0);
        assert!((robust - 10.0).abs() < 1e-9, "{robust}");
        assert!(line_at(points(&samples), 3.0) > 1e5);
    }
}
