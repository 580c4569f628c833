//! Which instructions a processor has, asked when the program runs.

use crate::simd::{
    arithmetic::{Arithmetic, Lanes, Plain},
    real::ROUND,
};
use forewarn_core::CoreError;
use pulp::{NullaryFnOnce, Simd};
use serde::{Deserialize, Serialize};

/// Which vector instructions a fit or a model uses. The default asks the processor, so one program runs at full speed
/// anywhere.
///
/// AVX2, AVX-512 and NEON give the same bits; they round a product and a sum together. Portable code rounds twice, so
/// its results differ in the last digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Instructions {
    /// The widest that the processor has.
    #[default]
    Best,
    /// Those that every processor of its family has.
    Portable,
    /// AVX2 with FMA, on `x86_64`.
    Avx2,
    /// AVX-512, on `x86_64`.
    Avx512,
    /// NEON, on `aarch64`.
    Neon,
}

impl Instructions {
    /// Those that this processor can be told to use, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        [Self::Portable, Self::Avx2, Self::Avx512, Self::Neon]
            .into_iter()
            .filter(|instructions| Processor::new(*instructions).is_ok())
            .collect()
    }
}

/// Work that is compiled once for each kind of processor.
pub(crate) trait Task {
    type Output;

    /// Does it. To be marked `inline(always)`, as everything that it calls in a loop.
    fn run<A: Arithmetic<Number = f32>>(self, a: A) -> Self::Output;
}

/// A processor that is known to have its instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Processor {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
}

impl Processor {
    /// The processor this runs on, with these instructions.
    ///
    /// # Errors
    /// [`CoreError::InvalidSetting`] for instructions that it does not have.
    pub(crate) fn new(instructions: Instructions) -> Result<Self, CoreError> {
        let found = match instructions {
            Instructions::Best => Some(Self::best()),
            Instructions::Portable => Some(Self::Portable),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => pulp::x86::V3::try_new().map(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => pulp::x86::V4::try_new().map(Self::Avx512),
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => pulp::aarch64::Neon::try_new().map(Self::Neon),
            _ => None,
        };
        found.ok_or_else(|| CoreError::InvalidSetting {
            name: "instructions",
            value: format!("{instructions:?}"),
            expected: "instructions that this processor has",
        })
    }

    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = pulp::x86::V4::try_new() {
                return Self::Avx512(simd);
            }
            if let Some(simd) = pulp::x86::V3::try_new() {
                return Self::Avx2(simd);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(simd) = pulp::aarch64::Neon::try_new() {
            return Self::Neon(simd);
        }
        Self::Portable
    }

    /// Runs a task with its instructions.
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            Self::Portable => task.run(Plain::<f32>::default()),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.vectorize(With(Avx2(simd), task)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => simd.vectorize(With(Avx512(simd), task)),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => simd.vectorize(With(Neon(simd), task)),
        }
    }
}

struct With<A, T>(A, T);

impl<A: Arithmetic<Number = f32>, T: Task> NullaryFnOnce for With<A, T> {
    type Output = T::Output;

    #[inline(always)]
    fn call(self) -> T::Output {
        self.1.run(self.0)
    }
}

/// Beyond this the exponential function of a vector stays as it is there: neither it nor its reciprocal leaves the
/// normal numbers.
const FARTHEST: f32 = 80.0;
/// `exp(-r)` for half a factor of two either way, from the highest power down: the best polynomial of degree 6,
/// within 2e-9.
const EXP_OF_LESS: [f32; 7] =
    [1.384_360_7e-3, -8.374_196e-3, 4.166_800_5e-2, -1.666_643e-1, 0.499_999_94, -1.0, 1.0];
/// Less the bits of `-x` it makes those of `1 / x`, within an eighth; the sign is turned on the way.
const GUESS: u32 = 0x7EF3_11C3 | 1 << 31;

/// Sixteen numbers as a number of registers of one instruction set.
macro_rules! wide {
    ($name:ident, $simd:ty, $registers:literal, $rows:literal) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $name($simd);

        impl $name {
            /// `exp(-x)` of one register for -80 to 80, beyond which it stays as it is there.
            #[inline(always)]
            fn exp_of_less(self, x: <$simd as Simd>::f32s) -> <$simd as Simd>::f32s {
                let simd = self.0;
                let of = |value: f32| simd.splat_f32s(value);
                // In this order NaN stays.
                let x = simd.max_f32s(of(-FARTHEST), simd.min_f32s(of(FARTHEST), x));
                let rounded = simd.mul_add_f32s(x, of(-std::f32::consts::LOG2_E), of(ROUND));
                let twos = simd.sub_f32s(rounded, of(ROUND));
                let r = simd.mul_add_f32s(twos, of(std::f32::consts::LN_2), x);
                let mut p = of(EXP_OF_LESS[0]);
                for coefficient in &EXP_OF_LESS[1..] {
                    p = simd.mul_add_f32s(p, r, of(*coefficient));
                }
                // Times a power of two is an addition to the exponent's bits.
                let power =
                    simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(rounded), simd.splat_u32s(23));
                simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(p), power))
            }

            /// `1 / (1 + exp(-x))` of one register.
            ///
            /// The reciprocal is guessed by its bits and made better twice, because a division takes as long as ten
            /// products.
            #[inline(always)]
            fn logistic(self, x: <$simd as Simd>::f32s) -> <$simd as Simd>::f32s {
                let simd = self.0;
                let one = simd.splat_f32s(1.0);
                let less = simd.sub_f32s(simd.splat_f32s(-1.0), self.exp_of_less(x));
                let guess = simd.sub_u32s(simd.splat_u32s(GUESS), simd.transmute_u32s_f32s(less));
                let mut y = simd.transmute_f32s_u32s(guess);
                for _ in 0..2 {
                    // What is left of the error is its cube.
                    let error = simd.mul_add_f32s(less, y, one);
                    y = simd.mul_add_f32s(y, simd.mul_add_f32s(error, error, error), y);
                }
                y
            }
        }

        impl Arithmetic for $name {
            type Number = f32;
            type Vector = [<$simd as Simd>::f32s; $registers];
            const ROWS: usize = $rows;

            #[inline(always)]
            fn splat(self, value: f32) -> Self::Vector {
                [self.0.splat_f32s(value); $registers]
            }

            #[inline(always)]
            fn load(self, from: &Lanes<f32>) -> Self::Vector {
                pulp::cast(*from)
            }

            #[inline(always)]
            fn store(self, vector: Self::Vector, to: &mut Lanes<f32>) {
                *to = pulp::cast(vector);
            }

            #[inline(always)]
            fn add(self, mut a: Self::Vector, b: Self::Vector) -> Self::Vector {
                for register in 0..$registers {
                    a[register] = self.0.add_f32s(a[register], b[register]);
                }
                a
            }

            #[inline(always)]
            fn sub(self, mut a: Self::Vector, b: Self::Vector) -> Self::Vector {
                for register in 0..$registers {
                    a[register] = self.0.sub_f32s(a[register], b[register]);
                }
                a
            }

            #[inline(always)]
            fn mul(self, mut a: Self::Vector, b: Self::Vector) -> Self::Vector {
                for register in 0..$registers {
                    a[register] = self.0.mul_f32s(a[register], b[register]);
                }
                a
            }

            #[inline(always)]
            fn mul_add(self, a: Self::Vector, b: Self::Vector, mut c: Self::Vector) -> Self::Vector {
                for register in 0..$registers {
                    c[register] = self.0.mul_add_f32s(a[register], b[register], c[register]);
                }
                c
            }

            #[inline(always)]
            fn sigmoid(self, mut x: Self::Vector) -> Self::Vector {
                for register in &mut x {
                    *register = self.logistic(*register);
                }
                x
            }

            #[inline(always)]
            fn tanh(self, mut x: Self::Vector) -> Self::Vector {
                for register in &mut x {
                    let half = self.logistic(self.0.add_f32s(*register, *register));
                    *register = self.0.mul_add_f32s(half, self.0.splat_f32s(2.0), self.0.splat_f32s(-1.0));
                }
                x
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
wide!(Avx2, pulp::x86::V3, 2, 1);
#[cfg(target_arch = "x86_64")]
wide!(Avx512, pulp::x86::V4, 1, 4);
#[cfg(target_arch = "aarch64")]
wide!(Neon, pulp::aarch64::Neon, 4, 1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{
        arithmetic::LANES,
        kernel::{lanes, lanes_mut},
    };

    /// Sigmoid and tanh of whole vectors.
    struct Activate<'a> {
        x: &'a [f32],
        sigmoid: &'a mut [f32],
        tanh: &'a mut [f32],
    }

    impl Task for Activate<'_> {
        type Output = ();

        #[inline(always)]
        fn run<A: Arithmetic<Number = f32>>(self, a: A) {
            for at in (0..self.x.len()).step_by(LANES) {
                let x = a.load(lanes(self.x, at));
                a.store(a.sigmoid(x), lanes_mut(self.sigmoid, at));
                a.store(a.tanh(x), lanes_mut(self.tanh, at));
            }
        }
    }

    fn activate(instructions: Instructions, x: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (mut sigmoid, mut tanh) = (vec![7.0; x.len()], vec![7.0; x.len()]);
        Processor::new(instructions).unwrap().run(Activate { x, sigmoid: &mut sigmoid, tanh: &mut tanh });
        (sigmoid, tanh)
    }

    #[test]
    fn activations_are_accurate_on_every_processor() {
        let x: Vec<f32> = (-400_000i32..400_000).map(|i| i as f32 * 5e-5).collect();
        for instructions in Instructions::available() {
            let (sigmoid, tanh) = activate(instructions, &x);
            for ((&x, sigmoid), tanh) in x.iter().zip(sigmoid).zip(tanh) {
                let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
                let apart = (f64::from(sigmoid) - exact).abs();
                assert!(apart <= 1e-7 && apart <= 4e-7 * exact, "{instructions:?}: sigmoid({x}) = {sigmoid}");
                let apart = (f64::from(tanh) - f64::from(x).tanh()).abs();
                assert!(apart <= 2e-7, "{instructions:?}: tanh({x}) = {tanh}");
                assert!(tanh.abs() <= 1.0 && (0.0..=1.0).contains(&sigmoid), "{instructions:?}: {x}");
            }
        }
    }

    #[test]
    fn activations_saturate_and_nan_stays() {
        let far = [20.0, 79.9, 80.0, 81.0, 100.0, 1e10, f32::MAX, f32::INFINITY];
        let x: Vec<f32> = far.iter().chain(&far.map(|x: f32| -x)).copied().collect();
        let rest = [vec![0.0, -0.0, f32::MIN_POSITIVE], vec![f32::NAN; 13]].concat();
        for instructions in Instructions::available() {
            let (sigmoid, tanh) = activate(instructions, &x);
            assert!(sigmoid[..8].iter().all(|&y| y == 1.0), "{instructions:?}: {sigmoid:?}");
            assert!(sigmoid[8..].iter().all(|&y| y > 0.0 && y < 3e-9), "{instructions:?}: {sigmoid:?}");
            assert_eq!(tanh, [[1.0; 8], [-1.0; 8]].concat(), "{instructions:?}");
            let (sigmoid, tanh) = activate(instructions, &rest);
            assert_eq!((&sigmoid[..3], &tanh[..2]), (&[0.5; 3][..], &[0.0; 2][..]), "{instructions:?}");
            assert!(sigmoid[3..].iter().chain(&tanh[3..]).all(|y| y.is_nan()), "{instructions:?}");
        }
    }
}
