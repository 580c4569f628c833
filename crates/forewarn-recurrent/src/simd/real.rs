use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// The numbers that a network calculates in: `f32` at work; `f64` in tests, so that the very same code can be held
/// against finite differences.
pub(crate) trait Real:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + 'static
{
    const ZERO: Self;
    const ONE: Self;

    /// The logistic function, for `f32` within 1e-7.
    fn sigmoid(self) -> Self;

    /// The hyperbolic tangent, for `f32` within 2e-7.
    fn tanh(self) -> Self;

    fn from_f64(value: f64) -> Self;

    fn to_f64(self) -> f64;
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn sigmoid(self) -> Self {
        1.0 / (1.0 + exp(-self))
    }

    #[inline(always)]
    fn tanh(self) -> Self {
        2.0 / (1.0 + exp(-2.0 * self)) - 1.0
    }

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn sigmoid(self) -> Self {
        1.0 / (1.0 + (-self).exp())
    }

    fn tanh(self) -> Self {
        f64::tanh(self)
    }

    fn from_f64(value: f64) -> Self {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }
}

/// Adding it rounds to a whole number, which is then in the low bits.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// `exp` within 2 units in the last place for -87 to 88, beyond which it stays at its value there. No branch and no
/// table, so that a loop over it becomes vector code. NaN stays NaN.
///
/// # References
/// The range reduction and the polynomial of `expf` in S. Moshier's Cephes library.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LEAST: f32 = -87.0;
    const MOST: f32 = 88.0;
    /// ln 2 in two parts, the first with so few bits that its product is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// From the highest power down to x^2.
    const POLYNOMIAL: [f32; 6] =
        [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];
    // Comparisons in this order keep NaN and map to one instruction each; `clamp` does not.
    let x = if x > MOST { MOST } else { x };
    let x = if x < LEAST { LEAST } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let twos = rounded - ROUND;
    let r = x - twos * LN_2[0] - twos * LN_2[1];
    let mut p = POLYNOMIAL[0];
    for coefficient in &POLYNOMIAL[1..] {
        p = p * r + coefficient;
    }
    let p = p * r * r + r + 1.0;
    p * f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_and_sigmoid_are_accurate_everywhere() {
        for i in -400_000i32..=400_000 {
            let x = i as f32 * 5e-5;
            let exact = f64::from(x);
            let (tanh, sigmoid) = (f64::from(Real::tanh(x)), f64::from(Real::sigmoid(x)));
            let sigmoid_exact = 1.0 / (1.0 + (-exact).exp());
            assert!((tanh - exact.tanh()).abs() <= 2e-7, "tanh({x}) = {tanh}");
            assert!((sigmoid - sigmoid_exact).abs() <= 1e-7, "sigmoid({x}) = {sigmoid}");
            assert!(
                (sigmoid - sigmoid_exact).abs() <= 4e-7 * sigmoid_exact,
                "sigmoid({x}) = {sigmoid}, relative"
            );
            assert!(tanh.abs() <= 1.0 && (0.0..=1.0).contains(&sigmoid), "{x}");
        }
    }

    #[test]
    fn exp_is_accurate_where_it_is_used() {
        for i in -870_000i32..=880_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) - exact).abs() <= 2.4e-7 * exact, "exp({x})");
        }
    }

    #[test]
    fn the_ends_saturate_and_nan_stays() {
        for x in [20.0f32, 100.0, f32::MAX, f32::INFINITY] {
            assert_eq!((Real::tanh(x), Real::tanh(-x)), (1.0, -1.0), "{x}");
            assert_eq!(Real::sigmoid(x), 1.0, "{x}");
            assert!(Real::sigmoid(-x) < 3e-9, "{x}");
        }
        assert!(Real::tanh(f32::NAN).is_nan() && Real::sigmoid(f32::NAN).is_nan());
        assert_eq!((Real::tanh(0.0f32), Real::sigmoid(0.0f32)), (0.0, 0.5));
    }
}
