use super::{Pushed, RowsState};
use crate::{CoreError, Origin, Predictor, Score};
use forewarn_schema::Timestamp;
use std::fmt;

/// A predictor over the live rows of one service: push each row with its time, get a score.
///
/// Scores are equal, bit for bit, to those of the same windows scored as a batch: a model that reads the service's
/// name or the time finds both.
/// Rows that never came are missing rows, NaN, as in a frame. Memory and size when saved are those of [`RowsState`],
/// and the predictor.
#[derive(Clone)]
pub struct PredictorState<P> {
    predictor: P,
    rows: RowsState,
}

impl<P> fmt::Debug for PredictorState<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PredictorState").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<P: Predictor> PredictorState<P> {
    /// The state of a service of which no row has been seen; its first row is due at the origin's start.
    ///
    /// # Errors
    /// As [`RowsState::start`].
    pub fn start(predictor: P, origin: Origin<'_>) -> Result<Self, CoreError> {
        let rows = RowsState::start(predictor.input(), predictor.observation(), origin)?;
        Ok(Self { predictor, rows })
    }

    /// The model.
    #[must_use]
    pub fn predictor(&self) -> &P {
        &self.predictor
    }

    /// Time of the row that is due next.
    #[must_use]
    pub fn next(&self) -> Timestamp {
        self.rows.next()
    }

    /// Takes the row at `time`, and counts those between the one before and it as missing; `None` until a whole
    /// observation window has been
    /// seen. A gap of any length takes no more work than a window.
    ///
    /// # Errors
    /// As [`RowsState::push_at`], which leaves the state as it was; the predictor's own, when the row has been taken
    /// in.
    pub fn push_at(&mut self, time: Timestamp, row: &[f32]) -> Result<Pushed<Option<Score>>, CoreError> {
        let pushed = self.rows.push_at(time, row)?;
        let Some(window) = pushed.result else { return Ok(pushed.and(None)) };
        let mut score = [Score::ZERO];
        self.predictor.score(window, &mut score)?;
        Ok(pushed.and(Some(score[0])))
    }

    /// Appends what has been seen to `out`, without the model.
    ///
    /// # Errors
    /// As [`RowsState::save`].
    pub fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.rows.save(out)
    }

    /// Takes what [`save`](Self::save) wrote from the front of `from`, and goes on from there: the same bits as if it
    /// had never stopped.
    ///
    /// # Errors
    /// As [`RowsState::restore`]. The state is then as it was.
    pub fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.rows.restore(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Windows;
    use forewarn_schema::{Layout, Metric, Schema, Step};
    use proptest::prelude::*;

    /// Scores a window by a sum that depends on the order of its values, on the service and on the time.
    #[derive(Clone)]
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
            for (index, (window, score)) in windows.iter().zip(scores).enumerate() {
                let (service, time) = windows.place(index).expect("the place of a window is known");
                let value = |&x: &f32| if x.is_nan() { 0.125 } else { f64::from(x) };
                let sum: f64 = window.iter().enumerate().map(|(i, x)| value(x) * (1.0 + i as f64)).sum();
                *score = Score::from_logit(sum + service.len() as f64 / 8.0 + time.millis() as f64 / 1e7)?;
            }
            Ok(())
        }
    }

    fn at(minute: usize) -> Timestamp {
        Timestamp::EPOCH.checked_add(Step::MINUTE, minute as i64).unwrap()
    }

    fn schema(width: usize) -> Schema {
        Schema::new((0..width).map(|i| Metric::gauge(format!("m{i}"))).collect()).unwrap()
    }

    fn start(model: &Weighted, service: &str) -> PredictorState<Weighted> {
        let origin = Origin { service, start: Timestamp::EPOCH, step: Step::MINUTE };
        PredictorState::start(model.clone(), origin).unwrap()
    }

    proptest! {
        /// Rows that are missing are not pushed; a state is saved and restored on the way.
        #[test]
        fn streaming_equals_batch(
            width in 1usize..4, observation in 1usize..6, values in proptest::collection::vec(-1f32..1.0, 0..120),
            kept in proptest::collection::vec(proptest::bool::weighted(0.7), 120), stop in 0usize..120,
        ) {
            let schema = schema(width);
            let rows = values.len() / width;
            let mut values = values[..rows * width].to_vec();
            for (row, _) in kept.iter().take(rows).enumerate().filter(|(_, kept)| !**kept) {
                values[row * width..(row + 1) * width].fill(f32::NAN);
            }
            let last_rows: Vec<u32> = (observation - 1..rows.max(observation - 1)).map(|row| row as u32).collect();
            let model = Weighted(schema.clone(), observation);
            let layout = Layout::new(Step::MINUTE, [("cart".to_owned(), at(0), rows)]).unwrap();
            let windows = Windows::new(&schema, &values, observation, &last_rows).unwrap().with_layout(&layout);
            let batch = model.score_all(windows).unwrap();
            let (mut live, mut missing) = (start(&model, "cart"), 0);
            for (row, sample) in values.chunks(width).enumerate() {
                if row == stop {
                    let mut bytes = Vec::new();
                    live.save(&mut bytes).unwrap();
                    live = start(&model, "cart");
                    live.restore(&mut &bytes[..]).unwrap();
                }
                if !kept[row] {
                    missing += 1;
                    continue;
                }
                let expected = row.checked_sub(observation - 1).map(|window| batch[window]);
                let pushed = Pushed { missing_rows: missing, restarted: false, result: expected };
                prop_assert_eq!(live.push_at(at(row), sample).unwrap(), pushed);
                missing = 0;
            }
        }
    }

    #[test]
    fn what_is_refused_leaves_a_stream_as_it_was() {
        let model = Weighted(schema(2), 2);
        let [mut live, mut twin] = [(); 2].map(|()| start(&model, "cart"));
        for (minute, row) in [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]].iter().enumerate() {
            for wrong in [&[f32::INFINITY, 0.0][..], &[0.0, f32::NEG_INFINITY], &[0.0], &[0.0; 3]] {
                assert!(matches!(live.push_at(at(minute), wrong), Err(CoreError::Schema(_))), "{wrong:?}");
            }
            let between = Timestamp::from_millis(at(minute).millis() + 30_000).unwrap();
            assert!(matches!(live.push_at(between, row), Err(CoreError::OffClock { .. })));
            assert_eq!(live.push_at(at(minute), row).unwrap(), twin.push_at(at(minute), row).unwrap());
            assert!(matches!(live.push_at(at(minute), row), Err(CoreError::LateRow { .. })));
        }
    }

    #[test]
    fn ten_years_without_a_row_are_a_window_without_one() {
        let model = Weighted(schema(1), 3);
        let mut live = start(&model, "cart");
        live.push_at(at(0), &[0.5]).unwrap();
        let later = 5_260_000;
        let pushed = live.push_at(at(later), &[0.25]).unwrap();
        assert_eq!(pushed.missing_rows, later as u64 - 1);
        let layout = Layout::new(Step::MINUTE, [("cart".to_owned(), at(later - 2), 3)]).unwrap();
        let (values, last_row) = ([f32::NAN, f32::NAN, 0.25], [2]);
        let windows = Windows::new(model.input(), &values, 3, &last_row).unwrap().with_layout(&layout);
        assert_eq!(pushed.result, Some(model.score_all(windows).unwrap()[0]));
    }

    #[test]
    fn a_state_of_another_stream_is_refused() {
        let model = Weighted(schema(2), 2);
        let mut live = start(&model, "cart");
        live.push_at(at(0), &[0.1, 0.2]).unwrap();
        let mut bytes = Vec::new();
        live.save(&mut bytes).unwrap();
        for (model, service) in
            [(&model, "login"), (&Weighted(schema(2), 3), "cart"), (&Weighted(schema(1), 2), "cart")]
        {
            let mut other = start(model, service);
            let mut from = &bytes[..];
            assert!(matches!(other.restore(&mut from), Err(CoreError::ForeignState { .. })));
            assert_eq!((from.len(), other.next()), (bytes.len(), at(0)));
        }
    }
}
