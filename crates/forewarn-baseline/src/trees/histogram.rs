use super::bins::Binned;
use crate::hash::uniform;
use std::ops::Range;

/// Sums of gradient and curvature of the rows in each bin of one column.
pub(super) type Column = [Sums; 256];

/// A gradient and a curvature, or sums of them, as integers in one word: the gradient in the upper half, signed, the curvature in the lower.
///
/// One addition adds both. Integers add up to the same sum in any order, so that rows may be summed in any order and by any number of threads.
/// [`Gradients::new`] scales them such that the sum over all rows fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums(i64);

impl Sums {
    fn new(gradient: i32, curvature: u32) -> Self {
        Self((i64::from(gradient) << 32) + i64::from(curvature))
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }

    pub(super) fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub(super) fn gradient(self) -> i64 {
        self.0 >> 32
    }

    pub(super) fn curvature(self) -> i64 {
        self.0 & 0xffff_ffff
    }
}

/// The gradient and curvature of every row's loss, rounded to integers.
///
/// Each is rounded up or down at random, with probabilities that make its expectation exact: a hundred thousand gradients that are each
/// smaller than half a unit still add up to what they are.
///
/// # References
/// Y. Shi et al., *Quantized training of gradient boosting decision trees*, `NeurIPS` 2022.
pub(super) struct Gradients {
    pub(super) rows: Vec<Sums>,
    /// What one unit of a sum is worth.
    pub(super) gradient_unit: f64,
    pub(super) curvature_unit: f64,
}

impl Gradients {
    /// `seed` is another one for each tree.
    pub(super) fn new(gradients: &[f32], curvatures: &[f32], seed: u64) -> Self {
        let largest = |values: &[f32]| {
            f64::from(values.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs())))
        };
        let rows = gradients.len().max(1) as f64;
        // One less than fits, because a value may be rounded up.
        let gradient_unit = largest(gradients) / (f64::from(i32::MAX) / rows - 1.0).max(1.0);
        let curvature_unit = largest(curvatures) / (f64::from(u32::MAX) / rows - 1.0).max(1.0);
        let rows = gradients
            .iter()
            .zip(curvatures)
            .enumerate()
            .map(|(row, (&gradient, &curvature))| {
                let [up, down] = uniform(seed, row as u64);
                let gradient = (f64::from(gradient) / gradient_unit + up).floor();
                let curvature = (f64::from(curvature) / curvature_unit + down).floor();
                Sums::new(gradient as i32, curvature as u32)
            })
            .collect();
        Self { rows, gradient_unit, curvature_unit }
    }
}

/// Adds `rows` to the histograms of neighbouring columns: all columns of the table in `range`, or of those in `picked` where not all take part.
pub(super) fn add_rows(
    histogram: &mut [Column],
    rows: &[u32],
    table: &Binned,
    picked: Option<&[u32]>,
    range: Range<usize>,
    gradients: &Gradients,
) {
    match picked {
        None => {
            for &row in rows {
                let sums = gradients.rows[row as usize];
                for (column, &bin) in histogram.iter_mut().zip(table.part(row as usize, &range)) {
                    column[usize::from(bin)].add(sums);
                }
            }
        }
        Some(picked) => {
            let picked = &picked[range];
            for &row in rows {
                let (sums, bins) = (gradients.rows[row as usize], table.row(row as usize));
                for (column, &at) in histogram.iter_mut().zip(picked) {
                    column[usize::from(bins[at as usize])].add(sums);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_kept_apart() {
        let mut sums = Sums::default();
        sums.add(Sums::new(-7, 5));
        sums.add(Sums::new(3, u32::MAX - 5));
        assert_eq!((sums.gradient(), sums.curvature()), (-4, i64::from(u32::MAX)));
        let rest = sums.minus(Sums::new(-7, 5));
        assert_eq!((rest.gradient(), rest.curvature()), (3, i64::from(u32::MAX) - 5));
    }

    #[test]
    fn rounding_keeps_the_sum() {
        let count = 200_000;
        let gradients: Vec<f32> =
            (0..count).map(|row| if row % 1000 == 0 { -1.0 } else { 0.000_3 }).collect();
        let curvatures: Vec<f32> =
            (0..count).map(|row| if row % 1000 == 0 { 0.25 } else { 0.000_2 }).collect();
        let rounded = Gradients::new(&gradients, &curvatures, 5);
        let mut total = Sums::default();
        rounded.rows.iter().for_each(|&sums| total.add(sums));
        let exact = |values: &[f32]| values.iter().map(|&value| f64::from(value)).sum::<f64>();
        let gradient = total.gradient() as f64 * rounded.gradient_unit;
        let curvature = total.curvature() as f64 * rounded.curvature_unit;
        assert!((gradient - exact(&gradients)).abs() < 0.05, "{gradient} {}", exact(&gradients));
        assert!((curvature - exact(&curvatures)).abs() < 0.05, "{curvature} {}", exact(&curvatures));
        // The extremes do not overflow either half.
        let all = Gradients::new(&vec![-1.0; count], &vec![0.25; count], 1);
        let mut total = Sums::default();
        all.rows.iter().for_each(|&sums| total.add(sums));
        assert!((total.gradient() as f64 * all.gradient_unit + count as f64).abs() < 30.0);
        assert!((total.curvature() as f64 * all.curvature_unit - 0.25 * count as f64).abs() < 10.0);
    }
}
