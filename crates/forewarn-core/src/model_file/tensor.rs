use crate::CoreError;

/// Weights: a shape and its values, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Tensor {
    /// A tensor of `shape`.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is one value for each element.
    pub fn new(shape: Vec<usize>, values: Vec<f32>) -> Result<Self, CoreError> {
        match shape.iter().try_fold(1usize, |size, &side| size.checked_mul(side)) {
            Some(size) if size == values.len() => Ok(Self { shape, values }),
            size => Err(CoreError::LengthMismatch {
                what: "values of a tensor",
                expected: size.unwrap_or(usize::MAX),
                got: values.len(),
            }),
        }
    }

    /// A tensor of one axis.
    #[must_use]
    pub fn flat(values: Vec<f32>) -> Self {
        Self { shape: vec![values.len()], values }
    }

    /// Length of each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Elements, row-major.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The elements themselves.
    pub(super) fn into_values(self) -> Vec<f32> {
        self.values
    }
}
