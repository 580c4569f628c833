//! Which instructions a processor has, asked when the program runs.

use crate::{
    arithmetic::{Arithmetic, Lanes, Plain},
    real::exponential::{LEAST, LN_2, MOST, POLYNOMIAL, ROUND},
};
use forewarn_core::CoreError;
use pulp::{NullaryFnOnce, Simd};
use serde::{Deserialize, Serialize};

/// Which vector instructions a fit or a model uses. The default asks the processor, so one program runs at full speed anywhere.
///
/// AVX2, AVX-512 and NEON give the same bits; they round a product and a sum together. Portable code rounds twice, so its results
/// differ in the last digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// Sixteen numbers as so many registers of one instruction set.
macro_rules! wide {
    ($name:ident, $simd:ty, $registers:literal, $rows:literal) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $name($simd);

        impl $name {
            /// `exp` as [`real`](crate::real) has it, of one register.
            #[inline(always)]
            fn exp(self, x: <$simd as Simd>::f32s) -> <$simd as Simd>::f32s {
                let simd = self.0;
                let of = |value: f32| simd.splat_f32s(value);
                // In this order NaN stays.
                let x = simd.max_f32s(of(LEAST), simd.min_f32s(of(MOST), x));
                let rounded = simd.mul_add_f32s(x, of(std::f32::consts::LOG2_E), of(ROUND));
                let twos = simd.sub_f32s(rounded, of(ROUND));
                let r = simd.mul_add_f32s(twos, of(-LN_2[0]), x);
                let r = simd.mul_add_f32s(twos, of(-LN_2[1]), r);
                let mut p = of(POLYNOMIAL[0]);
                for coefficient in &POLYNOMIAL[1..] {
                    p = simd.mul_add_f32s(p, r, of(*coefficient));
                }
                let p = simd.mul_add_f32s(p, simd.mul_f32s(r, r), simd.add_f32s(r, of(1.0)));
                // Times a power of two is an addition to the exponent's bits.
                let power =
                    simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(rounded), simd.splat_u32s(23));
                simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(p), power))
            }

            /// `1 / (1 + exp(x))` of one register.
            #[inline(always)]
            fn logistic(self, x: <$simd as Simd>::f32s) -> <$simd as Simd>::f32s {
                let one = self.0.splat_f32s(1.0);
                self.0.div_f32s(one, self.0.add_f32s(one, self.exp(x)))
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
                    *register = self.logistic(self.0.neg_f32s(*register));
                }
                x
            }

            #[inline(always)]
            fn tanh(self, mut x: Self::Vector) -> Self::Vector {
                for register in &mut x {
                    let half = self.logistic(self.0.mul_f32s(*register, self.0.splat_f32s(-2.0)));
                    *register = self.0.sub_f32s(self.0.add_f32s(half, half), self.0.splat_f32s(1.0));
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
