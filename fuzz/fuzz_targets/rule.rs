//! Whatever is in a failure rule, as a sentence, TOML or JSON, reading it ends in an error or in a rule that can be
//! written and read again, and that judges any row.
//!
//! `cargo +nightly fuzz run rule fuzz/corpus/rule fuzz/seeds_rule -- -max_total_time=600`

#![no_main]

use forewarn_core::FailureRule;
use forewarn_label::Rule;
use forewarn_schema::{Frame, Metric, Schema, Step, Timestamp};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

const ROWS: usize = 40;

/// Two metrics of one service, with gaps, zeros and large values.
fn frame() -> &'static Frame {
    static FRAME: OnceLock<Frame> = OnceLock::new();
    FRAME.get_or_init(|| {
        let schema = Schema::new(vec![Metric::gauge("a"), Metric::gauge("b")]).expect("two names");
        let value = |cell: usize| match cell % 13 {
            0 | 1 => 0.0,
            5 => f32::NAN,
            7 => 1e30,
            other => (other as f32) / 16.0,
        };
        let values = (0..2 * ROWS).map(value).collect();
        Frame::new("web", schema, Timestamp::EPOCH, Step::MINUTE, values).expect("whole rows")
    })
}

fuzz_target!(|text: &str| {
    for rule in [text.parse::<Rule>(), Rule::from_toml(text), Rule::from_json(text)].into_iter().flatten() {
        let json = serde_json::to_string(&rule).expect("a rule can be written");
        assert_eq!(Rule::from_json(&json).expect("a rule that was written can be read"), rule);
        let sentence = rule.to_string();
        assert!(!sentence.is_empty());
        let _ = rule.assess(frame().view());
    }
});
