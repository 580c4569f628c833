//! Whatever is exported, in either encoding, reading it ends in an error or in points, not more than its bytes can
//! hold.
//!
//! `cargo +nightly fuzz run otlp fuzz/corpus/otlp crates/forewarn-prometheus/tests/seeds/otlp -- -max_total_time=600`

#![no_main]

use forewarn_prometheus::{CounterState, Limits, OtlpEncoding, OtlpValue, Sample, read_otlp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for encoding in [OtlpEncoding::Protobuf, OtlpEncoding::Json] {
        let Ok(metrics) = read_otlp(body, encoding, &Limits::default()) else { continue };
        let mut points = 0;
        for metric in &metrics.metrics {
            let (mut counter, mut before) = (CounterState::default(), None);
            for point in &metric.points {
                points += 1;
                match &point.value {
                    OtlpValue::Sum { value, .. } => {
                        counter.push(Sample { time: point.time, value: *value }, point.start);
                    }
                    OtlpValue::Histogram { histogram, .. } => {
                        let _ = histogram.quantile(0.99);
                        if let Some(before) = before.replace(histogram) {
                            let _ = histogram.since(before);
                        }
                    }
                    _ => {}
                }
            }
        }
        assert!(points <= body.len() / 2);
    }
});
