use serde::{Deserialize, Serialize};

/// Count, mean and spread of one metric over rows, in double precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSums {
    /// Values that are there.
    pub count: u64,
    /// Values that are missing.
    pub missing: u64,
    /// Their mean; 0 without any.
    pub mean: f64,
    /// Sum of squared distances from the mean.
    pub squares: f64,
}

impl MetricSums {
    /// Sums of each column of rows of `width` values, in one pass.
    #[must_use]
    pub fn of_rows(rows: &[f32], width: usize) -> Vec<Self> {
        let mut sums = vec![Self::default(); width];
        for row in rows.chunks_exact(width.max(1)) {
            sums.iter_mut().zip(row).for_each(|(sums, &value)| sums.add(value));
        }
        sums
    }

    fn add(&mut self, value: f32) {
        if value.is_nan() {
            self.missing += 1;
            return;
        }
        self.count += 1;
        let (value, before) = (f64::from(value), self.mean);
        self.mean += (value - before) / self.count as f64;
        self.squares += (value - before) * (value - self.mean);
    }

    /// Adds the sums over other rows. The order of joining decides the last bits.
    ///
    /// # References
    /// T. F. Chan et al., *Algorithms for computing the sample variance*, The American Statistician 37(3), 1983.
    pub fn join(&mut self, other: &Self) {
        self.missing += other.missing;
        if other.count == 0 {
            return;
        }
        // Not by the formula, which would round: nothing and a part are that part.
        if self.count == 0 {
            (self.count, self.mean, self.squares) = (other.count, other.mean, other.squares);
            return;
        }
        let (mine, others) = (self.count as f64, other.count as f64);
        let (all, apart) = (mine + others, other.mean - self.mean);
        self.mean += apart * others / all;
        self.squares += other.squares + apart * apart * mine * others / all;
        self.count += other.count;
    }

    /// Deviation from the mean, of the rows as a whole; `None` without a value.
    #[must_use]
    pub fn deviation(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.squares / self.count as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn joined_sums_are_those_of_all_rows() {
        let values: Vec<f32> = (0..100).map(|step| (step as f32 * 0.7).sin() + 1000.0).collect();
        let mut rows = values.clone();
        rows[3] = f32::NAN;
        let mut joined = MetricSums::of_rows(&rows[..41], 1)[0];
        joined.join(&MetricSums::default());
        for count in 1..100 {
            let (mut nothing, part) = (MetricSums::default(), MetricSums::of_rows(&values[..count], 1)[0]);
            nothing.join(&part);
            assert_eq!(nothing, part);
        }
        joined.join(&MetricSums::of_rows(&rows[41..], 1)[0]);
        let there: Vec<f64> =
            rows.iter().filter(|value| !value.is_nan()).map(|&value| f64::from(value)).collect();
        let mean = there.iter().sum::<f64>() / 99.0;
        let variance = there.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 99.0;
        assert_eq!((joined.count, joined.missing), (99, 1));
        assert_relative_eq!(joined.mean, mean, max_relative = 1e-12);
        assert_relative_eq!(joined.deviation().unwrap(), variance.sqrt(), max_relative = 1e-9);
        assert_eq!(MetricSums::default().deviation(), None);
    }
}
