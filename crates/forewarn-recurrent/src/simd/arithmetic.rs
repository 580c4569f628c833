//! What a processor does with sixteen numbers at once: the one interface through which every loop of a network
//! calculates.

use crate::simd::real::Real;
use std::marker::PhantomData;

/// Numbers that are worked on together, on every machine. A hidden unit, or a weight, is always in the same place
/// among them, so results do not depend on how wide a machine's registers are.
pub(crate) const LANES: usize = 16;

/// Sixteen numbers in memory.
pub(crate) type Lanes<T> = [T; LANES];

/// Arithmetic with vectors of [`LANES`] numbers.
///
/// Every method is `inline(always)`, as is every loop over them: together they become one function per [`Processor`]
/// and task, compiled for its instructions.
///
/// [`Processor`]: crate::simd::processor::Processor
pub(crate) trait Arithmetic: Copy + Send + Sync {
    type Number: Real;
    type Vector: Copy;
    /// Rows that a product works on at once: as many as the registers hold sums of.
    const ROWS: usize;

    fn splat(self, value: Self::Number) -> Self::Vector;
    fn load(self, from: &Lanes<Self::Number>) -> Self::Vector;
    fn store(self, vector: Self::Vector, to: &mut Lanes<Self::Number>);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a b + c`, rounded once where the processor can.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    fn sigmoid(self, x: Self::Vector) -> Self::Vector;
    fn tanh(self, x: Self::Vector) -> Self::Vector;

    /// The sum of the lanes, always in the same order.
    #[inline(always)]
    fn sum(self, vector: Self::Vector) -> Self::Number {
        let mut lanes = [Self::Number::ZERO; LANES];
        self.store(vector, &mut lanes);
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                lanes[lane] += lanes[lane + width];
            }
            width /= 2;
        }
        lanes[0]
    }
}

/// Arithmetic in plain Rust, which compilers turn into whatever vector instructions every machine of a family has.
/// The portable path for `f32`, and for `f64` what finite differences are taken with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plain<T>(PhantomData<T>);

impl<T: Real> Arithmetic for Plain<T> {
    type Number = T;
    type Vector = [T; LANES];
    const ROWS: usize = 1;

    #[inline(always)]
    fn splat(self, value: T) -> [T; LANES] {
        [value; LANES]
    }

    #[inline(always)]
    fn load(self, from: &Lanes<T>) -> [T; LANES] {
        *from
    }

    #[inline(always)]
    fn store(self, vector: [T; LANES], to: &mut Lanes<T>) {
        *to = vector;
    }

    #[inline(always)]
    fn add(self, mut a: [T; LANES], b: [T; LANES]) -> [T; LANES] {
        for lane in 0..LANES {
            a[lane] += b[lane];
        }
        a
    }

    #[inline(always)]
    fn sub(self, mut a: [T; LANES], b: [T; LANES]) -> [T; LANES] {
        for lane in 0..LANES {
            a[lane] = a[lane] - b[lane];
        }
        a
    }

    #[inline(always)]
    fn mul(self, mut a: [T; LANES], b: [T; LANES]) -> [T; LANES] {
        for lane in 0..LANES {
            a[lane] = a[lane] * b[lane];
        }
        a
    }

    #[inline(always)]
    fn mul_add(self, a: [T; LANES], b: [T; LANES], mut c: [T; LANES]) -> [T; LANES] {
        // Twice rounded: without an instruction for it, rounding once takes longer than all the rest.
        for lane in 0..LANES {
            c[lane] = a[lane] * b[lane] + c[lane];
        }
        c
    }

    #[inline(always)]
    fn sigmoid(self, mut x: [T; LANES]) -> [T; LANES] {
        for lane in &mut x {
            *lane = lane.sigmoid();
        }
        x
    }

    #[inline(always)]
    fn tanh(self, mut x: [T; LANES]) -> [T; LANES] {
        for lane in &mut x {
            *lane = lane.tanh();
        }
        x
    }
}
