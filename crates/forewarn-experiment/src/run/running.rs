//! Scores by states that run on, for a recurrent model whose scores of windows are known beside them.

use forewarn_core::{CoreError, Samples, Score, Stateful};
use forewarn_schema::FrameSet;

/// For each sample the score, at its window's last row, of a state that has seen every row of its service so far,
/// from the first of the frame.
pub(crate) fn scores(
    model: &dyn Stateful,
    samples: &Samples,
    frames: &FrameSet,
) -> Result<Vec<Score>, CoreError> {
    samples.on(frames)?.windows().expect(model.input(), model.observation())?;
    let mut scores = Vec::with_capacity(samples.len());
    let mut wanted = samples.rows().iter().map(|&row| row as usize).peekable();
    for place in frames.layout().services() {
        let (mut state, mut score) = (model.start_state(place.name()), None);
        let mut seen = place.rows().start;
        while let Some(row) = wanted.next_if(|row| place.rows().contains(row)) {
            let width = frames.schema().len();
            for values in frames.values()[seen * width..(row + 1) * width].chunks_exact(width) {
                score = state.step(values)?;
            }
            seen = row + 1;
            // A sample's window is whole, so that a state that began with the frame has seen as many rows.
            scores.push(score.ok_or(CoreError::WindowOutOfBounds {
                observation: model.observation(),
                last_row: row,
                rows: seen,
            })?);
        }
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::{Estimator, Predictor, Silent, Target, WindowSpec};
    use forewarn_label::{ThresholdRule, label};
    use forewarn_recurrent::{Recurrent, Settings};
    use forewarn_sim::StressWalk;
    use forewarn_window::{Fractions, chronological};

    #[test]
    fn each_score_is_that_of_all_rows_of_the_service_so_far() {
        let frame = |name: &str, seed| StressWalk::new(5000, seed).with_service(name).run().unwrap().frame;
        let frames = FrameSet::from_frames(vec![frame("a", 1), frame("b", 2)]).unwrap();
        let labels = label(&frames, &ThresholdRule::v1(), WindowSpec::default(), Target::Onset).unwrap();
        let split = chronological(&labels, Fractions::default()).unwrap();
        let settings =
            Settings { hidden: 4, max_epochs: 1, service_embedding: Some(2), seed: 7, ..Settings::default() };
        let (train, validation) =
            (split.train().on(&frames).unwrap(), split.validation().on(&frames).unwrap());
        let model = Recurrent::new(settings).unwrap().fit(train, validation, &mut Silent).unwrap();

        let test = split.test();
        assert!(test.excluded().total() > 0, "rows that no window ends in are seen as well");
        let scores = scores(&model, test, &frames).unwrap();
        let mut by_hand = Vec::new();
        for (service, view) in ["a", "b"].into_iter().zip(frames.frames()) {
            let mut state = model.start_for(service);
            by_hand.extend(view.values().chunks_exact(10).map(|row| model.step(&mut state, row).unwrap()));
        }
        let by_hand: Option<Vec<_>> = test.rows().iter().map(|&row| by_hand[row as usize]).collect();
        assert_eq!(Some(scores), by_hand);

        // After as many rows as a window has, a state knows what the window holds, bit for bit.
        let first = labels.samples(|_, _| true).select(&[0]).unwrap();
        assert_eq!(first.rows(), [9]);
        let window = model.score_all(first.on(&frames).unwrap().windows()).unwrap();
        assert_eq!(super::scores(&model, &first, &frames).unwrap(), window);
    }
}
