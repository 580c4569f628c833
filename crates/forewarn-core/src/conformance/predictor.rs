use super::{Breach, bits, holds, places, rows_of, same, works};
use crate::{CoreError, Origin, Predictor, PredictorState, Score, Windows};
use forewarn_schema::{FrameView, Layout, Metric, Schema};

/// Most windows that are scored one by one.
const WINDOWS: usize = 64;

/// Checks the laws that every predictor keeps on windows of a frame of its [`input`](Predictor::input):
///
/// - windows of other metrics or another length, and a wrong number of scores, are refused;
/// - the same windows give the same scores;
/// - a window's score depends on no other window: alone, in turned order and beside those of another service it is
///   the same;
/// - [`score_one`](Predictor::score_one) gives a window the score that it has in a batch, and nothing else is known
///   of it;
/// - live rows give the scores of the windows of a batch, of this service and of one that the model does not know,
///   also when the state is saved and restored on the way;
/// - a window without any sample is scored;
/// - [`forecasts`](Predictor::forecasts), where there are any, are one for each window.
///
/// # Errors
/// The first [`Breach`].
pub fn predictor<P: Predictor + ?Sized>(model: &P, frame: FrameView<'_>) -> Result<(), Breach> {
    let (input, observation) = (model.input(), model.observation());
    holds(observation > 0, "a window has a row", || "observation is 0".to_owned())?;
    holds(frame.schema() == input, "the frame has the model's features", || {
        let names = |schema: &Schema| schema.names().map(str::to_owned).collect();
        CoreError::FeatureMismatch { expected: names(input), got: names(frame.schema()) }.to_string()
    })?;
    refuses(model, input, observation)?;

    let stranger = format!("{}'", frame.service());
    let rows = frame.rows();
    let law = "two services fit into one block";
    let places_of = |names: Vec<String>| {
        Layout::new(frame.step(), names.into_iter().map(|name| (name, frame.start(), rows)))
    };
    let layout = works(places_of(vec![frame.service().to_owned(), stranger.clone()]), law)?;
    let block = [frame.values(), frame.values()].concat();
    let ends = |first: usize| (first + observation.saturating_sub(1)..first + rows).map(|row| row as u32);
    let last_rows: Vec<u32> = ends(0).chain(ends(rows)).collect();
    let windows = works(Windows::new(input, &block, observation, &last_rows), law)?;
    let placed = windows.with_layout(&layout);
    let expected = score(model, placed)?;
    same(&score(model, placed)?, &expected, "the same windows give the same scores", "the second time")?;

    let turned: Vec<u32> = last_rows.iter().rev().copied().collect();
    let turned = works(Windows::new(input, &block, observation, &turned), law)?.with_layout(&layout);
    let law = "a window's score depends on no other window";
    let mut found = score(model, turned)?;
    found.reverse();
    same(&found, &expected, law, "in turned order")?;
    let plain = score(model, windows)?;
    for index in places(last_rows.len().saturating_sub(1), WINDOWS) {
        let Some(window) = windows.get(index) else { break };
        let alone = works(placed.slice(index..index + 1), law)?;
        same(&score(model, alone)?, &expected[index..=index].to_vec(), law, &format!("window {index}"))?;
        let law = "one window has the score that it has in a batch";
        let one = works(model.score_one(window), law)?;
        same(&one.get().to_bits(), &plain[index], law, &format!("window {index}"))?;
    }
    if let Some(forecasts) = works(model.forecasts(placed), "forecasts are made of what is scored")? {
        same(&forecasts.len(), &placed.len(), "there is one forecast for each window", "forecasts")?;
    }
    let (own, other) = expected.split_at(expected.len() / 2);
    live(model, frame, frame.service(), own)?;
    live(model, frame, &stranger, other)
}

/// What is of another shape than the model.
fn refuses<P: Predictor + ?Sized>(model: &P, input: &Schema, observation: usize) -> Result<(), Breach> {
    let law = "windows of another shape are refused";
    let made = "windows of any shape can be made";
    let last_row = |rows: usize| [rows.saturating_sub(1) as u32];
    let mut metrics = input.metrics().to_vec();
    metrics.push(Metric::gauge("one more than the model knows"));
    let wider = works(Schema::new(metrics), made)?;
    let values = vec![0.0; observation * wider.len()];
    let ends = last_row(observation);
    let windows = works(Windows::new(&wider, &values, observation, &ends), made)?;
    holds(model.score(windows, &mut [Score::ZERO]).is_err(), law, || "one metric more is taken".to_owned())?;
    let values = vec![0.0; (observation + 1) * input.len()];
    let ends = last_row(observation + 1);
    let windows = works(Windows::new(input, &values, observation + 1, &ends), made)?;
    holds(model.score(windows, &mut [Score::ZERO]).is_err(), law, || "one row more is taken".to_owned())?;
    holds(model.score_one(&values).is_err(), law, || "one row more is taken by itself".to_owned())?;

    let missing = vec![f32::NAN; observation * input.len()];
    let ends = last_row(observation);
    let windows = works(Windows::new(input, &missing, observation, &ends), made)?;
    for count in [0, 2] {
        let law = "a wrong number of scores is refused";
        let refused = model.score(windows, &mut vec![Score::ZERO; count]).is_err();
        holds(refused, law, || format!("{count} for one window"))?;
    }
    works(model.score_all(windows), "a window without any sample is scored")?;
    let none = works(windows.slice(0..0), made)?;
    let scores = works(model.score_all(none), "no windows have no scores")?;
    same(&scores.len(), &0, "no windows have no scores", "scores")
}

fn score<P: Predictor + ?Sized>(model: &P, windows: Windows<'_>) -> Result<Vec<u32>, Breach> {
    let scores = works(model.score_all(windows), "windows of the model's shape are scored")?;
    same(&scores.len(), &windows.len(), "there is one score for each window", "scores")?;
    Ok(bits(&scores.iter().map(|score| score.get()).collect::<Vec<_>>()))
}

/// Live rows of a service against the scores of its windows.
fn live<P: Predictor + ?Sized>(
    model: &P,
    frame: FrameView<'_>,
    service: &str,
    expected: &[u32],
) -> Result<(), Breach> {
    let law = "live rows give the scores of a batch";
    let origin = Origin { service, ..Origin::from(frame) };
    let mut state = works(PredictorState::start(model, origin), law)?;
    for (row, sample) in rows_of(frame).enumerate() {
        if row == frame.rows() / 2 {
            let mut saved = Vec::new();
            works(state.save(&mut saved), law)?;
            state = works(PredictorState::start(model, origin), law)?;
            works(state.restore(&mut &saved[..]), law)?;
        }
        let pushed = works(state.push_at(frame.time(row), sample), law)?;
        let before = row.checked_sub(model.observation() - 1);
        let due = before.and_then(|window| expected.get(window)).copied();
        let found = pushed.result.map(|score| score.get().to_bits());
        same(&found, &due, law, &format!("row {row} of {service}"))?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{Envelope, ModelFileError, NestedReader, Save, WindowSpec};
    use forewarn_schema::{Frame, Step, Timestamp};

    /// Sums a window; each kind but the first breaks a law.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(crate) enum Kind {
        Right,
        TakesAnyShape,
        SeesTheBatch,
        FailsWithoutSamples,
        HasAnotherScoreForOne,
        ForgetsAWeight,
    }

    pub(crate) struct Sum {
        pub(crate) kind: Kind,
        pub(crate) schema: Schema,
        pub(crate) weight: f32,
    }

    impl Predictor for Sum {
        fn input(&self) -> &Schema {
            &self.schema
        }

        fn observation(&self) -> usize {
            3
        }

        fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
            if self.kind != Kind::TakesAnyShape {
                self.expect_shapes(windows, scores)?;
            }
            let batch = if self.kind == Kind::SeesTheBatch { windows.len() as f64 } else { 0.0 };
            for (index, (window, score)) in windows.iter().zip(scores).enumerate() {
                let service = windows.place(index).map_or(0, |(service, _)| service.len()) as f64;
                let known = window.iter().filter(|x| !x.is_nan());
                let sum: f64 = known.clone().map(|&x| f64::from(x * self.weight)).sum();
                if self.kind == Kind::FailsWithoutSamples && known.count() == 0 {
                    return Err(CoreError::NotFinite { what: "a window".to_owned() });
                }
                *score = Score::from_logit(sum / 100.0 + service / 10.0 + batch)?;
            }
            Ok(())
        }

        fn score_one(&self, window: &[f32]) -> Result<Score, CoreError> {
            self.expect_window(window)?;
            let mut score = self.score_all(Windows::new(&self.schema, window, 3, &[2])?)?[0];
            if self.kind == Kind::HasAnotherScoreForOne {
                score = Score::ZERO;
            }
            Ok(score)
        }

        fn as_save(&self) -> Option<&dyn Save> {
            Some(self)
        }
    }

    impl Save for Sum {
        fn to_envelope(&self, window: WindowSpec) -> Result<Envelope, ModelFileError> {
            if window.observation() != 3 {
                let (what, expected, got) = ("rows of a window", 3, window.observation());
                return Err(CoreError::LengthMismatch { what, expected, got }.into());
            }
            let weight = if self.kind == Kind::ForgetsAWeight { 1.0 } else { self.weight };
            Envelope::new("sum", self.schema.clone(), window).with_parameters(&weight)
        }
    }

    pub(crate) fn read(file: Envelope, _: &NestedReader<'_>) -> Result<Box<dyn Predictor>, ModelFileError> {
        let weight = serde_json::from_value(file.parameters);
        let weight: f32 = weight.map_err(|error| ModelFileError::not_a_model(error.to_string()))?;
        Ok(Box::new(Sum { kind: Kind::Right, schema: file.schema, weight }))
    }

    pub(crate) fn frame(rows: usize) -> Frame {
        let schema = Schema::new(["x", "y"].map(Metric::gauge).to_vec()).unwrap();
        let samples = (0..2 * rows).map(|i| if i % 7 == 3 { f32::NAN } else { (i * i % 23) as f32 });
        Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, samples.collect()).unwrap()
    }

    pub(crate) fn model(kind: Kind) -> Sum {
        Sum { kind, schema: frame(0).view().schema().clone(), weight: 0.3 }
    }

    #[test]
    fn predictors_that_break_a_law_are_found() {
        for rows in [0, 2, 3, 40] {
            assert_eq!(predictor(&model(Kind::Right), frame(rows).view()), Ok(()), "{rows} rows");
        }
        for (wrong, law) in [
            (Kind::TakesAnyShape, "another shape"),
            (Kind::SeesTheBatch, "on no other window"),
            (Kind::FailsWithoutSamples, "without any sample"),
            (Kind::HasAnotherScoreForOne, "one window has the score"),
        ] {
            let breach = predictor(&model(wrong), frame(40).view()).unwrap_err();
            assert!(breach.law.contains(law), "{wrong:?}: {breach}");
        }
    }
}
