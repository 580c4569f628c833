//! Strategies for property tests: schemas, frames and episodes of any shape.

use crate::{Episode, Episodes, Frame, Metric, Schema, Step, Timestamp, ValidRange};
use proptest::{collection::vec, prelude::*};

/// A schema of 1 to `max_metrics` gauges named `m0`, `m1`, ...
pub fn schema(max_metrics: usize) -> impl Strategy<Value = Schema> {
    (1..=max_metrics.max(1)).prop_map(|count| {
        Schema::new((0..count).map(|i| Metric::gauge(format!("m{i}"))).collect()).expect("names differ")
    })
}

/// A minute in the years 2000 to 2100.
pub fn minute() -> impl Strategy<Value = Timestamp> {
    (15_778_080i64..68_374_080)
        .prop_map(|minute| Timestamp::from_millis(minute * 60_000).expect("within the calendar"))
}

/// A value within `range`, or NaN one time in `missing_one_in`.
pub fn value(range: ValidRange, missing_one_in: u32) -> impl Strategy<Value = f32> {
    let (min, max) = (range.min().max(-1e6), range.max().min(1e6));
    prop_oneof![1 => Just(f32::NAN), missing_one_in.max(2) - 1 => min..=max]
}

/// A frame of `schema` with 0 to `max_rows` rows, one value in twenty missing.
pub fn frame(service: &'static str, schema: Schema, max_rows: usize) -> impl Strategy<Value = Frame> {
    let row: Vec<_> = schema.metrics().iter().map(|metric| value(metric.range, 20).boxed()).collect();
    (minute(), vec(row, 0..=max_rows)).prop_map(move |(start, rows)| {
        Frame::new(service, schema.clone(), start, Step::MINUTE, rows.concat())
            .expect("values are within range")
    })
}

/// Up to `max_episodes` disjoint episodes after `start`, each at most an hour long and an hour apart.
pub fn episodes(start: Timestamp, max_episodes: usize) -> impl Strategy<Value = Episodes> {
    vec((1i64..60, 0i64..30, 1i64..30), 0..=max_episodes).prop_map(move |parts| {
        let at = |minute: i64| start.checked_add(Step::MINUTE, minute).expect("within the calendar");
        let mut now = 0;
        let episodes = parts.into_iter().map(|(gap, confirm, rest)| {
            let (onset, confirmed) = (now + gap, now + gap + confirm);
            now = confirmed + rest;
            Episode::new(at(onset), at(confirmed), at(now)).expect("in order")
        });
        Episodes::new(episodes.collect()).expect("disjoint")
    })
}
