use forewarn_numerics::Moments;

/// Mean of the values; NaN without any.
pub(super) fn mean(points: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut count, mut sum) = (0.0, 0.0);
    for (_, value) in points {
        count += 1.0;
        sum += value;
    }
    // 0 / 0 is NaN.
    sum / count
}

/// Mean with weights that halve every `half_life` steps back from time 0; NaN without a point.
pub(super) fn ewma(points: impl Iterator<Item = (f64, f64)>, half_life: f64) -> f64 {
    // The newest point counts fully, so that weights do not vanish together however short the half-life is.
    let (mut sum, mut total, mut before) = (0.0, 0.0, None);
    for (time, value) in points {
        let faded = before.map_or(0.0, |before: f64| ((before - time) / half_life).exp2());
        (sum, total) = (faded * sum + value, faded * total + 1.0);
        before = Some(time);
    }
    sum / total
}

/// How far the mean of the last `rows` steps lies from the mean of those before, in standard deviations of those
/// before, which count as at least `least`; NaN unless there are samples on both sides.
pub(super) fn z_score(points: impl Iterator<Item = (f64, f64)>, rows: f64, least: f64) -> f64 {
    let mut before = Moments::default();
    let (mut now_count, mut now_sum) = (0.0, 0.0);
    for (time, value) in points {
        if -time < rows {
            now_count += 1.0;
            now_sum += value;
        } else {
            before.push(value);
        }
    }
    if before.count == 0.0 {
        return f64::NAN;
    }
    (now_sum / now_count - before.mean) / before.deviation().max(least)
}

/// The two one-sided cumulative sums of `deviations` beyond `slack`: the upper one, or the lower one with a minus
/// where that is greater. NaN without a sample.
///
/// # References
/// E. Page, *Continuous inspection schemes*, Biometrika 41, 1954.
pub(super) fn cusum(deviations: impl Iterator<Item = f64>, slack: f64) -> f64 {
    let sums = deviations.fold(None, |sums: Option<(f64, f64)>, deviation| {
        let (upper, lower) = sums.unwrap_or_default();
        Some(((upper + deviation - slack).max(0.0), (lower - deviation - slack).max(0.0)))
    });
    sums.map_or(f64::NAN, |(upper, lower)| if upper >= lower { upper } else { -lower })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_start_anew_at_zero() {
        assert_eq!(cusum([2.0, -9.0, 1.0, 1.5].into_iter(), 0.5), -5.0);
        assert_eq!(cusum([2.0, -1.0, 1.0, 1.5].into_iter(), 0.5), 1.5);
        assert_eq!(cusum([3.0, 3.0, 0.4].into_iter(), 0.5), 4.9);
        assert!(cusum(std::iter::empty(), 0.5).is_nan());
    }

    #[test]
    fn a_z_score_by_hand() {
        let points = [(-4.0, 1.0), (-3.0, 3.0), (-2.0, 2.0), (-1.0, 7.0), (0.0, 9.0)];
        let deviation = (2.0f64 / 3.0).sqrt();
        assert!((z_score(points.into_iter(), 2.0, 0.1) - 6.0 / deviation).abs() < 1e-12);
        assert_eq!(z_score(points.into_iter(), 2.0, 3.0), 2.0);
        assert!(z_score(points[3..].iter().copied(), 2.0, 0.1).is_nan());
        assert!(z_score(points[..3].iter().copied(), 2.0, 0.1).is_nan());
    }

    #[test]
    fn weights_halve() {
        let points = [(-2.0, 4.0), (0.0, 8.0)];
        assert_eq!(ewma(points.into_iter(), 2.0), (0.5 * 4.0 + 8.0) / 1.5);
        assert_eq!(ewma(points.into_iter(), 1e-9), 8.0);
        assert!(ewma(std::iter::empty(), 1.0).is_nan());
    }
}
