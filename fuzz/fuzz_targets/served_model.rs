//! Whatever is in a model file of any kind, with or without the features before it, reading it ends in an error or in a
//! model that scores any row.
//!
//! `cargo +nightly fuzz run served_model fuzz/corpus/served_model fuzz/seeds_model -- -max_total_time=600`

#![no_main]

use forewarn_core::{Envelope, Windows};
use forewarn_live::{ServedModel, standard_registry};
use forewarn_schema::Timestamp;
use libfuzzer_sys::fuzz_target;

const ROWS: i64 = 40;
/// Longer windows than this are not scored: they are rows of the same steps, and take their time.
const LONGEST: usize = 64;

fuzz_target!(|file: &[u8]| {
    // Alone, without what makes its rows.
    if let Ok(model) = Envelope::from_bytes(file).and_then(|envelope| standard_registry().predictor(envelope)) {
        let (width, steps) = (model.input().len(), model.observation());
        if steps <= LONGEST && width <= 1024 {
            let value = |i: usize| if i % 11 == 7 { f32::NAN } else { (i % 7) as f32 * 0.5 - 1.5 };
            let rows: Vec<f32> = (0..(steps + 1) * width).map(value).collect();
            let ends = [steps as u32 - 1, steps as u32];
            let windows = Windows::new(model.input(), &rows, steps, &ends).expect("as many rows");
            let _ = model.score_all(windows);
        }
    }
    let Ok(model) = ServedModel::read(file) else { return };
    let Ok(mut service) = model.start("web", Timestamp::EPOCH) else { return };
    for row in 0..ROWS {
        let Some(time) = Timestamp::EPOCH.checked_add(model.step(), row) else { return };
        let value = |place: usize| if (place + row as usize) % 11 == 7 { f32::NAN } else { 0.25 * (place % 3) as f32 };
        let values: Vec<f32> = (0..model.metrics().len()).map(value).collect();
        let _ = model.push_at(&mut service, time, &values);
        let _ = model.far_from_training(&values, 10.0);
    }
});
