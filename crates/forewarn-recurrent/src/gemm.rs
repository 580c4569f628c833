//! The one place with `unsafe` code: matrix products.

/// A matrix that lies in a slice: element `(row, column)` at `row * row_stride + column * column_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// The first `rows * columns` values, row-major.
    pub(crate) fn new(values: &'a [T], rows: usize, columns: usize) -> Self {
        Self { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// Rows and columns swapped; nothing moves.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// One past the last element's position.
    fn extent(&self) -> usize {
        if self.rows == 0 || self.columns == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride + 1
    }
}

/// What becomes of the values that were in the result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    /// They are replaced.
    Replace,
    /// The product is added to them.
    Add,
}

macro_rules! gemm {
    ($name:ident, $float:ty) => {
        /// `c = a b` or `c += a b`; `c` is row-major, `[a.rows, b.columns]`, at the front of its slice.
        ///
        /// Every element of `c` is a sum over `k` in an order that does not depend on the number of rows of `a`, so a row of the
        /// result has the same bits whatever rows are beside it.
        ///
        /// # Panics
        /// When the inner sides differ or a slice is too short: a mistake in this crate.
        #[expect(unsafe_code, reason = "the kernel takes raw pointers; everything that it needs is asserted")]
        pub(crate) fn $name(into: Into, a: Matrix<'_, $float>, b: Matrix<'_, $float>, c: &mut [$float]) {
            let (m, k, n) = (a.rows, a.columns, b.columns);
            assert_eq!(k, b.rows, "inner sides of a product");
            assert!(a.extent() <= a.values.len() && b.extent() <= b.values.len(), "a factor is too short");
            assert!(m.checked_mul(n).is_some_and(|size| size <= c.len()), "a product is too short");
            let beta = match into {
                Into::Replace => 0.0,
                Into::Add => 1.0,
            };
            // SAFETY: the kernel reads `a[i, j]` for i < m, j < k and `b[i, j]` for i < k, j < n at the strides given, all
            // below the extents, which lie within the slices; it reads and writes `c[i * n + j]` for i < m, j < n, all below
            // m * n <= c.len(). Distinct (i, j) are distinct places of `c`. `c` is borrowed exclusively, so it overlaps
            // neither `a` nor `b`. A slice has at most isize::MAX bytes, so no stride within one overflows isize.
            unsafe {
                matrixmultiply::$name(
                    m,
                    k,
                    n,
                    1.0,
                    a.values.as_ptr(),
                    a.row_stride as isize,
                    a.column_stride as isize,
                    b.values.as_ptr(),
                    b.row_stride as isize,
                    b.column_stride as isize,
                    beta,
                    c.as_mut_ptr(),
                    n as isize,
                    1,
                );
            }
        }
    };
}

gemm!(sgemm, f32);
gemm!(dgemm, f64);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn products_are_sums_and_rows_do_not_know_each_other(
            m in 1usize..40, k in 1usize..300, n in 1usize..70, seed in 0u32..1000
        ) {
            let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32 / 8_388_608.0 - 1.0;
            let a: Vec<f32> = (0..m * k).map(value).collect();
            let b: Vec<f32> = (0..k * n).map(|i| value(i + 7)).collect();
            let c: Vec<f32> = (0..m * n).map(|i| value(i + 31)).collect();
            for into in [Into::Replace, Into::Add] {
                let mut all = c.clone();
                sgemm(into, Matrix::new(&a, m, k), Matrix::new(&b, k, n), &mut all);
                for row in 0..m {
                    let mut one = c[row * n..][..n].to_vec();
                    sgemm(into, Matrix::new(&a[row * k..], 1, k), Matrix::new(&b, k, n), &mut one);
                    prop_assert_eq!(&one, &all[row * n..][..n]);
                    for column in 0..n {
                        let product: f64 = (0..k).map(|i| f64::from(a[row * k + i]) * f64::from(b[i * n + column])).sum();
                        let before = if into == Into::Add { f64::from(c[row * n + column]) } else { 0.0 };
                        prop_assert!((product + before - f64::from(one[column])).abs() < 1e-6 * (10.0 + k as f64));
                    }
                }
                // The same product from transposed factors.
                let a_t: Vec<f32> = (0..k * m).map(|i| a[i % m * k + i / m]).collect();
                let b_t: Vec<f32> = (0..n * k).map(|i| b[i % k * n + i / k]).collect();
                let mut transposed = c.clone();
                let (a_t, b_t) = (Matrix::new(&a_t, k, m).transposed(), Matrix::new(&b_t, n, k).transposed());
                sgemm(into, a_t, b_t, &mut transposed);
                prop_assert_eq!(&transposed, &all);
            }
        }
    }

    #[test]
    #[should_panic(expected = "too short")]
    fn a_short_factor_never_reaches_the_kernel() {
        sgemm(Into::Replace, Matrix::new(&[0.0; 5], 2, 3), Matrix::new(&[0.0; 3], 3, 1), &mut [0.0; 2]);
    }
}
