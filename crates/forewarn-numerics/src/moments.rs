use crate::Summary;

/// Count, mean and sum of squared distances from it.
///
/// Values come one by one ([`push`](Self::push)), or parts are joined ([`Summary::join`]). Neither loses digits to a
/// mean that is large against the deviations.
///
/// # References
/// B. P. Welford, *Note on a method for calculating corrected sums of squares and products*, Technometrics 4(3),
/// 1962; T. F. Chan, G. H. Golub and R. J. `LeVeque`, *Updating formulae and a pairwise algorithm for computing
/// sample variances*, 1979.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moments {
    /// How many values.
    pub count: f64,
    /// Their mean; 0 without any.
    pub mean: f64,
    /// Sum of their squared distances from the mean.
    pub squares: f64,
}

impl Moments {
    /// Of one value; of none where it is NaN.
    #[must_use]
    pub fn of(value: f64) -> Self {
        if value.is_nan() { Self::EMPTY } else { Self { count: 1.0, mean: value, squares: 0.0 } }
    }

    /// One value more.
    pub fn push(&mut self, value: f64) {
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.squares += off * (value - self.mean);
    }

    /// Of each of `columns` columns of rows; what is missing (NaN) is left out.
    pub fn of_columns<'a>(columns: usize, rows: impl Iterator<Item = &'a [f32]>) -> Vec<Self> {
        let mut columns = vec![Self::EMPTY; columns];
        rows.for_each(|row| Self::push_row(&mut columns, row));
        columns
    }

    /// One row more of them.
    pub fn push_row(columns: &mut [Self], row: &[f32]) {
        for (column, &value) in columns.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
            column.push(f64::from(value));
        }
    }

    /// Standard deviation of the population; 0 without a value.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        (self.squares / self.count.max(1.0)).sqrt()
    }

    /// The same, where what rounding leaves of equal values counts as zero.
    #[must_use]
    pub fn deviation_beyond_rounding(&self) -> f64 {
        let deviation = self.deviation();
        if deviation > f64::EPSILON * self.mean.abs() { deviation } else { 0.0 }
    }
}

impl Summary for Moments {
    const EMPTY: Self = Self { count: 0.0, mean: 0.0, squares: 0.0 };

    fn join(self, later: Self) -> Self {
        if self.count == 0.0 {
            return later;
        }
        if later.count == 0.0 {
            return self;
        }
        let count = self.count + later.count;
        let apart = later.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * (later.count / count),
            squares: self.squares + later.squares + apart * apart * (self.count * later.count / count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// In two passes, which need no recurrence.
    fn plain(values: &[f64]) -> (f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
    }

    proptest! {
        #[test]
        fn one_by_one_and_joined_are_two_passes(values in prop::collection::vec(-1e3f64..1e3, 1..60), at in 0usize..60, far in prop_oneof![Just(0.0), Just(1e9)]) {
            let values: Vec<f64> = values.iter().map(|value| value + far).collect();
            let (mean, deviation) = plain(&values);
            let of = |values: &[f64]| {
                let mut moments = Moments::default();
                values.iter().for_each(|&value| moments.push(value));
                moments
            };
            let (first, second) = values.split_at(at.min(values.len()));
            for moments in [of(&values), of(first).join(of(second))] {
                prop_assert_eq!(moments.count, values.len() as f64);
                prop_assert!((moments.mean - mean).abs() <= 1e-12 * (1e3 + far), "{} {}", moments.mean, mean);
                prop_assert!((moments.deviation() - deviation).abs() <= 1e-5, "{} {}", moments.deviation(), deviation);
            }
        }
    }

    #[test]
    fn missing_values_count_nothing() {
        let rows: [&[f32]; 3] = [&[1.0, f32::NAN], &[3.0, 5.0], &[f32::NAN, f32::NAN]];
        let [first, second] = Moments::of_columns(2, rows.into_iter()).try_into().unwrap();
        assert_eq!((first.count, first.mean, first.deviation()), (2.0, 2.0, 1.0));
        assert_eq!((second.count, second.mean, second.deviation()), (1.0, 5.0, 0.0));
        assert_eq!(Moments::of(f64::NAN), Moments::EMPTY);
        assert_eq!(Moments::EMPTY.deviation(), 0.0);
        // Three times a tenth has a variance that is rounding alone.
        let mut equal = Moments::default();
        [0.1f64; 3].into_iter().for_each(|value| equal.push(value + 1e6));
        assert_eq!(equal.deviation_beyond_rounding(), 0.0);
    }
}
