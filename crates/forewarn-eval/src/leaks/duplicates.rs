use super::{LeakCheck, checked};
use forewarn_core::Windows;
use forewarn_numerics::Fnv1a;

/// Share of the test windows that may be found in train: quiet services repeat themselves.
const SOME: f64 = 0.01;
/// Width of a cell in which windows are looked up, as a share of a feature's range in train.
const CELL: f64 = 1e-3;
/// How far two samples may lie apart and count as one that was rounded, as a share of that range.
const ROUNDING: f64 = 1e-4;
/// Most windows of one cell that a window is compared with.
const COMPARED: usize = 16;

/// Test windows that are in train too, within rounding. Windows in which nothing moves are left out: an idle service
/// makes many alike.
///
/// Windows are looked up by cells, so that one of which a sample lies by the border of its cell is missed: about a
/// tenth where noise is a millionth of the range.
pub(super) fn check(train: Windows<'_>, test: Windows<'_>) -> LeakCheck {
    let scale = Scale::new(train);
    let mut known: Vec<(u64, usize)> = train
        .iter()
        .enumerate()
        .filter(|(_, window)| scale.moves(window))
        .map(|(i, window)| (scale.cell(window), i))
        .collect();
    known.sort_unstable();
    let (mut moving, mut found, mut example) = (0usize, 0usize, None);
    for (index, window) in test.iter().enumerate().filter(|(_, window)| scale.moves(window)) {
        moving += 1;
        let cell = scale.cell(window);
        let from = known.partition_point(|entry| entry.0 < cell);
        let mut alike = known[from..].iter().take_while(|entry| entry.0 == cell).take(COMPARED);
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

    /// A hash of the cells of all samples; what it confuses is told apart by comparing.
    fn cell(&self, window: &[f32]) -> u64 {
        let mut hash = Fnv1a::new();
        for (&value, range) in window.iter().zip(self.ranges.iter().cycle()) {
            // NaN counts as 0, and is told apart by comparing.
            hash.add((f64::from(value) / (CELL * range)).round() as i64 as u32);
        }
        hash.value()
    }
}
