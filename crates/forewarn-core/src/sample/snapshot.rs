use crate::{CoreError, LabelledWindows, Windows};
use forewarn_schema::{Schema, SchemaError};

/// Labelled examples without a clock, each a window of its own: rows of a published table of features, or windows
/// `[n, time, metric]` that were cut elsewhere, with `[n]` labels.
///
/// Without times nothing can be checked for leaks: that no example is in two sets, and that no two overlap, is the
/// business of whoever cut and split them.
#[derive(Clone, Debug)]
pub struct Snapshots {
    schema: Schema,
    observation: usize,
    values: Vec<f32>,
    /// The row that each example ends in.
    last_rows: Vec<u32>,
    positive: Vec<bool>,
}

impl Snapshots {
    /// Examples of one row each: row-major `values`, NaN where missing, and whether each row is positive.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] unless there is one row for each label; [`CoreError::Schema`] for more rows than
    /// a 32-bit number holds.
    pub fn new(schema: Schema, values: Vec<f32>, positive: Vec<bool>) -> Result<Self, CoreError> {
        Self::from_windows(schema, 1, values, positive)
    }

    /// Windows of `observation` rows that are cut already: `values` are `[n, observation, feature]` in row-major
    /// order, NaN where missing, and `positive` says of each of the n windows whether it is positive.
    ///
    /// ```
    /// use forewarn_core::Snapshots;
    /// use forewarn_schema::{Metric, Schema};
    ///
    /// // Two windows of three minutes and two metrics, as an array of shape [2, 3, 2] holds them.
    /// let schema = Schema::new(vec![Metric::gauge("load"), Metric::gauge("errors")])?;
    /// let values = vec![0.1, 0.0, 0.2, 0.0, 0.3, 0.0, 0.5, 0.0, 0.7, 0.1, 0.9, 0.4];
    /// let windows = Snapshots::from_windows(schema, 3, values, vec![false, true])?;
    /// assert_eq!(windows.labelled().windows().get(1), Some(&[0.5, 0.0, 0.7, 0.1, 0.9, 0.4][..]));
    /// # Ok::<(), forewarn_core::CoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`CoreError::EmptyWindow`] for windows of no rows; otherwise as [`new`](Self::new).
    pub fn from_windows(
        schema: Schema,
        observation: usize,
        values: Vec<f32>,
        positive: Vec<bool>,
    ) -> Result<Self, CoreError> {
        if observation == 0 {
            return Err(CoreError::EmptyWindow { part: "observation" });
        }
        let expected = positive.len().saturating_mul(observation).saturating_mul(schema.len());
        if values.len() != expected {
            return Err(CoreError::LengthMismatch {
                what: "values of snapshots",
                expected,
                got: values.len(),
            });
        }
        let rows = values.len() / schema.len();
        u32::try_from(rows).map_err(|_| SchemaError::TooManyRows { rows })?;
        Ok(Self { last_rows: last_rows(positive.len(), observation), schema, observation, values, positive })
    }

    /// Features of a row, in order.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Rows of each example.
    #[must_use]
    pub fn observation(&self) -> usize {
        self.observation
    }

    /// Number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.positive.len()
    }

    /// Whether there is no example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.positive.is_empty()
    }

    /// Whether each example is positive.
    #[must_use]
    pub fn positive(&self) -> &[bool] {
        &self.positive
    }

    /// The examples as windows with their labels: what [`Predictor::score`](crate::Predictor::score) takes.
    #[must_use]
    pub fn labelled(&self) -> LabelledWindows<'_> {
        let windows = Windows::new(&self.schema, &self.values, self.observation, &self.last_rows);
        let windows = windows.expect("every example is within the values");
        LabelledWindows::new(windows, &self.positive).expect("one label for each example")
    }

    /// The examples that `keep` accepts by position, in order.
    #[must_use]
    pub fn filter(&self, mut keep: impl FnMut(usize) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.len()).filter(|&example| keep(example)).collect();
        let size = self.observation * self.schema.len();
        Self {
            schema: self.schema.clone(),
            observation: self.observation,
            values: kept.iter().flat_map(|&at| &self.values[at * size..][..size]).copied().collect(),
            last_rows: last_rows(kept.len(), self.observation),
            positive: kept.iter().map(|&at| self.positive[at]).collect(),
        }
    }
}

/// The row that each window ends in, one after another in a block whose rows 32 bits can number.
fn last_rows(windows: usize, observation: usize) -> Vec<u32> {
    (1..=windows).map(|window| (window * observation - 1) as u32).collect()
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

    #[test]
    fn windows_that_are_cut_already_stay_apart() {
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).unwrap();
        let values: Vec<f32> = (0..18u8).map(f32::from).collect();
        let windows = |observation, values: &[f32]| {
            Snapshots::from_windows(schema.clone(), observation, values.to_vec(), vec![true, false, true])
        };
        let all = windows(3, &values).unwrap();
        let labelled = all.labelled();
        assert_eq!((all.len(), all.observation(), labelled.windows().observation()), (3, 3, 3));
        assert!(labelled.windows().iter().eq(values.chunks(6)));
        let kept = all.filter(|window| window == 2);
        assert!(kept.labelled().windows().iter().eq([&values[12..]]));
        assert!(matches!(windows(0, &values), Err(CoreError::EmptyWindow { .. })));
        for (observation, values) in [(3, &values[..17]), (2, &values), (usize::MAX, &values)] {
            assert!(matches!(windows(observation, values), Err(CoreError::LengthMismatch { .. })));
        }
        assert!(all.filter(|_| false).is_empty());
    }
}
