use super::bins::Binned;
use crate::parts::on_parts;
use forewarn_numerics::uniform;

/// Sums of gradient and curvature of the rows in each bin of one column.
pub(super) type Column = [Sums; 256];

/// A gradient and a curvature, or sums of them, as integers in one word: the gradient in the upper half, signed, the
/// curvature in the lower.
///
/// One addition adds both. Integers add up to the same sum in any order, so that rows may be summed in any order and
/// by any number of threads. [`Gradients::new`] scales them such that the sum over all rows fits.
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

/// Where a row stands: its log-odds so far, and how its loss changes with them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slope {
    pub(super) margin: f64,
    pub(super) gradient: f32,
    pub(super) curvature: f32,
}

/// The gradient and curvature of every row's loss, rounded to integers.
///
/// Each is rounded up or down at random, with probabilities that make its expectation exact: a hundred thousand
/// gradients that are each smaller than half a unit still add up to what they are.
///
/// # References
/// Y. Shi et al., *Quantized training of gradient boosting decision trees*, `NeurIPS` 2022.
#[derive(Default)]
pub(super) struct Gradients {
    pub(super) rows: Vec<Sums>,
    /// What one unit of a sum is worth.
    pub(super) gradient_unit: f64,
    pub(super) curvature_unit: f64,
}

impl Gradients {
    /// Those of `slopes` instead of the ones here; `seed` is another one for each tree.
    pub(super) fn round(&mut self, slopes: &[Slope], seed: u64, threads: usize) {
        let (mut gradient, mut curvature) = (f32::MIN_POSITIVE, f32::MIN_POSITIVE);
        for slope in slopes {
            gradient = gradient.max(slope.gradient.abs());
            curvature = curvature.max(slope.curvature.abs());
        }
        let rows = slopes.len().max(1) as f64;
        // One less than fits, because a value may be rounded up.
        let gradient_unit = f64::from(gradient) / (f64::from(i32::MAX) / rows - 1.0).max(1.0);
        let curvature_unit = f64::from(curvature) / (f64::from(u32::MAX) / rows - 1.0).max(1.0);
        self.rows.resize(slopes.len(), Sums::default());
        on_parts(&mut self.rows, threads, |first, rows| {
            for ((row, slope), sums) in (first..).zip(&slopes[first..]).zip(rows) {
                let [up, down] = uniform(seed, row as u64);
                let gradient = (f64::from(slope.gradient) / gradient_unit + up).floor();
                let curvature = (f64::from(slope.curvature) / curvature_unit + down).floor();
                *sums = Sums::new(gradient as i32, curvature as u32);
            }
        });
        (self.gradient_unit, self.curvature_unit) = (gradient_unit, curvature_unit);
    }
}

/// Columns whose histograms are summed together: they fit into the nearest cache, and rows that follow each other
/// into the same bin of one do not wait for each other alone.
const COLUMNS_AT_ONCE: usize = 8;

/// Adds `rows`, whose gradients are `sums`, to the histograms of these columns of the table, one each.
pub(super) fn add_rows(
    histogram: &mut [Column],
    rows: &[u32],
    sums: &[Sums],
    table: &Binned,
    mut columns: impl Iterator<Item = usize>,
) {
    let (blocks, rest) = histogram.as_chunks_mut::<COLUMNS_AT_ONCE>();
    for block in blocks {
        add_to_columns(block, rows, sums, table, &mut columns);
    }
    let (pairs, rest) = rest.as_chunks_mut::<2>();
    for pair in pairs {
        add_to_columns(pair, rows, sums, table, &mut columns);
    }
    for one in rest {
        add_to_columns(std::array::from_mut(one), rows, sums, table, &mut columns);
    }
}

fn add_to_columns<const N: usize>(
    histogram: &mut [Column; N],
    rows: &[u32],
    sums: &[Sums],
    table: &Binned,
    columns: &mut impl Iterator<Item = usize>,
) {
    let bins: [&[u8]; N] = std::array::from_fn(|_| columns.next().map_or(&[][..], |at| table.column(at)));
    for (&row, &sums) in rows.iter().zip(sums) {
        for (column, bins) in histogram.iter_mut().zip(&bins) {
            column[usize::from(bins[row as usize])].add(sums);
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
        let slopes = |gradients: &[f32], curvatures: &[f32]| -> Vec<Slope> {
            let pairs = gradients.iter().zip(curvatures);
            pairs.map(|(&gradient, &curvature)| Slope { margin: 0.0, gradient, curvature }).collect()
        };
        let mut rounded = Gradients::default();
        rounded.round(&slopes(&gradients, &curvatures), 5, 2);
        let mut total = Sums::default();
        rounded.rows.iter().for_each(|&sums| total.add(sums));
        let exact = |values: &[f32]| values.iter().map(|&value| f64::from(value)).sum::<f64>();
        let gradient = total.gradient() as f64 * rounded.gradient_unit;
        let curvature = total.curvature() as f64 * rounded.curvature_unit;
        assert!((gradient - exact(&gradients)).abs() < 0.05, "{gradient} {}", exact(&gradients));
        assert!((curvature - exact(&curvatures)).abs() < 0.05, "{curvature} {}", exact(&curvatures));
        // The extremes do not overflow either half.
        let mut all = Gradients::default();
        all.round(&slopes(&vec![-1.0; count], &vec![0.25; count]), 1, 1);
        let mut total = Sums::default();
        all.rows.iter().for_each(|&sums| total.add(sums));
        assert!((total.gradient() as f64 * all.gradient_unit + count as f64).abs() < 30.0);
        assert!((total.curvature() as f64 * all.curvature_unit - 0.25 * count as f64).abs() < 10.0);
    }
}
