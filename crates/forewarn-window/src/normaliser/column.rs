//! What a normaliser knows about one column.

use serde::{Deserialize, Serialize};

/// Half the distance between the quartiles of a normal distribution is 0.6745 deviations.
const QUARTILES_APART: f64 = 1.348_979_500_392_163_5;

/// How one column is normalised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Column {
    /// `(x - centre) / scale`.
    Linear { centre: f64, scale: f64 },
    /// The share of training values below, by equally spaced quantiles.
    Quantiles(Vec<f64>),
}

impl Column {
    /// A column of which nothing is known, where all others are linear: left as it is.
    pub(super) const UNSEEN: Self = Self::Linear { centre: 0.0, scale: 1.0 };

    /// A linear column; what is left of a constant one is rounding, relative to its own size, and is not scaled by.
    pub(super) fn linear(centre: f64, scale: f64) -> Self {
        let rounding = f64::from(f32::EPSILON) * centre.abs();
        Self::Linear { centre, scale: if scale > rounding { scale } else { 1.0 } }
    }

    /// Median and quartiles of ascending values, of which there is at least one.
    pub(super) fn robust(ascending: &[f32]) -> Self {
        let median = quantile(ascending, 0.5);
        let between = (quantile(ascending, 0.75) - quantile(ascending, 0.25)) / QUARTILES_APART;
        if between > f64::from(f32::EPSILON) * median.abs() {
            return Self::linear(median, between);
        }
        // Half of the values are equal, as those of a count of rare events: the quartiles say nothing about the rest.
        let squares = ascending.iter().map(|&value| (f64::from(value) - median).powi(2)).sum::<f64>();
        Self::linear(median, (squares / ascending.len() as f64).sqrt())
    }

    /// `knots` quantiles of ascending values, of which there is at least one.
    pub(super) fn quantiles(ascending: &[f32], knots: usize) -> Self {
        let level = |knot| knot as f64 / (knots - 1) as f64;
        Self::Quantiles((0..knots).map(|knot| quantile(ascending, level(knot))).collect())
    }

    /// One value, normalised; NaN stays NaN.
    pub(super) fn normalise(&self, value: f32) -> f32 {
        match self {
            Self::Linear { centre, scale } => ((f64::from(value) - centre) / scale) as f32,
            Self::Quantiles(_) if value.is_nan() => f32::NAN,
            Self::Quantiles(knots) => share_below(knots, f64::from(value)) as f32,
        }
    }

    /// Why the numbers of a saved column cannot be used.
    pub(super) fn damage(&self) -> Option<String> {
        match self {
            Self::Linear { centre, scale } => {
                let sound =
                    centre.is_finite() && *scale > 0.0 && scale.recip() > 0.0 && scale.recip().is_finite();
                (!sound).then(|| format!("centre {centre}, scale {scale}"))
            }
            Self::Quantiles(knots) => {
                let sound = knots.len() >= 2
                    && knots.iter().all(|knot| knot.is_finite())
                    && knots.windows(2).all(|pair| pair[0] <= pair[1]);
                (!sound).then(|| format!("{} quantiles that do not ascend", knots.len()))
            }
        }
    }
}

/// The quantile at `level` by linear interpolation, as NumPy's default.
///
/// # References
/// R. J. Hyndman and Y. Fan, *Sample quantiles in statistical packages*, The American Statistician 50(4), 1996: type 7.
fn quantile(ascending: &[f32], level: f64) -> f64 {
    let place = level * (ascending.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let (low, high) = (f64::from(ascending[below]), f64::from(ascending[above]));
    low + (high - low) * (place - below as f64)
}

/// Where `value` lies among ascending knots, 0 to 1; among equal knots, in their middle.
fn share_below(knots: &[f64], value: f64) -> f64 {
    let last = (knots.len() - 1) as f64;
    let below = knots.partition_point(|&knot| knot < value);
    let through = knots.partition_point(|&knot| knot <= value);
    if below < through {
        return (below + through - 1) as f64 / 2.0 / last;
    }
    if below == 0 {
        return 0.0;
    }
    if below == knots.len() {
        return 1.0;
    }
    let (low, high) = (knots[below - 1], knots[below]);
    ((below - 1) as f64 + (value - low) / (high - low)) / last
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([1, 2, 4, 8], [0, .25, .5, .75, 1]) = [1, 1.75, 3, 5, 8]
        assert_eq!(
            Column::quantiles(&[1.0, 2.0, 4.0, 8.0], 5),
            Column::Quantiles(vec![1.0, 1.75, 3.0, 5.0, 8.0])
        );
        let share = |x: f32| Column::quantiles(&[1.0, 2.0, 4.0, 8.0], 5).normalise(x);
        assert_eq!((share(0.0), share(1.0), share(3.0), share(4.0), share(9.0)), (0.0, 0.0, 0.5, 0.625, 1.0));
        assert!(share(f32::NAN).is_nan());
    }

    #[test]
    fn equal_values_lie_in_the_middle_of_their_share() {
        let constant = Column::quantiles(&[3.0; 7], 11);
        assert_eq!(
            (constant.normalise(2.0), constant.normalise(3.0), constant.normalise(4.0)),
            (0.0, 0.5, 1.0)
        );
    }

    #[test]
    fn the_robust_scale_ignores_a_tail_and_survives_ties() {
        let mut values: Vec<f32> = (0..=100u8).map(f32::from).collect();
        values[100] = 1e9;
        let Column::Linear { centre, scale } = Column::robust(&values) else { panic!("linear") };
        assert_relative_eq!(centre, 50.0);
        assert_relative_eq!(scale, 50.0 / 1.3489795, max_relative = 1e-7);
        let rare = [vec![0.0f32; 99], vec![10.0]].concat();
        assert_eq!(Column::robust(&rare), Column::Linear { centre: 0.0, scale: 1.0 });
        assert_eq!(Column::robust(&[0.1; 5]), Column::Linear { centre: f64::from(0.1f32), scale: 1.0 });
    }
}
