use crate::{CoreError, Predictor, Score};

/// The last rows of a stream, always as one contiguous `[observation, feature]` slice.
///
/// Rows are appended to a buffer twice as long as a window and moved to its front when it is full: `O(feature)` a push, amortised,
/// and no allocation.
#[derive(Clone, Debug)]
pub struct RowBuffer {
    width: usize,
    observation: usize,
    values: Vec<f32>,
}

impl RowBuffer {
    /// An empty buffer for windows of `observation` rows of `width` values.
    ///
    /// # Errors
    /// [`CoreError::EmptyWindow`] for no rows, [`CoreError::InvalidSetting`] for no columns or more than memory has.
    pub fn new(width: usize, observation: usize) -> Result<Self, CoreError> {
        if observation == 0 {
            return Err(CoreError::EmptyWindow { part: "observation" });
        }
        let size =
            observation.checked_mul(2).and_then(|rows| rows.checked_mul(width)).filter(|&size| size > 0);
        let mut values = Vec::new();
        match size.map(|size| values.try_reserve_exact(size)) {
            Some(Ok(())) => Ok(Self { width, observation, values }),
            _ => Err(CoreError::InvalidSetting {
                name: "width of a row",
                value: width.to_string(),
                expected: "a positive number of columns that fits into memory",
            }),
        }
    }

    /// Appends a row; the oldest one beyond the window is forgotten.
    ///
    /// # Errors
    /// [`CoreError::LengthMismatch`] for a row of another width.
    pub fn push(&mut self, row: &[f32]) -> Result<(), CoreError> {
        if row.len() != self.width {
            return Err(CoreError::LengthMismatch {
                what: "values of a row",
                expected: self.width,
                got: row.len(),
            });
        }
        if self.values.len() == 2 * self.observation * self.width {
            let kept = self.values.len() - (self.observation - 1) * self.width;
            self.values.copy_within(kept.., 0);
            self.values.truncate((self.observation - 1) * self.width);
        }
        self.values.extend_from_slice(row);
        Ok(())
    }

    /// The last `observation` rows; `None` until there are that many.
    #[must_use]
    pub fn window(&self) -> Option<&[f32]> {
        self.values.len().checked_sub(self.observation * self.width).map(|first| &self.values[first..])
    }

    /// Forgets all rows, for a stream that starts anew.
    pub fn clear(&mut self) {
        self.values.clear();
    }
}

/// A predictor over a live stream of one service: push a row a step, get a score.
///
/// Scores are equal, to the bit, to those of the same windows scored as a batch.
#[derive(Clone, Debug)]
pub struct Stream<P> {
    predictor: P,
    rows: RowBuffer,
}

impl<P: Predictor> Stream<P> {
    /// A stream that has seen nothing yet.
    ///
    /// # Errors
    /// As [`RowBuffer::new`].
    pub fn new(predictor: P) -> Result<Self, CoreError> {
        let rows = RowBuffer::new(predictor.input().len(), predictor.observation())?;
        Ok(Self { predictor, rows })
    }

    /// Takes the next row (all NaN for a missed step); `None` until a whole observation window has been seen.
    ///
    /// # Errors
    /// As [`Schema::check_row`](forewarn_schema::Schema::check_row) for a row that no frame could hold, which leaves the stream as it was; and the
    /// predictor's own.
    pub fn push(&mut self, row: &[f32]) -> Result<Option<Score>, CoreError> {
        self.predictor.input().check_row(row)?;
        self.rows.push(row)?;
        self.rows.window().map(|window| self.predictor.score_one(window)).transpose()
    }

    /// Forgets what was seen, for another service or after a break.
    pub fn reset(&mut self) {
        self.rows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Windows;
    use forewarn_schema::{Metric, Schema};
    use proptest::prelude::*;

    /// Scores a window by a sum that depends on the order of its values.
    struct Weighted(Schema, usize);

    impl Predictor for Weighted {
        fn input(&self) -> &Schema {
            &self.0
        }

        fn observation(&self) -> usize {
            self.1
        }

        fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
            self.expect_shapes(windows, scores)?;
            for (window, score) in windows.iter().zip(scores) {
                let sum: f64 = window.iter().enumerate().map(|(i, &x)| f64::from(x) * (1.0 + i as f64)).sum();
                *score = Score::from_logit(sum)?;
            }
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn streaming_equals_batch(
            width in 1usize..4, observation in 1usize..6, values in proptest::collection::vec(-1f32..1.0, 0..120)
        ) {
            let schema = Schema::new((0..width).map(|i| Metric::gauge(format!("m{i}"))).collect()).unwrap();
            let rows = values.len() / width;
            let values = &values[..rows * width];
            let last_rows: Vec<u32> = (observation - 1..rows.max(observation - 1)).map(|row| row as u32).collect();
            let model = Weighted(schema.clone(), observation);
            let batch = model.score_all(Windows::new(&schema, values, observation, &last_rows).unwrap()).unwrap();
            let mut stream = Stream::new(model).unwrap();
            let streamed: Vec<_> =
                values.chunks(width).filter_map(|row| stream.push(row).unwrap()).collect();
            prop_assert_eq!(batch, streamed);
        }
    }

    #[test]
    fn a_row_that_no_frame_could_hold_leaves_a_stream_as_it_was() {
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).unwrap();
        let [mut stream, mut twin] = [(); 2].map(|()| Stream::new(Weighted(schema.clone(), 2)).unwrap());
        for row in [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]] {
            for wrong in [&[f32::INFINITY, 0.0][..], &[0.0, f32::NEG_INFINITY], &[0.0], &[0.0; 3]] {
                assert!(matches!(stream.push(wrong), Err(CoreError::Schema(_))), "{wrong:?}");
            }
            assert_eq!(stream.push(&row).unwrap(), twin.push(&row).unwrap());
        }
    }

    #[test]
    fn a_row_of_another_width_is_refused() {
        let mut rows = RowBuffer::new(2, 3).unwrap();
        assert!(rows.push(&[1.0]).is_err());
        assert!(rows.window().is_none());
        assert!(RowBuffer::new(0, 3).is_err() && RowBuffer::new(usize::MAX, 3).is_err());
    }
}
