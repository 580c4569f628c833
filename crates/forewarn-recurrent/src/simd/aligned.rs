use crate::simd::real::Real;
use std::ops::{Deref, DerefMut};

/// Numbers that begin at a 64-byte boundary, where a load of sixteen touches one line of the cache and not two.
#[derive(Debug)]
pub(crate) struct Aligned<T> {
    values: Vec<T>,
    first: usize,
    len: usize,
}

const BYTES: usize = 64;

impl<T: Real> Aligned<T> {
    /// A block of zeros.
    pub(crate) fn new(len: usize) -> Self {
        let values = vec![T::ZERO; len + BYTES / size_of::<T>()];
        // Where it cannot be told, as in an interpreter, any place is as good.
        let first = Some(values.as_ptr().align_offset(BYTES)).filter(|&first| first + len <= values.len());
        Self { values, first: first.unwrap_or(0), len }
    }
}

impl<T: Clone> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        // Room that does not move, so that the boundary is where it is found.
        let mut values: Vec<T> = Vec::with_capacity(self.values.len());
        let first = values.as_ptr().align_offset(BYTES);
        let first = Some(first).filter(|&first| first + self.len <= self.values.len()).unwrap_or(0);
        values.extend(self.values.iter().take(first).cloned());
        values.extend_from_slice(self);
        Self { values, first, len: self.len }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values[self.first..self.first + self.len]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.first..self.first + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_a_line_also_in_a_copy() {
        for len in [0, 1, 15, 16, 1000] {
            let mut numbers = Aligned::<f32>::new(len);
            numbers.fill(2.5);
            for numbers in [&numbers, &numbers.clone()] {
                assert_eq!(numbers.as_ptr() as usize % BYTES, 0);
                assert_eq!(**numbers, vec![2.5; len]);
            }
            assert_eq!(Aligned::<f64>::new(len).len(), len);
        }
    }
}
