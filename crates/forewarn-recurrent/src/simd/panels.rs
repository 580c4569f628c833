use crate::simd::{aligned::Aligned, arithmetic::LANES, real::Real};

/// A matrix laid out as products read it: groups of one, two or four vectors of columns, and in a group the bias,
/// then one row after the other. Columns beyond the last are zero.
#[derive(Clone, Debug)]
pub(crate) struct Panels<T> {
    values: Aligned<T>,
    rows: usize,
    columns: usize,
}

/// Vectors of columns that are worked on together.
pub(crate) struct Group<'a, T> {
    /// The first column.
    pub(crate) first: usize,
    /// Vectors side by side.
    pub(crate) width: usize,
    /// `[1 + row, vector, lane]`.
    pub(crate) values: &'a [T],
}

/// First vector and width of each group.
fn groups(vectors: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let width = match vectors - next {
            0 => return None,
            1 => 1,
            2 | 3 => 2,
            _ => 4,
        };
        next += width;
        Some((next - width, width))
    })
}

impl<T: Real> Panels<T> {
    pub(crate) fn new(rows: usize, columns: usize) -> Self {
        Self { values: Aligned::new((rows + 1) * columns.next_multiple_of(LANES)), rows, columns }
    }

    /// Columns with those that fill up the last vector.
    pub(crate) fn stride(&self) -> usize {
        self.columns.next_multiple_of(LANES)
    }

    /// Takes on new values. `row(k)` is row `k`, `bias` may be empty.
    pub(crate) fn fill<'a>(&mut self, bias: &[T], row: impl Fn(usize) -> &'a [T])
    where
        T: 'a,
    {
        let (rows, columns) = (self.rows, self.columns);
        let mut values = &mut *self.values;
        for (first, width) in groups(columns.div_ceil(LANES)) {
            let (group, others) = values.split_at_mut((rows + 1) * width * LANES);
            values = others;
            let at = first * LANES..columns.min((first + width) * LANES);
            for (k, to) in group.chunks_exact_mut(width * LANES).enumerate() {
                let from = if k == 0 { bias } else { row(k - 1) };
                let from = from.get(at.clone()).unwrap_or(&[]);
                to[..from.len()].copy_from_slice(from);
                to[from.len()..].fill(T::ZERO);
            }
        }
    }

    /// Takes on the transpose of a row-major matrix of `self.columns` rows: `value(k, column) = matrix[column][k]`.
    pub(crate) fn fill_transposed(&mut self, bias: &[T], matrix: &[T]) {
        let (rows, columns) = (self.rows, self.columns);
        let mut values = &mut *self.values;
        for (first, width) in groups(columns.div_ceil(LANES)) {
            let (group, others) = values.split_at_mut((rows + 1) * width * LANES);
            values = others;
            let at = first * LANES..columns.min((first + width) * LANES);
            for column in at {
                let lane = column - first * LANES;
                group[lane] = bias.get(column).copied().unwrap_or_default();
                let from = &matrix[column * rows..][..rows];
                for (to, &value) in group[lane..].iter_mut().step_by(width * LANES).skip(1).zip(from) {
                    *to = value;
                }
            }
        }
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = Group<'_, T>> {
        let mut values = &*self.values;
        groups(self.columns.div_ceil(LANES)).map(move |(first, width)| {
            let (group, others) = values.split_at((self.rows + 1) * width * LANES);
            values = others;
            Group { first: first * LANES, width, values: group }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_every_vector_once() {
        let widths = |vectors| groups(vectors).map(|(_, width)| width).collect::<Vec<_>>();
        assert!(widths(0).is_empty());
        assert_eq!(widths(7), [4, 2, 1]);
        assert_eq!(widths(8), [4, 4]);
        assert_eq!(groups(11).map(|(first, _)| first).collect::<Vec<_>>(), [0, 4, 8, 10]);
    }

    #[test]
    fn a_matrix_and_its_transpose_are_packed_alike() {
        let (rows, columns) = (3, 37);
        let matrix: Vec<f32> = (0..rows * columns).map(|i| i as f32 + 1.0).collect();
        let transposed: Vec<f32> =
            (0..rows * columns).map(|i| matrix[i % rows * columns + i / rows]).collect();
        let bias: Vec<f32> = (0..columns).map(|i| -(i as f32)).collect();
        let (mut a, mut b) = (Panels::new(rows, columns), Panels::new(rows, columns));
        a.fill(&bias, |k| &matrix[k * columns..][..columns]);
        b.fill_transposed(&bias, &transposed);
        assert_eq!(*a.values, *b.values);
        assert_eq!(a.stride(), 48);
        let last = a.groups().last().unwrap();
        assert_eq!((last.first, last.width), (32, 1));
        assert_eq!(last.values[..6], [-32.0, -33.0, -34.0, -35.0, -36.0, 0.0]);
        assert_eq!(last.values[16..18], [33.0, 34.0]);
    }
}
