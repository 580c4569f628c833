//! Counters as increases.

/// A column that falls more often than once in this number of steps is not a counter.
const FALLS_ONE_IN: u64 = 20;

/// Falls that any counter may have.
const FALLS: u64 = 3;

/// How often the counters of a service fall.
#[derive(Clone, Debug, Default)]
pub(crate) struct Falls {
    last: Vec<f64>,
    /// For each counter, its falls and steps.
    counts: Vec<(u64, u64)>,
}

impl Falls {
    /// Adds a row of counters.
    pub(crate) fn push(&mut self, raws: &[f64]) {
        if self.last.len() < raws.len() {
            self.last.resize(raws.len(), f64::NAN);
            self.counts.resize(raws.len(), (0, 0));
        }
        for ((last, &raw), (falls, steps)) in self.last.iter_mut().zip(raws).zip(&mut self.counts) {
            if !raw.is_nan() {
                *steps += u64::from(!last.is_nan());
                *falls += u64::from(raw < *last);
                *last = raw;
            }
        }
    }

    /// Falls and steps of one counter.
    pub(crate) fn of(&self, counter: usize) -> (u64, u64) {
        self.counts.get(counter).copied().unwrap_or_default()
    }
}

/// Whether a column with `falls` falls in `steps` steps counts since a process began.
pub(crate) fn may_count((falls, steps): (u64, u64)) -> bool {
    falls <= FALLS || falls * FALLS_ONE_IN <= steps
}

/// The increase of a counter since the row before; missing where either is. Where it fell, its process began again at
/// zero, so all that it shows was counted since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Increase {
    before: f64,
}

impl Default for Increase {
    fn default() -> Self {
        Self { before: f64::NAN }
    }
}

impl Increase {
    /// The increase to the next row, and whether the counter fell.
    pub(crate) fn next(&mut self, raw: f64) -> (f32, bool) {
        let before = std::mem::replace(&mut self.before, raw);
        let fell = raw < before;
        let increase = if fell { raw } else { raw - before };
        if increase < 0.0 { (f32::NAN, fell) } else { (increase as f32, fell) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn increases_are_exact_far_from_zero() {
        let mut increase = Increase::default();
        let shown: Vec<(f32, bool)> =
            [5e15, 5e15 + 1.0, 5e15 + 8.0, 3.0, 4.0].into_iter().map(|raw| increase.next(raw)).collect();
        assert!(shown[0].0.is_nan());
        assert_eq!(shown[1..], [(1.0, false), (7.0, false), (3.0, true), (1.0, false)]);
        let gap: Vec<f32> = [1.0, f64::NAN, 9.0, 10.0].into_iter().map(|raw| increase.next(raw).0).collect();
        assert!(gap[1].is_nan() && gap[2].is_nan() && gap[3] == 1.0);
    }

    #[test]
    fn what_often_falls_is_no_counter() {
        assert!(may_count((0, 0)) && may_count((3, 4)) && may_count((10, 1000)) && !may_count((100, 1000)));
        let mut falls = Falls::default();
        for raw in [1.0, 2.0, f64::NAN, 1.0, 5.0] {
            falls.push(&[raw]);
        }
        assert_eq!(falls.of(0), (1, 3));
    }
}
