//! Numbers that look random and depend on nothing but a seed and an index.
//!
//! A generator gives its numbers in turn, so that who asks first matters. Where numbers belong to rows, a function of
//! the row gives the same ones in any order and to any number of threads.

/// 64 well-mixed bits of `seed` and `index`.
///
/// # References
/// The finaliser of `SplitMix64`: G. Steele, D. Lea and C. Flood, *Fast splittable pseudorandom number generators*,
/// OOPSLA 2014.
#[must_use]
pub fn mix(seed: u64, index: u64) -> u64 {
    let mut bits =
        finish(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = finish(bits.wrapping_add(0x9e37_79b9_7f4a_7c15));
    bits
}

fn finish(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Two numbers in 0..1, of 32 bits each.
#[must_use]
pub fn uniform(seed: u64, index: u64) -> [f64; 2] {
    let bits = mix(seed, index);
    [(bits >> 32) as f64, (bits & 0xffff_ffff) as f64].map(|half| half / 4_294_967_296.0)
}

/// The numbers below `count` in a random order.
#[must_use]
pub fn order(seed: u64, count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.sort_by_key(|&index| mix(seed, u64::from(index)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_stable() {
        assert_eq!(mix(0, 0), 12_035_550_249_420_947_055);
        let mut shuffled = order(7, 50);
        assert_ne!(shuffled, order(8, 50));
        shuffled.sort_unstable();
        assert!(shuffled.into_iter().eq(0..50));
    }

    #[test]
    fn halves_are_uniform_and_independent() {
        let count = 100_000;
        let draws: Vec<[f64; 2]> = (0..count).map(|index| uniform(9, index)).collect();
        let mean = |of: fn(&[f64; 2]) -> f64| draws.iter().map(of).sum::<f64>() / count as f64;
        assert!((mean(|d| d[0]) - 0.5).abs() < 0.005 && (mean(|d| d[1]) - 0.5).abs() < 0.005);
        assert!((mean(|d| d[0] * d[1]) - 0.25).abs() < 0.005);
        assert!((mean(|d| d[0] * d[0]) - 1.0 / 3.0).abs() < 0.005);
        let serial = draws.windows(2).map(|pair| pair[0][0] * pair[1][0]).sum::<f64>() / count as f64;
        assert!((serial - 0.25).abs() < 0.005, "{serial}");
    }
}
