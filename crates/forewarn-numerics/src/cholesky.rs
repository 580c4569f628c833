//! Triangular factors of symmetric positive definite matrices.

/// The lower triangular `L` of `A = L L'`, for a symmetric positive definite `A`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cholesky {
    size: usize,
    /// Row-major; what lies above the diagonal is not looked at.
    factor: Vec<f64>,
}

impl Cholesky {
    /// Factors a row-major matrix of `size` rows, of which the lower triangle is read, in `O(size^3)`. `None` where it
    /// is not positive definite, also by rounding, or has another number of values.
    #[must_use]
    pub fn new(mut matrix: Vec<f64>, size: usize) -> Option<Self> {
        if Some(matrix.len()) != size.checked_mul(size) {
            return None;
        }
        for j in 0..size {
            for i in j..size {
                let sum: f64 = (0..j).map(|k| matrix[i * size + k] * matrix[j * size + k]).sum();
                let rest = matrix[i * size + j] - sum;
                if i == j {
                    if rest <= 0.0 || rest.is_nan() {
                        return None;
                    }
                    matrix[i * size + i] = rest.sqrt();
                } else {
                    matrix[i * size + j] = rest / matrix[j * size + j];
                }
            }
        }
        Some(Self { size, factor: matrix })
    }

    /// Turns `b` into the `x` of `L x = b`, in `O(size^2)`.
    ///
    /// # Panics
    /// If `b` has fewer values than the matrix has rows; so do the others.
    pub fn solve_lower(&self, b: &mut [f64]) {
        let Self { size, factor } = self;
        for i in 0..*size {
            let sum: f64 = (0..i).map(|k| factor[i * size + k] * b[k]).sum();
            b[i] = (b[i] - sum) / factor[i * size + i];
        }
    }

    /// Turns `b` into the `x` of `L' x = b`.
    pub fn solve_upper(&self, b: &mut [f64]) {
        let Self { size, factor } = self;
        for i in (0..*size).rev() {
            let sum: f64 = (i + 1..*size).map(|k| factor[k * size + i] * b[k]).sum();
            b[i] = (b[i] - sum) / factor[i * size + i];
        }
    }

    /// Turns `x` into `L' x`.
    pub fn times_upper(&self, x: &mut [f64]) {
        let Self { size, factor } = self;
        for i in 0..*size {
            x[i] = (i..*size).map(|k| factor[k * size + i] * x[k]).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_times_its_transpose_is_the_matrix() {
        let matrix = vec![4.0, 2.0, 0.6, 2.0, 5.0, 1.0, 0.6, 1.0, 3.0];
        let factor = Cholesky::new(matrix.clone(), 3).unwrap();
        let x = [1.0, -2.0, 3.0];
        // A x is L (L' x).
        let mut product = x;
        factor.times_upper(&mut product);
        let upper = product;
        let expected: Vec<f64> =
            matrix.chunks(3).map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect();
        let mut lower = [expected[0], expected[1], expected[2]];
        factor.solve_lower(&mut lower);
        for (lower, upper) in lower.iter().zip(upper) {
            assert!((lower - upper).abs() < 1e-12, "{lower} {upper}");
        }
        factor.solve_upper(&mut lower);
        for (found, x) in lower.iter().zip(x) {
            assert!((found - x).abs() < 1e-12, "{found} {x}");
        }
    }

    #[test]
    fn no_factor_of_what_is_not_positive_definite() {
        assert_eq!(Cholesky::new(vec![1.0, 2.0, 2.0, 1.0], 2), None);
        assert_eq!(Cholesky::new(vec![f64::NAN], 1), None);
        assert_eq!(Cholesky::new(vec![1.0; 3], 2), None);
    }
}
