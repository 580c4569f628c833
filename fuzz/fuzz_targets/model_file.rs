//! Whatever is in a model file, reading it ends in an error or in a model that scores, the same by windows, by a
//! state and in a fleet.
//!
//! `cargo +nightly fuzz run model_file fuzz/corpus/model_file crates/forewarn-recurrent/tests/seeds -- -max_total_time=600`

#![no_main]

use forewarn_core::{Envelope, Predictor, Save, Score, WindowSpec, Windows};
use forewarn_recurrent::{Checkpoint, RecurrentModel};
use libfuzzer_sys::fuzz_target;

/// Longer windows than this are not scored: they are rows of the same steps, and take their time.
const LONGEST: usize = 16;

fuzz_target!(|file: &[u8]| {
    let _ = Checkpoint::read(file);
    let Ok(envelope) = Envelope::from_bytes(file) else { return };
    let window: WindowSpec = envelope.window;
    let Ok(model) = RecurrentModel::from_envelope(envelope) else { return };
    let saved = model.to_envelope(window).expect("a model that was read can be written");
    assert!(RecurrentModel::from_envelope(saved).is_ok_and(|again| again == model));

    let (width, steps) = (model.input().len(), model.observation().min(LONGEST));
    // One row more than a window, with a value missing here and there.
    let value = |i: usize| if i % 11 == 7 { f32::NAN } else { (i % 7) as f32 * 0.5 - 1.5 };
    let rows: Vec<f32> = (0..(steps + 1) * width).map(value).collect();
    let by_state = states(&model, &rows);
    assert_eq!(by_state, fleet(&model, &rows));
    if model.observation() == steps {
        let ends = [steps as u32 - 1, steps as u32];
        let windows = Windows::new(model.input(), &rows, steps, &ends).expect("as many rows");
        let scores = model.score_all(windows).expect("a model that was read scores windows");
        assert_eq!(Some(scores[0]), by_state[steps - 1]);
        // Alone, a window shares no rows with another.
        let second = windows.slice(1..2).expect("two windows");
        assert_eq!(scores[1..], model.score_all(second).expect("a model that was read scores a window"));
    }
});

/// Scores of a stream of rows, by a state that is saved and restored before each.
fn states(model: &RecurrentModel, rows: &[f32]) -> Vec<Option<Score>> {
    let mut state = model.start();
    let score = |row: &[f32]| {
        state = model.restore(&state.save()).expect("a state of this model");
        model.step(&mut state, row).expect("a model that was read scores a row")
    };
    rows.chunks_exact(model.input().len()).map(score).collect()
}

/// The same by the last of three streams of a fleet, of which the others see other rows.
fn fleet(model: &RecurrentModel, rows: &[f32]) -> Vec<Option<Score>> {
    let mut fleet = model.fleet(["", "a", "no service of a model is called so"]);
    let score = |row: &[f32]| {
        let rows = [vec![0.0; row.len()], row.iter().map(|value| -value).collect(), row.to_vec()].concat();
        let mut scores = [None; 3];
        model.step_fleet(&mut fleet, &rows, &mut scores).expect("its own fleet");
        scores[2]
    };
    rows.chunks_exact(model.input().len()).map(score).collect()
}
