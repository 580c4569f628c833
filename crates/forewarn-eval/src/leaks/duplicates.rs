use super::{LeakCheck, checked};
use crate::both::both;
use forewarn_core::Windows;
use forewarn_numerics::Fnv1a;
use std::{collections::VecDeque, ops::Range};

/// Share of the test windows that may be found in train: quiet services repeat themselves.
const SOME: f64 = 0.01;
/// Width of a cell in which windows are looked up, as a share of a feature's range in train.
const CELL: f64 = 1e-3;
/// How far two samples may lie apart and count as one that was rounded, as a share of that range.
const ROUNDING: f64 = 1e-4;
/// A factor that spreads hashes of rows over those of windows: the golden ratio in 64 bits.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
/// Most windows of one cell that a window is compared with.
const COMPARED: usize = 16;

/// Test windows that are in train too, within rounding. Windows in which nothing moves are left out: an idle service
/// makes many alike.
///
/// Windows are looked up by cells, so that one of which a sample lies by the border of its cell is missed: about a
/// tenth where noise is a millionth of the range.
pub(super) fn check(train: Windows<'_>, test: Windows<'_>) -> LeakCheck {
    let scale = Scale::new(train);
    let looked_up: Vec<(u64, usize)> = scale.cells(test).collect();
    let wanted = Wanted::new(&looked_up);
    let middle = train.len() / 2;
    let known = |range: Range<usize>| -> Vec<(u64, usize)> {
        let first = range.start;
        // Both halves lie within.
        let cells = train.slice(range).into_iter().flat_map(|half| scale.cells(half));
        let wanted = cells.filter(|&(cell, _)| wanted.may_hold(cell));
        wanted.map(|(cell, index)| (cell, first + index)).collect()
    };
    let (mut known, later) = both(|| known(0..middle), || known(middle..train.len()));
    known.extend(later);
    known.sort_unstable();
    let (moving, mut found, mut example) = (looked_up.len(), 0usize, None);
    for (cell, index) in looked_up {
        let from = known.partition_point(|entry| entry.0 < cell);
        let mut alike = known[from..].iter().take_while(|entry| entry.0 == cell).take(COMPARED);
        let Some(window) = test.get(index) else { continue };
        let same = |other: usize| train.get(other).is_some_and(|other| scale.is_same(other, window));
        if let Some(&(_, other)) = alike.find(|entry| same(entry.1)) {
            found += 1;
            example.get_or_insert((index, other));
        }
    }
    let text = match example {
        None => format!("none of {moving} test windows in which something moves is in train too"),
        Some((test, train)) => {
            format!(
                "{found} of {moving} test windows in which something moves are in train too, within rounding, such as window {test}, which is \
                 window {train} there"
            )
        }
    };
    checked("duplicate windows", found as f64 > SOME * moving as f64, text)
}

/// The range of each feature in train.
struct Scale {
    ranges: Vec<f64>,
}

impl Scale {
    fn new(train: Windows<'_>) -> Self {
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); train.schema().len()];
        for row in train.iter_last() {
            for (end, &value) in ends.iter_mut().zip(row).filter(|(_, value)| value.is_finite()) {
                *end = (end.0.min(f64::from(value)), end.1.max(f64::from(value)));
            }
        }
        let range = |(low, high): (f64, f64)| if high > low { high - low } else { 1.0 };
        Self { ranges: ends.into_iter().map(range).collect() }
    }

    fn is_same(&self, a: &[f32], b: &[f32]) -> bool {
        let near = |((&a, &b), range): ((&f32, &f32), &f64)| {
            a.to_bits() == b.to_bits()
                || (a.is_nan() && b.is_nan())
                || (f64::from(a) - f64::from(b)).abs() <= ROUNDING * range
        };
        a.iter().zip(b).zip(self.ranges.iter().cycle()).all(near)
    }

    /// Whether any row differs from the first.
    fn moves(&self, window: &[f32]) -> bool {
        let width = self.ranges.len();
        window.chunks_exact(width).any(|row| !self.is_same(row, &window[..width]))
    }

    /// Windows in which something moves: a hash of the cells of all samples, and the place of the window. What a hash
    /// confuses is told apart by comparing.
    fn cells<'a>(&'a self, windows: Windows<'a>) -> impl Iterator<Item = (u64, usize)> + 'a {
        let (width, observation) = (self.ranges.len(), windows.observation());
        // Hashes of the rows of the window before: most windows have but one row that it lacks.
        let (mut hashes, mut end): (VecDeque<u64>, _) = (VecDeque::new(), None);
        windows.iter().zip(windows.last_rows()).enumerate().filter_map(move |(index, (window, &last))| {
            if !self.moves(window) {
                return None;
            }
            let last = last as usize;
            let new = match end {
                Some(end) if (end..end + observation).contains(&last) => last - end,
                _ => observation,
            };
            end = Some(last);
            hashes.drain(..new.min(hashes.len()));
            hashes
                .extend(window[(observation - new) * width..].chunks_exact(width).map(|row| self.cell(row)));
            let hash = hashes.iter().fold(0u64, |hash, &row| hash.wrapping_mul(ODD).rotate_left(5) ^ row);
            Some((hash, index))
        })
    }

    /// A hash of the cells of the samples of a row.
    fn cell(&self, row: &[f32]) -> u64 {
        let mut hash = Fnv1a::new();
        for (&value, range) in row.iter().zip(&self.ranges) {
            // NaN counts as 0, and is told apart by comparing.
            hash.add((f64::from(value) / (CELL * range)).round() as i64 as u32);
        }
        hash.value()
    }
}

/// Which cells are looked up, all and a few others: most windows of train need not be kept.
struct Wanted {
    bits: Vec<u64>,
}

impl Wanted {
    fn new(cells: &[(u64, usize)]) -> Self {
        // Sixteen bits a cell: one in sixteen others passes.
        let mut bits = vec![0; cells.len().max(4).next_power_of_two() / 4];
        for &(cell, _) in cells {
            let (word, bit) = Self::place(&bits, cell);
            bits[word] |= bit;
        }
        Self { bits }
    }

    fn may_hold(&self, cell: u64) -> bool {
        let (word, bit) = Self::place(&self.bits, cell);
        self.bits[word] & bit != 0
    }

    fn place(bits: &[u64], cell: u64) -> (usize, u64) {
        ((cell >> 6) as usize & (bits.len() - 1), 1 << (cell & 63))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::{Metric, Schema};
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn windows_are_found_in_both_halves_of_train() {
        let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
        let values: Vec<f32> = (0u8..120).map(|row| f32::from(row) * f32::from(row)).collect();
        let rows = |rows: Range<u32>| rows.collect::<Vec<_>>();
        let (all, early, late) = (rows(2..100), rows(7..9), rows(90..93));
        let windows = |rows| Windows::new(&schema, &values, 3, rows).unwrap();
        for (test, example) in
            [(&early, "window 0, which is window 5 there"), (&late, "window 0, which is window 88 there")]
        {
            let found = check(windows(&all), windows(test)).text;
            assert!(
                found.starts_with(&format!("{0} of {0} test", test.len())) && found.ends_with(example),
                "{found}"
            );
        }
        let apart = check(windows(&all), windows(&rows(110..113))).text;
        assert!(apart.starts_with("none of 3 test windows"), "{apart}");
    }

    proptest! {
        #[test]
        fn windows_of_equal_cells_share_a_hash_wherever_they_stand(
            block in vec(0u8..2, 2 * 40), rows in proptest::collection::btree_set(2u32..40, 1..30)
        ) {
            let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
            let values: Vec<f32> = block.into_iter().map(f32::from).collect();
            let rows: Vec<u32> = rows.into_iter().collect();
            let windows = Windows::new(&schema, &values, 3, &rows).unwrap();
            let scale = Scale::new(windows);
            let found: Vec<(u64, usize)> = scale.cells(windows).collect();
            let moving: Vec<usize> =
                (0..rows.len()).filter(|&index| scale.moves(windows.get(index).unwrap())).collect();
            prop_assert_eq!(found.iter().map(|(_, index)| *index).collect::<Vec<_>>(), moving);
            let wanted = Wanted::new(&found);
            for &(cell, index) in &found {
                prop_assert!(wanted.may_hold(cell));
                for &(other, at) in &found {
                    prop_assert_eq!(cell == other, windows.get(index) == windows.get(at));
                }
            }
        }
    }
}
