use crate::{CoreError, LabelledWindows, Windows};
use forewarn_schema::{Schema, SchemaError};

/// Labelled rows without a clock: each one is an example of its own, as in a published table of features.
///
/// There is no time, so nothing can leak from later to earlier; that no example is in two sets is the business of whoever splits the table.
/// Models see each row as a window of one row.
#[derive(Clone, Debug)]
pub struct Snapshots {
    schema: Schema,
    values: Vec<f32>,
    rows: Vec<u32>,
    positive: Vec<bool>,
}

impl Snapshots {
    /// Snapshots from row-major `values`, NaN where missing, and whether each row is positive.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is one row for each label; [`CoreError::Schema`] for more rows than a 32-bit number holds.
    pub fn new(schema: Schema, values: Vec<f32>, positive: Vec<bool>) -> Result<Self, CoreError> {
        let expected = positive.len().saturating_mul(schema.len());
        if values.len() != expected {
            return Err(CoreError::LengthMismatch {
                what: "values of snapshots",
                expected,
                got: values.len(),
            });
        }
        let rows =
            u32::try_from(positive.len()).map_err(|_| SchemaError::TooManyRows { rows: positive.len() })?;
        Ok(Self { schema, values, rows: (0..rows).collect(), positive })
    }

    /// Features of a row, in order.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether each row is positive.
    #[must_use]
    pub fn positive(&self) -> &[bool] {
        &self.positive
    }

    /// The rows as windows of one row with their labels: what [`Predictor::score`](crate::Predictor::score) takes.
    #[must_use]
    pub fn labelled(&self) -> LabelledWindows<'_> {
        let windows =
            Windows::new(&self.schema, &self.values, 1, &self.rows).expect("every row is within the values");
        LabelledWindows::new(windows, &self.positive).expect("one label for each row")
    }

    /// The rows that `keep` accepts by position, in order.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.len()).filter(|&row| keep(row)).collect();
        let width = self.schema.len();
        Self {
            schema: self.schema.clone(),
            values: kept.iter().flat_map(|&row| &self.values[row * width..][..width]).copied().collect(),
            rows: (0..kept.len() as u32).collect(),
            positive: kept.iter().map(|&row| self.positive[row]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_schema::Metric;

    #[test]
    fn rows_are_windows_of_one_row() {
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).unwrap();
        let all = Snapshots::new(schema.clone(), vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![true, false, true])
            .unwrap();
        assert_eq!(all.labelled().windows().iter().collect::<Vec<_>>(), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        let kept = all.filter(|row| row != 1);
        assert_eq!(kept.labelled().windows().iter().collect::<Vec<_>>(), [[1.0, 2.0], [5.0, 6.0]]);
        assert_eq!((kept.positive(), kept.labelled().positives()), (&[true, true][..], 2));
        assert!(Snapshots::new(schema, vec![1.0; 5], vec![true; 3]).is_err());
    }
}
