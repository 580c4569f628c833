/// The quantile `share`, 0 to 1, of ascending values, with linear interpolation between the two next to it; `None`
/// without a value.
///
/// A share outside of 0..=1 counts as the nearer end, NaN as 0.
///
/// # References
/// R. J. Hyndman and Y. Fan, *Sample quantiles in statistical packages*, The American Statistician 50(4), 1996, type
/// 7: the default of `numpy.quantile`.
#[must_use]
pub fn quantile(ascending: &[f64], share: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let place = last as f64 * share.clamp(0.0, 1.0);
    let (below, above) = (place.floor() as usize, (place.ceil() as usize).min(last));
    let (below, above) = (ascending[below.min(last)], ascending[above]);
    Some(below + (above - below) * place.fract().max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // numpy.quantile([1, 2, 4, 5], [0, 0.1, 0.5, 1]).
        let values = [1.0, 2.0, 4.0, 5.0];
        for (share, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (1.0, 5.0)] {
            assert!((quantile(&values, share).unwrap() - expected).abs() < 1e-12, "{share}");
        }
        assert_eq!(quantile(&[3.0], 0.9), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn no_share_panics() {
        for share in [-1.0, 2.0, f64::INFINITY, f64::NEG_INFINITY] {
            assert!((1.0..=2.0).contains(&quantile(&[1.0, 2.0], share).unwrap()), "{share}");
        }
        assert!(quantile(&[1.0, 2.0], f64::NAN).is_some());
    }
}
