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

/// A value within `range` that a rule with these limits has to tell apart: a limit itself, its next neighbours among
/// the numbers, a little and a lot more or less; one time in four any [`value`] of the range; NaN one time in
/// `missing_one_in`.
pub fn value_near(
    range: ValidRange,
    limits: &[f32],
    missing_one_in: u32,
) -> impl Strategy<Value = f32> + use<> {
    let around = |&limit: &f32| {
        let (little, lot) = ((limit.abs() / 8.0).max(f32::MIN_POSITIVE), limit.abs().max(1.0));
        [
            limit,
            limit.next_up(),
            limit.next_down(),
            limit + little,
            limit - little,
            limit + lot,
            limit - lot,
            0.0,
        ]
    };
    let near: Vec<f32> = limits.iter().flat_map(around).filter(|&value| range.contains(value)).collect();
    let known = if near.is_empty() {
        value(range, u32::MAX).boxed()
    } else {
        prop_oneof![3 => proptest::sample::select(near), 1 => value(range, u32::MAX)].boxed()
    };
    prop_oneof![1 => Just(f32::NAN), missing_one_in.max(2) - 1 => known]
}

/// A frame of `schema` with 0 to `max_rows` rows, one value in twenty missing.
pub fn frame(service: impl Into<String>, schema: Schema, max_rows: usize) -> impl Strategy<Value = Frame> {
    let row: Vec<_> = schema.metrics().iter().map(|metric| value(metric.range, 20).boxed()).collect();
    frame_of(service.into(), schema, vec(row, 0..=max_rows))
}

/// A frame on which a rule has something to find: values [near](value_near) its limits, one in ten missing, in runs
/// of up to five equal rows, 0 to `max_rows` in all. `limits` are pairs of a metric and a limit, in any order; a
/// metric may have several, or none.
///
/// ```
/// use forewarn_schema::{Metric, Schema, strategies};
/// use proptest::{strategy::{Strategy, ValueTree}, test_runner::TestRunner};
///
/// let schema = Schema::new(vec![Metric::gauge("depth"), Metric::gauge("workers")])?;
/// let frames = strategies::frame_near("queue", schema, &[("depth", 360.0)], 200);
/// let frame = frames.new_tree(&mut TestRunner::deterministic()).unwrap().current();
/// assert!(frame.view().rows() <= 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn frame_near<N: AsRef<str>, S: Into<String>>(
    service: S,
    schema: Schema,
    limits: &[(N, f32)],
    max_rows: usize,
) -> impl Strategy<Value = Frame> + use<N, S> {
    let row: Vec<_> = schema
        .metrics()
        .iter()
        .map(|metric| {
            let own = limits.iter().filter(|(name, _)| name.as_ref() == metric.name);
            value_near(metric.range, &own.map(|&(_, limit)| limit).collect::<Vec<_>>(), 10).boxed()
        })
        .collect();
    let runs = vec((row, 1usize..=5), 0..=max_rows).prop_map(move |runs| {
        let rows = runs.into_iter().flat_map(|(row, times)| std::iter::repeat_n(row, times));
        rows.take(max_rows).collect()
    });
    frame_of(service.into(), schema, runs)
}

fn frame_of(
    service: String,
    schema: Schema,
    rows: impl Strategy<Value = Vec<Vec<f32>>>,
) -> impl Strategy<Value = Frame> {
    (minute(), rows).prop_map(move |(start, rows)| {
        Frame::new(service.as_str(), schema.clone(), start, Step::MINUTE, rows.concat())
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
