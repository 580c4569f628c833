//! Elementary functions from additions, multiplications, divisions and bits alone, so that the same seed gives the
//! same bytes on every machine: the system's `exp` and `ln` may differ in the last digit from one machine to the
//! next. They also inline, which is worth a factor of two.

const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// ln 2 in two parts; the first has so few digits that whole multiples of it are exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Adding and taking away 1.5 * 2^52 rounds to a whole number.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// e to the power of `x`, to 1e-11 of its value; arguments beyond +-700 count as +-700.
pub(crate) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let shifted = x * LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    // Taylor's series, |r| <= ln 2 / 2, in the order of Estrin: few steps that wait for each other.
    let (r2, c) = (r * r, |n: f64| 1.0 / n);
    let r4 = r2 * r2;
    let low = (1.0 + r) + r2 * (0.5 + r * c(6.0));
    let middle = (c(24.0) + r * c(120.0)) + r2 * (c(720.0) + r * c(5_040.0));
    let high = c(40_320.0) + r * c(362_880.0);
    let sum = low + r4 * (middle + r4 * high);
    let exponent = (whole as i64 + 1023) as u64;
    sum * f64::from_bits(exponent << 52)
}

/// The natural logarithm of a positive normal number, to 1e-10.
pub(crate) fn ln(x: f64) -> f64 {
    debug_assert!(x >= f64::MIN_POSITIVE && x.is_finite(), "{x}");
    let bits = x.to_bits();
    // Mantissas from sqrt(1/2) on.
    let offset = bits.wrapping_sub(0x3FE6_A09E_667F_3BCD);
    let exponent = (offset as i64) >> 52;
    let m = f64::from_bits(bits.wrapping_sub((exponent as u64) << 52));
    let s = (m - 1.0) / (m + 1.0);
    let (s2, c) = (s * s, |n: f64| 1.0 / n);
    let s4 = s2 * s2;
    let series = (1.0 + s2 * c(3.0)) + s4 * ((c(5.0) + s2 * c(7.0)) + s4 * (c(9.0) + s2 * c(11.0)));
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series
}

/// `x` to the power of `y`, for `x` in 0..; 0 to any power is 0.
pub(crate) fn pow(x: f64, y: f64) -> f64 {
    if x < 1e-300 { 0.0 } else { exp(y * ln(x)) }
}

/// The standard normal quantile of `p` in (0, 1), to 1.2e-9 of its value.
///
/// # References
/// P. J. Acklam, *An algorithm for computing the inverse normal cumulative distribution function*, 2003.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416];
    const LOW: f64 = 0.02425;
    let horner = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * ln(p)).sqrt();
        horner(&C, q) / (horner(&D, q) * q + 1.0)
    };
    if p < LOW {
        tail(p)
    } else if p > 1.0 - LOW {
        -tail(1.0 - p)
    } else {
        let q = p - 0.5;
        let r = q * q;
        horner(&A, r) * q / (horner(&B, r) * r + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use statrs::distribution::{ContinuousCDF, Normal};

    #[test]
    fn they_are_what_the_system_computes() {
        for step in -6_990..=6_990 {
            let x = f64::from(step) * 0.100_1;
            assert_relative_eq!(exp(x), x.clamp(-700.0, 700.0).exp(), max_relative = 1e-11);
        }
        for step in 1..4_000 {
            let x = 1.013_7f64.powi(step - 2_000);
            assert_relative_eq!(ln(x), x.ln(), epsilon = 1e-10, max_relative = 1e-10);
        }
        assert_eq!((exp(0.0), ln(1.0), pow(0.0, 0.3)), (1.0, 0.0, 0.0));
        assert_relative_eq!(pow(0.83, 5.7), 0.83f64.powf(5.7), max_relative = 1e-9);
    }

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        let normal = Normal::new(0.0, 1.0).unwrap();
        for p in [1e-12, 1e-6, 0.001, 0.02, 0.025, 0.3, 0.5, 0.77, 0.975, 0.98, 0.999_999] {
            let expected = normal.inverse_cdf(p);
            assert_relative_eq!(normal_quantile(p), expected, max_relative = 2e-9, epsilon = 1e-9);
        }
    }
}
