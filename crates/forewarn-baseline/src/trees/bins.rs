use crate::parts::on_parts;

/// The bin of a missing value.
pub(super) const MISSING: u8 = u8::MAX;

/// Most cuts of a column: bins 0 to 254 are then values, 255 is a missing one.
const MOST_CUTS: usize = 254;

/// Rows that cuts are chosen by; more move a quantile of a 254th by less than its own width.
const SAMPLED_ROWS: usize = 50_000;

/// Rows of a table that are made on demand: window after window, without the table ever being in memory.
pub(super) trait RowWriter: Sync {
    fn rows(&self) -> usize;

    fn columns(&self) -> usize;

    /// Writes row `row`; NaN is a missing value.
    fn write(&self, row: usize, out: &mut [f32]);
}

/// Where the bins of a column end: ascending; a value is in the first bin whose cut it does not exceed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cuts(Vec<f32>);

impl Cuts {
    /// Cuts that hold about equally many of `values` each, and one for each distinct value where there are few. Sorts
    /// `values`.
    pub(super) fn new(values: &mut Vec<f32>, most_bins: usize) -> Self {
        values.retain(|value| !value.is_nan());
        values.sort_unstable_by(f32::total_cmp);
        let most_cuts = most_bins.saturating_sub(1).min(MOST_CUTS);
        let mut cuts = Vec::new();
        let groups: Vec<&[f32]> = values.chunk_by(|a, b| a == b).collect();
        let (mut rest, mut filled) = (values.len(), 0);
        let mut share = rest as f64 / most_bins.max(1) as f64;
        for pair in groups.windows(2) {
            filled += pair[0].len();
            rest -= pair[0].len();
            let left = most_cuts - cuts.len();
            if left == 0 {
                break;
            }
            // A value that is common enough for a bin of its own begins one.
            if groups.len() <= most_bins || filled as f64 >= share || pair[1].len() as f64 >= share {
                cuts.push(between(pair[0][0], pair[1][0]));
                filled = 0;
                share = rest as f64 / left as f64;
            }
        }
        Self(cuts)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The threshold of a split behind `bin`: values up to it go left. Behind the last bin all values do.
    pub(super) fn threshold(&self, bin: u8) -> f32 {
        self.0.get(usize::from(bin)).copied().unwrap_or(f32::MAX)
    }

    fn bin(&self, value: f32) -> u8 {
        if value.is_nan() { MISSING } else { self.0.partition_point(|&cut| cut < value) as u8 }
    }
}

/// A number from `low` on and below `high`, half-way if `f32` has one.
fn between(low: f32, high: f32) -> f32 {
    let middle = ((f64::from(low) + f64::from(high)) / 2.0) as f32;
    if middle < high { middle } else { low }
}

/// Rows that are written before their bins are spread over the columns: they then stay in the nearest cache.
const ROWS_OF_A_BLOCK: usize = 64;

/// A table of bins, column-major: one byte a value.
///
/// A tree looks at few columns of many rows, be it to grow on a sample of them or to find the leaf of each row by the
/// columns that it splits by.
pub(super) struct Binned {
    pub(super) cuts: Vec<Cuts>,
    rows: usize,
    bins: Vec<u8>,
}

impl Binned {
    /// Bins of a training table, with cuts by its own values.
    pub(super) fn new(source: &dyn RowWriter, most_bins: usize, threads: usize) -> Self {
        let (rows, columns) = (source.rows(), source.columns());
        let stride = rows.div_ceil(SAMPLED_ROWS).max(1);
        let sampled: Vec<usize> = (0..rows).step_by(stride).collect();
        let mut sample = vec![0.0f32; sampled.len() * columns];
        for (&row, out) in sampled.iter().zip(sample.chunks_exact_mut(columns)) {
            source.write(row, out);
        }
        let mut cuts = vec![Cuts(Vec::new()); columns];
        on_parts(&mut cuts, threads, |first, cuts| {
            let mut values = Vec::with_capacity(sampled.len());
            for (column, cuts) in (first..).zip(cuts) {
                values.clear();
                values.extend(sample[column..].iter().step_by(columns));
                *cuts = Cuts::new(&mut values, most_bins);
            }
        });
        Self::with_cuts(source, cuts, threads)
    }

    /// Bins of another table by the same cuts.
    pub(super) fn with_cuts(source: &dyn RowWriter, cuts: Vec<Cuts>, threads: usize) -> Self {
        let (rows, columns) = (source.rows(), source.columns());
        let mut bins = vec![0u8; rows * columns];
        let share = rows.div_ceil(threads.max(1)).max(1);
        // Part by part of the rows, its piece of every column.
        let mut parts: Vec<Vec<&mut [u8]>> = (0..rows.div_ceil(share)).map(|_| Vec::new()).collect();
        for column in bins.chunks_exact_mut(rows.max(1)) {
            for (part, piece) in parts.iter_mut().zip(column.chunks_mut(share)) {
                part.push(piece);
            }
        }
        on_parts(&mut parts, threads, |first, parts| {
            let mut block = vec![0.0f32; ROWS_OF_A_BLOCK * columns];
            for (part, pieces) in (first..).zip(parts) {
                let rows = part * share..rows.min((part + 1) * share);
                for start in rows.clone().step_by(ROWS_OF_A_BLOCK) {
                    let here = start..rows.end.min(start + ROWS_OF_A_BLOCK);
                    for (row, values) in here.clone().zip(block.chunks_exact_mut(columns)) {
                        source.write(row, values);
                    }
                    for (column, (piece, cuts)) in pieces.iter_mut().zip(&cuts).enumerate() {
                        let piece = &mut piece[here.start - rows.start..here.end - rows.start];
                        for (bin, &value) in piece.iter_mut().zip(block[column..].iter().step_by(columns)) {
                            *bin = cuts.bin(value);
                        }
                    }
                }
            }
        });
        Self { cuts, rows, bins }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.cuts.len()
    }

    /// The bins of one column, row after row.
    pub(super) fn column(&self, column: usize) -> &[u8] {
        &self.bins[column * self.rows..][..self.rows]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_values_have_a_bin_each() {
        let cuts = Cuts::new(&mut vec![3.0, 1.0, f32::NAN, 1.0, 2.0, 3.0], 255);
        assert_eq!(cuts.0, [1.5, 2.5]);
        assert_eq!([0.0, 1.5, 1.6, 9.0, f32::NAN].map(|value| cuts.bin(value)), [0, 0, 1, 2, MISSING]);
        assert_eq!((cuts.threshold(0), cuts.threshold(2)), (1.5, f32::MAX));
        assert_eq!(Cuts::new(&mut vec![f32::NAN; 3], 255).len(), 0);
        // Neighbouring floats have nothing between them.
        let (low, high) = (1.0f32, 1.0f32.next_up());
        assert_eq!(Cuts::new(&mut vec![low, high], 255).0, [low]);
    }

    #[test]
    fn a_common_value_takes_no_bins_from_the_others() {
        let mut values = vec![0.0; 9000];
        values.extend((1..=1000u16).map(f32::from));
        let cuts = Cuts::new(&mut values, 101);
        assert!(cuts.len() >= 95, "{}", cuts.len());
        assert_eq!(cuts.bin(0.0), 0);
        let last = cuts.0[cuts.len() - 1];
        assert!((980.0..1000.0).contains(&last), "{last}");
    }

    proptest! {
        #[test]
        fn a_bin_is_left_of_its_threshold(mut values in prop::collection::vec(-1e3f32..1e3, 1..600), at in -1e3f32..1e3) {
            let cuts = Cuts::new(&mut values, 32);
            prop_assert!(cuts.len() < 32);
            prop_assert!(cuts.0.windows(2).all(|pair| pair[0] < pair[1]));
            let bin = cuts.bin(at);
            for split in 0..=cuts.len() as u8 {
                prop_assert_eq!(bin <= split, at <= cuts.threshold(split));
            }
        }
    }
}
