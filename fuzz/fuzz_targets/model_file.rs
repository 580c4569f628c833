//! Whatever is in a model file, reading it ends in an error or in a model that scores.
//!
//! `cargo +nightly fuzz run model_file fuzz/corpus/model_file fuzz/seeds -- -max_total_time=600`

#![no_main]

use forewarn_core::{Envelope, Predictor, WindowSpec, Windows};
use forewarn_recurrent::{Checkpoint, RecurrentModel};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let _ = Checkpoint::read(file);
    let Ok(envelope) = Envelope::from_bytes(file) else { return };
    let window: WindowSpec = envelope.window;
    let Ok(model) = RecurrentModel::from_envelope(envelope) else { return };
    let saved = model.to_envelope(window).expect("a model that was read can be written");
    assert!(RecurrentModel::from_envelope(saved).is_ok_and(|again| again == model));
    let mut state = model.start();
    let row = vec![0.5; model.input().len()];
    let score = model.step(&mut state, &row).expect("a model that was read scores a row");
    if model.observation() == 1 {
        let windows = Windows::new(model.input(), &row, 1, &[0]).expect("one row");
        assert_eq!(model.score_all(windows).expect("a model that was read scores a window"), [score]);
    }
});
