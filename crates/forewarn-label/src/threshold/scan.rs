//! One metric of a row-major block as bits, 64 rows a word.

use crate::Comparison;
use std::{
    num::NonZero,
    ops::Range,
    sync::{Mutex, PoisonError},
    thread,
};

/// Which rows violate a limit, and which have no sample: row `64 w + b` is bit `b` of word `w`.
pub(crate) struct Scan {
    pub(crate) violating: Vec<u64>,
    pub(crate) missing: Vec<u64>,
}

/// Words a thread is worth starting for: 131,072 rows take about 200 microseconds.
const WORDS_A_THREAD: usize = 2048;

/// Words of a part: some 50 microseconds.
const PART: usize = 512;

impl Scan {
    /// Reads `column` of rows of `width` values. The pass is as fast as memory is; long blocks are shared by all
    /// processors, with the same result.
    pub(crate) fn new(
        values: &[f32],
        width: usize,
        column: usize,
        comparison: Comparison,
        limit: f32,
    ) -> Self {
        let words = (values.len() / width).div_ceil(64);
        let (mut violating, mut missing) = (vec![0; words], vec![0; words]);
        // Asking for the number of processors reads files of the system, as long as it takes to scan ten thousand
        // rows: short frames do not ask.
        let most = words / WORDS_A_THREAD;
        let threads =
            if most > 1 { thread::available_parallelism().map_or(1, NonZero::get).min(most) } else { 1 };
        let parts =
            violating.chunks_mut(PART).zip(missing.chunks_mut(PART)).zip(values.chunks(PART * 64 * width));
        let read = |((violating, missing), values): ((&mut [u64], &mut [u64]), &[f32])| {
            // One loop a comparison, so that none is decided row by row.
            match comparison {
                Comparison::AtLeast => bits(violating, missing, values, width, column, |x| x >= limit),
                Comparison::Above => bits(violating, missing, values, width, column, |x| x > limit),
                Comparison::AtMost => bits(violating, missing, values, width, column, |x| x <= limit),
                Comparison::Below => bits(violating, missing, values, width, column, |x| x < limit),
                Comparison::Equal => bits(violating, missing, values, width, column, |x| x == limit),
                Comparison::NotEqual => {
                    bits(violating, missing, values, width, column, |x| !x.is_nan() && x != limit);
                }
            }
        };
        // Whoever is done takes the next part: a thread that begins late has fewer.
        let parts = Mutex::new(parts);
        let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || std::iter::from_fn(next).for_each(read);
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        Self { violating, missing }
    }
}

fn bits(
    violating: &mut [u64],
    missing: &mut [u64],
    values: &[f32],
    width: usize,
    column: usize,
    violates: impl Fn(f32) -> bool,
) {
    let words = violating.iter_mut().zip(missing);
    for ((violating, missing), rows) in words.zip(values.chunks(64 * width)) {
        // Gathered first, so that the comparisons run in vector registers: three times as fast as row by row.
        let mut samples = [0.0; 64];
        for (sample, row) in samples.iter_mut().zip(rows.chunks_exact(width)) {
            *sample = row[column];
        }
        let present = u64::MAX >> (64 - rows.len() / width);
        *violating = packed(samples.map(|sample| u8::from(violates(sample)))) & present;
        if samples.iter().fold(false, |any, sample| any | sample.is_nan()) {
            *missing = packed(samples.map(|sample| u8::from(sample.is_nan()))) & present;
        }
    }
}

/// 64 flags of 0 or 1 as the bits of a word.
fn packed(flags: [u8; 64]) -> u64 {
    let (eights, _) = flags.as_chunks::<8>();
    eights.iter().rev().fold(0, |word, &eight| {
        // The product moves flag `i` to bit `56 + i`; no two of its other terms meet, so nothing carries.
        let byte = u64::from_le_bytes(eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word << 8 | byte
    })
}

/// Runs of at least `least` set bits, in order.
pub(crate) fn runs(words: impl Iterator<Item = u64>, least: usize) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut begun = None;
    let mut words = words.enumerate().peekable();
    let mut before = 0;
    let mut end = 0;
    while let Some((index, whole)) = words.next() {
        let after = words.peek().map_or(0, |&(_, word)| word);
        let beside = (whole << 1 | before >> 63) | (whole >> 1 | after << 63);
        before = whole;
        // Where one is not enough, single bits are no run: most words of a healthy service then are zero.
        let word = if least > 1 { whole & beside } else { whole };
        let (base, mut bit) = (64 * index, 0);
        end = base + 64;
        if word == 0 && begun.is_none() {
            continue;
        }
        while bit < 64 {
            let rest = word >> bit;
            if let Some(start) = begun {
                bit += rest.trailing_ones();
                if bit < 64 {
                    let run = start..base + bit as usize;
                    begun = None;
                    if run.len() >= least {
                        runs.push(run);
                    }
                }
            } else {
                bit += rest.trailing_zeros().min(64 - bit);
                if bit < 64 {
                    begun = Some(base + bit as usize);
                }
            }
        }
    }
    runs.extend(begun.map(|start| start..end).filter(|run| run.len() >= least));
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), Just(u64::MAX), any::<u64>(), any::<(u64, u64)>().prop_map(|(a, b)| a & b)]
    }

    proptest! {
        #[test]
        fn runs_are_what_lies_between_zeros(words in proptest::collection::vec(word(), 0..6), least in 1usize..70) {
            let bit = |row: usize| words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1);
            let mut expected = Vec::new();
            for start in (0..64 * words.len()).filter(|&row| bit(row) && (row == 0 || !bit(row - 1))) {
                let end = (start..).find(|&row| !bit(row)).unwrap();
                expected.extend((end - start >= least).then_some(start..end));
            }
            prop_assert_eq!(runs(words.iter().copied(), least), expected);
        }
    }

    #[test]
    fn a_long_block_is_read_alike_by_one_thread_and_many() {
        let rows = 5 * 64 * WORDS_A_THREAD + 17;
        let value = |row: usize| if row % 1000 == 3 { f32::NAN } else { (row * 7919 % 101) as f32 };
        let values: Vec<f32> = (0..rows).flat_map(|row| [0.0, value(row), 0.0]).collect();
        let scan = Scan::new(&values, 3, 1, Comparison::Above, 90.0);
        for row in 0..rows {
            let bit = |words: &[u64]| words[row / 64] >> (row % 64) & 1 == 1;
            assert_eq!(bit(&scan.violating), value(row) > 90.0, "row {row}");
            assert_eq!(bit(&scan.missing), value(row).is_nan(), "row {row}");
        }
    }
}
