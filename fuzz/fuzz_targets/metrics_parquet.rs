//! Whatever is in a Parquet file, reading it ends in an error or in frames, whole and as a stream.
//!
//! `cargo +nightly fuzz run metrics_parquet fuzz/corpus/metrics_parquet fuzz/seeds_parquet -- -max_total_time=600`

#![no_main]

use forewarn_core::FrameStream;
use forewarn_io::{ReadOptions, parquet};
use libfuzzer_sys::fuzz_target;
use std::sync::Once;

/// Panics of the decoder, of which the reader makes errors, are no find. The fuzzer's own hook would end at them; one
/// that nobody catches still ends it.
static USUAL_HOOK: Once = Once::new();

fuzz_target!(|file: &[u8]| {
    USUAL_HOOK.call_once(|| drop(std::panic::take_hook()));
    let path = std::env::temp_dir().join(format!("forewarn-fuzz-{}.parquet", std::process::id()));
    std::fs::write(&path, file).expect("the folder for temporary files can be written to");
    let options = ReadOptions::default();
    let whole = parquet::read(&path, &options);
    if let Ok(mut stream) = parquet::ParquetStream::open(&path, &options) {
        let mut rows = 0;
        let ended = loop {
            match stream.next_piece() {
                Ok(Some(piece)) => rows += piece.rows.len(),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        if let (true, Ok(whole)) = (ended, &whole) {
            assert_eq!((whole.frames.layout().rows(), &whole.summary), (rows, stream.summary()));
        }
    }
});
