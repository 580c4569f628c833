//! A program with a model of its own, shared by many services: rows by time, gaps and late rows included.

use forewarn::{
    core::{CoreError, Origin, PredictorState, RowsState, Windows},
    prelude::*,
};
use std::{error::Error, sync::Arc};

/// The share of a window's rows in which the latency was above 200 ms.
struct SlowShare(Schema);

impl Predictor for SlowShare {
    fn input(&self) -> &Schema {
        &self.0
    }

    fn observation(&self) -> usize {
        5
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        for (window, score) in windows.iter().zip(scores) {
            let slow = window.iter().filter(|&&latency| latency > 200.0).count();
            *score = Score::new(slow as f32 / window.len() as f32)?;
        }
        Ok(())
    }
}

/// An hour of one service, in which every seventh row is missing.
fn hour(seed: usize) -> Vec<f32> {
    let latency = |minute: usize| if minute % 7 == 3 { f32::NAN } else { (minute * seed * 37 % 400) as f32 };
    (0..60).map(latency).collect()
}

#[test]
fn live_rows_of_many_services_score_as_a_batch_does() -> Result<(), Box<dyn Error>> {
    let schema = Schema::new(vec![Metric::gauge("latency")])?;
    // One model, and a small state for each service.
    let model = Arc::new(SlowShare(schema.clone()));
    for (service, seed) in [("cart", 3), ("shop", 11)] {
        let rows = hour(seed);
        let frame = Frame::new(service, schema.clone(), Timestamp::EPOCH, Step::MINUTE, rows.clone())?;
        let frames = FrameSet::from_frames(vec![frame.clone()])?;
        let ends: Vec<u32> = (4..60).collect();
        let batch = model.score_all(Windows::new(&schema, frames.values(), model.observation(), &ends)?)?;

        let origin = Origin { service, start: Timestamp::EPOCH, step: Step::MINUTE };
        let mut live = PredictorState::start(Arc::clone(&model), origin)?;
        let (mut scores, mut missing) = (Vec::new(), 0);
        for (row, latency) in rows.iter().enumerate().filter(|(_, latency)| !latency.is_nan()) {
            // The row before may never have come: nobody has to fill it in.
            let pushed = live.push_at(frame.view().time(row), &[*latency])?;
            missing += pushed.missing_rows;
            scores.extend(pushed.result.map(|score| (row, score)));
        }
        assert_eq!(missing, 8, "rows 3, 10, ... of 59 rows");
        assert_eq!(scores.len(), 51 - 3);
        for (row, score) in scores {
            assert_eq!(score.get().to_bits(), batch[row - 4].get().to_bits(), "{service}, row {row}");
        }
        // A row that is late is refused, and changes nothing.
        assert!(live.push_at(frame.view().time(10), &[0.0]).is_err());
    }
    assert_eq!(Arc::strong_count(&model), 1);
    Ok(())
}

#[test]
fn a_saved_state_goes_on_as_if_it_had_not_stopped() -> Result<(), Box<dyn Error>> {
    let schema = Schema::new(vec![Metric::gauge("latency")])?;
    let origin = Origin { service: "shop", start: Timestamp::EPOCH, step: Step::MINUTE };
    let start = || RowsState::start(&schema, 5, origin);
    let time = |row| Timestamp::EPOCH.checked_add(Step::MINUTE, row).ok_or("on the calendar");
    let mut whole = start()?;
    for (row, latency) in (0..30).zip(hour(11)) {
        whole.push_at(time(row)?, &[latency])?;
    }
    let mut saved = Vec::new();
    whole.save(&mut saved)?;
    let mut successor = start()?;
    successor.restore(&mut &saved[..])?;
    for (row, latency) in (30..60).zip(hour(5)) {
        let both = [&mut whole, &mut successor].map(|state| -> Result<Vec<u32>, CoreError> {
            state.push_at(Timestamp::EPOCH.checked_add(Step::MINUTE, row).expect("early"), &[latency])?;
            let window = state.window().and_then(|windows| windows.get(0)).unwrap_or_default();
            Ok(window.iter().map(|value| value.to_bits()).collect())
        });
        let [whole, successor] = both;
        let whole = whole?;
        assert_eq!(whole.len(), 5);
        assert_eq!(whole, successor?);
    }
    Ok(())
}
