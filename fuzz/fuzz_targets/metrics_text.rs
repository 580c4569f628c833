//! Whatever is in a text of metrics, in any shape, reading it ends in an error or in frames, and a look without
//! values agrees with them.
//!
//! `cargo +nightly fuzz run metrics_text fuzz/corpus/metrics_text fuzz/seeds_text -- -max_total_time=600`

#![no_main]

use forewarn_io::{Duplicates, ReadOptions, Shape, inspect_from, read_from};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    // The first byte chooses the settings.
    let Some((choice, text)) = file.split_first() else { return };
    let shapes = [Shape::Auto, Shape::Records, Shape::Long, Shape::Wide];
    let duplicates = [Duplicates::Error, Duplicates::First, Duplicates::Last, Duplicates::Mean];
    let mut options = ReadOptions::default().with_metric("m").with_counters(["x"]).with_outcome_equals("0");
    options.shape = shapes[usize::from(choice & 3)];
    options.duplicates = duplicates[usize::from(choice >> 2 & 3)];
    if choice & 16 != 0 {
        options = options.with_timezone("Europe/Berlin");
    }
    if choice & 32 != 0 {
        options = options.with_outcome_column("failure");
    }
    let whole = read_from(text, "text", &options);
    let look = inspect_from(text, "text", &options);
    match (whole, look) {
        (Ok(whole), Ok(look)) => {
            assert_eq!(whole.summary.rows, look.rows);
            assert_eq!(whole.summary.services.len(), look.services.len());
            assert_eq!(whole.frames.layout().rows() as u64, {
                let rows = whole.summary.services.iter().map(|service| service.end.millis() - service.start.millis());
                rows.map(|millis| (millis / whole.summary.step.millis()) as u64).sum::<u64>()
            });
        }
        (Err(_), _) => {}
        (Ok(_), Err(error)) => panic!("frames could be read, and a look says: {error}"),
    }
});
