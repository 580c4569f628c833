/// Count, mean and sum of squares about it, by Welford's recurrence.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moments {
    pub(crate) count: f64,
    pub(crate) mean: f64,
    square: f64,
}

impl Moments {
    pub(crate) fn push(&mut self, value: f64) {
        self.count += 1.0;
        let off = value - self.mean;
        self.mean += off / self.count;
        self.square += off * (value - self.mean);
    }

    /// Of each of `columns` columns, what is missing left out.
    pub(crate) fn of_columns<'a>(columns: usize, rows: impl Iterator<Item = &'a [f32]>) -> Vec<Self> {
        let mut columns = vec![Self::default(); columns];
        rows.for_each(|row| Self::push_row(&mut columns, row));
        columns
    }

    /// One row more of them.
    pub(crate) fn push_row(columns: &mut [Self], row: &[f32]) {
        for (column, &value) in columns.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
            column.push(f64::from(value));
        }
    }

    /// The standard deviation; 0 without a value.
    pub(crate) fn deviation(&self) -> f64 {
        (self.square / self.count.max(1.0)).sqrt()
    }
}
