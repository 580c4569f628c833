//! Whatever a server answers, reading it ends in an error or in samples that can be placed.
//!
//! `cargo +nightly fuzz run query_answer fuzz/corpus/query_answer crates/forewarn-prometheus/tests/seeds/query_answer`

#![no_main]

use forewarn_prometheus::{
    Limits, Placed, ServiceLabels, read_build_info, read_metadata, read_names, read_query,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let limits = Limits::default();
    let _ = read_names(body, &limits);
    let _ = read_metadata(body, &limits);
    if let Ok(build) = read_build_info(body, &limits) {
        let _ = build.data.flavour();
    }
    match read_query(body, &limits) {
        Ok(answer) => {
            let Ok(series) = answer.data.into_series() else { return };
            for histogram in series.iter().flat_map(|one| &one.histograms) {
                let _ = histogram.quantile(0.99);
            }
            let mut placed = Placed::default();
            placed.add(&series, &ServiceLabels::new(["job"]), 0);
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 4_000 && !message.contains(|c: char| c.is_control()), "{message:?}");
        }
    }
});
