/// One `le` bucket of a classic histogram: how many observations were at most `upper`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassicBucket {
    /// The label `le`: the bucket's upper bound, which belongs to it; +Inf in the last one.
    pub upper: f64,
    /// Observations up to the bound, those of lower buckets included; a rate of them does as well.
    pub count: f64,
}

/// Differences below this share are rounding, not observations: sums of rates in another order differ by as much.
const ROUNDING: f64 = 1e-12;

/// The `q`-quantile of a classic histogram: PromQL's `histogram_quantile`, number for number.
///
/// Within its bucket a quantile is interpolated on a straight line; the lowest bucket begins at 0, unless its bound is
/// not above 0, in which case that bound is the answer. A quantile beyond the highest finite bound *is* that bound: how
/// far above it is cannot be told. Buckets may come in any order; those with the same bound are added up, and a count
/// below that of a lower bucket is raised to it.
///
/// NaN without observations, with fewer than two buckets, without a bucket for +Inf, or where `q` is NaN; minus and
/// plus infinity for a `q` below 0 and above 1.
#[must_use]
pub fn histogram_quantile(q: f64, buckets: &[ClassicBucket]) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if !(0.0..=1.0).contains(&q) {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let buckets = tidy(buckets);
    let [.., second, last] = buckets.as_slice() else { return f64::NAN };
    if last.upper != f64::INFINITY || last.count.is_nan() || last.count <= 0.0 {
        return f64::NAN;
    }
    let mut rank = q * last.count;
    let finite = &buckets[..buckets.len() - 1];
    let at = finite.partition_point(|bucket| bucket.count < rank);
    let Some(&ClassicBucket { upper: end, mut count }) = finite.get(at) else { return second.upper };
    if at == 0 && end <= 0.0 {
        return end;
    }
    let mut start = 0.0;
    if let Some(below) = at.checked_sub(1).map(|below| finite[below]) {
        start = below.upper;
        count -= below.count;
        rank -= below.count;
    }
    start + (end - start) * (rank / count)
}

/// The highest bound that is a number: no quantile of these buckets is above it. `None` where there is none.
#[must_use]
pub fn highest_finite_bound(buckets: &[ClassicBucket]) -> Option<f64> {
    buckets.iter().map(|bucket| bucket.upper).filter(|upper| upper.is_finite()).max_by(f64::total_cmp)
}

/// In order of bounds, each bound once, counts that never fall.
fn tidy(buckets: &[ClassicBucket]) -> Vec<ClassicBucket> {
    let mut sorted: Vec<_> = buckets.iter().filter(|bucket| !bucket.upper.is_nan()).copied().collect();
    sorted.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    let mut merged: Vec<ClassicBucket> = Vec::with_capacity(sorted.len());
    for bucket in sorted {
        match merged.last_mut() {
            // `==`, since 0 and -0 are one bound.
            Some(last) if last.upper == bucket.upper => last.count += bucket.count,
            _ => merged.push(bucket),
        }
    }
    let mut before = merged.first().map_or(0.0, |bucket| bucket.count);
    for bucket in merged.iter_mut().skip(1) {
        if (bucket.count - before).abs() / bucket.count <= ROUNDING {
            bucket.count = before;
        } else {
            before = bucket.count;
        }
    }
    let mut most = f64::NEG_INFINITY;
    for bucket in &mut merged {
        most = most.max(bucket.count);
        bucket.count = most;
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn buckets(pairs: &[(f64, f64)]) -> Vec<ClassicBucket> {
        pairs.iter().map(|&(upper, count)| ClassicBucket { upper, count }).collect()
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles_worked_out_by_hand() {
        let ten = buckets(&[(0.1, 5.0), (0.5, 9.0), (1.0, 10.0), (INF, 10.0)]);
        // Rank 5 ends the first bucket; rank 7 is half of the way through the second.
        assert_eq!(histogram_quantile(0.5, &ten), 0.1);
        assert!((histogram_quantile(0.7, &ten) - 0.3).abs() < 1e-12);
        assert_eq!(histogram_quantile(1.0, &ten), 1.0);
        let slow = buckets(&[(INF, 100.0), (0.5, 2.0), (1.0, 3.0)]);
        assert_eq!(histogram_quantile(0.99, &slow), 1.0);
        assert_eq!(highest_finite_bound(&slow), Some(1.0));
    }

    #[test]
    fn what_cannot_be_told_is_nan() {
        for unknown in [
            buckets(&[]),
            buckets(&[(INF, 4.0)]),
            buckets(&[(0.5, 0.0), (INF, 0.0)]),
            buckets(&[(0.5, 2.0), (1.0, 4.0)]),
            buckets(&[(0.5, f64::NAN), (INF, f64::NAN)]),
        ] {
            assert!(histogram_quantile(0.5, &unknown).is_nan(), "{unknown:?}");
        }
        let some = buckets(&[(0.5, 2.0), (INF, 4.0)]);
        assert!(histogram_quantile(f64::NAN, &some).is_nan());
        assert_eq!(histogram_quantile(-0.1, &some), -INF);
        assert_eq!(histogram_quantile(1.1, &some), INF);
        assert_eq!(highest_finite_bound(&buckets(&[(INF, 4.0)])), None);
    }

    #[test]
    fn bounds_below_zero_and_counts_that_fall_are_as_prometheus_has_them() {
        assert_eq!(histogram_quantile(0.1, &buckets(&[(-1.0, 5.0), (1.0, 6.0), (INF, 6.0)])), -1.0);
        // 3 after 4 is raised to 4: rank 2 lies in the first bucket.
        assert_eq!(histogram_quantile(0.5, &buckets(&[(2.0, 4.0), (4.0, 3.0), (INF, 4.0)])), 1.0);
    }

    proptest! {
        #[test]
        fn a_quantile_grows_with_q_and_never_passes_the_highest_bound(
            counts in proptest::collection::vec(0u32..1000, 2..12),
            (low, high) in (0.0..=1.0, 0.0..=1.0),
        ) {
            let mut sum = 0.0;
            let last = counts.len() - 1;
            let buckets: Vec<_> = counts.iter().enumerate().map(|(i, &count)| {
                sum += f64::from(count);
                ClassicBucket { upper: if i == last { INF } else { (i + 1) as f64 }, count: sum }
            }).collect();
            prop_assume!(sum > 0.0);
            let (low, high) = if low <= high { (low, high) } else { (high, low) };
            let (low, high) = (histogram_quantile(low, &buckets), histogram_quantile(high, &buckets));
            // The 0-quantile of a histogram whose first bucket is empty is 0/0, here as there.
            prop_assert!(low.is_nan() || low <= high + 1e-9);
            prop_assert!(high.is_nan() || (0.0..=last as f64).contains(&high));
        }
    }
}
