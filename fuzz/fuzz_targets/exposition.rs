//! Whatever a target exports, reading it ends in an error or in entries; samples without a time are read again from
//! what is written of them.
//!
//! `cargo +nightly fuzz run exposition fuzz/corpus/exposition fuzz/seeds_prometheus/exposition -- -max_total_time=600`

#![no_main]

use forewarn_prometheus::{Entry, ExpositionWriter, FamilyKind, Limits, NAME, TextFormat, read_exposition};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    for format in [TextFormat::Prometheus, TextFormat::OpenMetrics] {
        let mut samples = Vec::new();
        let _ = read_exposition(text, format, &Limits::default(), |entry| {
            if let Entry::Sample(sample) = entry {
                samples.push(sample);
            }
            Ok(())
        });
        let mut writer = ExpositionWriter::new(format);
        writer.family("x", FamilyKind::Gauge, None, "").expect("a name");
        for sample in &samples {
            let labels = sample.labels.iter().filter(|(name, _)| *name != NAME);
            writer.sample("", labels, sample.value, None).expect("labels that were read");
        }
        let mut again = Vec::new();
        // Escapes and quotes make a line longer than the one that it was read from.
        let limits = Limits { max_line_bytes: 1 << 20, ..Limits::default() };
        read_exposition(writer.finish().as_bytes(), format, &limits, |entry| {
            if let Entry::Sample(sample) = entry {
                again.push(sample);
            }
            Ok(())
        })
        .expect("what was written can be read");
        assert_eq!(again.len(), samples.len());
        for (one, other) in again.iter().zip(&samples) {
            assert_eq!(one.labels.without(NAME), other.labels.without(NAME));
            assert!(one.value == other.value || (one.value.is_nan() && other.value.is_nan()));
        }
    }
});
