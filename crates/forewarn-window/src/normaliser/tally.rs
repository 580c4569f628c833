//! What a normaliser counts over training rows, a block at a time.

use super::{Normalisation, column::Column};

/// Counts over rows of `width` values. Tallies of services are joined in the order of the services, so that the
/// result does not depend on who counted when.
pub(super) trait Tally: Clone + Send {
    fn new(width: usize) -> Self;
    fn add(&mut self, rows: &[f32]);
    fn join(&mut self, other: &Self);
    /// What `method` makes of each column; `None` for one without a value.
    fn columns(&self, method: Normalisation) -> Vec<Option<Column>>;
}

/// Columns whose sums stay in registers while a block is read.
const STRIP: usize = 4;

/// Count, sum and sum of squares of each column, shifted by its first value so that no digits are lost.
#[derive(Clone)]
pub(super) struct Sums {
    shift: Vec<f64>,
    count: Vec<f64>,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

impl Tally for Sums {
    fn new(width: usize) -> Self {
        let zero = vec![0.0; width];
        Self { shift: vec![f64::NAN; width], count: zero.clone(), sum: zero.clone(), squares: zero }
    }

    fn add(&mut self, rows: &[f32]) {
        let width = self.shift.len();
        for (column, shift) in self.shift.iter_mut().enumerate().filter(|(_, shift)| shift.is_nan()) {
            let mut values = rows.iter().skip(column).step_by(width);
            *shift = values.find(|value| !value.is_nan()).map_or(f64::NAN, |&value| f64::from(value));
        }
        let mut first = 0;
        while first < width {
            first += match width - first {
                1 => self.add_strip::<1>(rows, first),
                2..STRIP => self.add_strip::<2>(rows, first),
                _ => self.add_strip::<STRIP>(rows, first),
            };
        }
    }

    fn join(&mut self, other: &Self) {
        for column in 0..self.shift.len() {
            let (count, shift) = (other.count[column], other.shift[column]);
            if count == 0.0 {
                continue;
            }
            if self.count[column] == 0.0 {
                self.shift[column] = shift;
            }
            // The other's sums, as if they had been shifted like these.
            let apart = shift - self.shift[column];
            let (sum, squares) = (other.sum[column], other.squares[column]);
            self.count[column] += count;
            self.sum[column] += sum + count * apart;
            self.squares[column] += squares + apart * (2.0 * sum + count * apart);
        }
    }

    fn columns(&self, _: Normalisation) -> Vec<Option<Column>> {
        (0..self.shift.len())
            .map(|column| {
                let (count, shift) = (self.count[column], self.shift[column]);
                if count == 0.0 {
                    return None;
                }
                let offset = self.sum[column] / count;
                let variance = (self.squares[column] / count - offset * offset).max(0.0);
                Some(Column::linear(shift + offset, variance.sqrt()))
            })
            .collect()
    }
}

impl Sums {
    /// Adds up `N` columns and says so.
    fn add_strip<const N: usize>(&mut self, rows: &[f32], first: usize) -> usize {
        let width = self.shift.len();
        let take = |values: &[f64]| -> [f64; N] { std::array::from_fn(|i| values[first + i]) };
        let (shift, mut count) = (take(&self.shift), take(&self.count));
        let (mut sum, mut squares) = (take(&self.sum), take(&self.squares));
        for row in rows.chunks_exact(width) {
            let Some(values) = row[first..].first_chunk::<N>() else { break };
            for i in 0..N {
                let distance = f64::from(values[i]) - shift[i];
                sum[i] += distance;
                squares[i] += distance * distance;
            }
        }
        if squares.iter().any(|sum| sum.is_nan()) {
            // Something is missing: once more, and look at each value.
            (sum, squares) = (take(&self.sum), take(&self.squares));
            for row in rows.chunks_exact(width) {
                let Some(values) = row[first..].first_chunk::<N>() else { break };
                for i in 0..N {
                    let present = if values[i].is_nan() { 0.0 } else { 1.0 };
                    let distance = if values[i].is_nan() { 0.0 } else { f64::from(values[i]) - shift[i] };
                    count[i] += present;
                    sum[i] += distance;
                    squares[i] += distance * distance;
                }
            }
        } else {
            count.iter_mut().for_each(|count| *count += (rows.len() / width) as f64);
        }
        self.count[first..first + N].copy_from_slice(&count);
        self.sum[first..first + N].copy_from_slice(&sum);
        self.squares[first..first + N].copy_from_slice(&squares);
        N
    }
}

/// Smallest and largest value of each column.
#[derive(Clone)]
pub(super) struct Ends {
    min: Vec<f32>,
    max: Vec<f32>,
}

impl Tally for Ends {
    fn new(width: usize) -> Self {
        Self { min: vec![f32::INFINITY; width], max: vec![f32::NEG_INFINITY; width] }
    }

    fn add(&mut self, rows: &[f32]) {
        for row in rows.chunks_exact(self.min.len()) {
            // `min` and `max` of a number and NaN are the number.
            self.min.iter_mut().zip(row).for_each(|(min, &value)| *min = min.min(value));
            self.max.iter_mut().zip(row).for_each(|(max, &value)| *max = max.max(value));
        }
    }

    fn join(&mut self, other: &Self) {
        self.min.iter_mut().zip(&other.min).for_each(|(min, &other)| *min = min.min(other));
        self.max.iter_mut().zip(&other.max).for_each(|(max, &other)| *max = max.max(other));
    }

    fn columns(&self, _: Normalisation) -> Vec<Option<Column>> {
        let column = |(&min, &max): (&f32, &f32)| {
            let (min, max) = (f64::from(min), f64::from(max));
            (min <= max).then(|| Column::linear(min, max - min))
        };
        self.min.iter().zip(&self.max).map(column).collect()
    }
}

/// Every value of each column, to be sorted.
#[derive(Clone)]
pub(super) struct Everything {
    values: Vec<Vec<f32>>,
}

impl Tally for Everything {
    fn new(width: usize) -> Self {
        Self { values: vec![Vec::new(); width] }
    }

    fn add(&mut self, rows: &[f32]) {
        for row in rows.chunks_exact(self.values.len()) {
            for (values, &value) in self.values.iter_mut().zip(row) {
                if !value.is_nan() {
                    values.push(value);
                }
            }
        }
    }

    fn join(&mut self, other: &Self) {
        for (values, others) in self.values.iter_mut().zip(&other.values) {
            values.extend_from_slice(others);
        }
    }

    fn columns(&self, method: Normalisation) -> Vec<Option<Column>> {
        let column = |values: &Vec<f32>| {
            let mut values = values.clone();
            values.sort_unstable_by(f32::total_cmp);
            match method {
                _ if values.is_empty() => None,
                Normalisation::Quantile { knots } => Some(Column::quantiles(&values, knots)),
                Normalisation::ZScore | Normalisation::MinMax | Normalisation::Robust => {
                    Some(Column::robust(&values))
                }
            }
        };
        self.values.iter().map(column).collect()
    }
}
