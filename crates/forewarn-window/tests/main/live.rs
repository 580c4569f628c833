//! Live rows of a service: the windows of a batch, rows that never come, and states that are saved on the way.

use crate::support::labels;
use forewarn_core::{CoreError, Origin, WindowSpec, Windows};
use forewarn_schema::{Frame, FrameSet, Metric, Schema, Step, Timestamp};
use forewarn_window::{
    BoundPipeline, Deltas, Ewma, Features, Fractions, Normalisation, Pipeline, Rolling, Scope,
    SeasonalResidual, Statistic, WindowState, chronological,
};

const OBSERVATION: usize = 4;

/// Two services of noise; every eleventh row is missing, and an hour of the second.
fn frames() -> FrameSet {
    let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
    let frame = |(name, start): (&str, &str)| {
        let cell = |cell: usize| {
            let (row, noise) =
                (cell / 2, ((cell as u32 + 7).wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0);
            let is_missing = row % 11 == 3 || name == "b" && (100..160).contains(&row);
            if is_missing { f32::NAN } else { noise }
        };
        let values = (0..2 * 600).map(cell).collect();
        Frame::new(name, schema.clone(), start.parse().unwrap(), Step::MINUTE, values).unwrap()
    };
    FrameSet::from_frames([("a", "2024-01-01T05:30:00Z"), ("b", "2024-01-01T00:00:00Z")].map(frame).into())
        .unwrap()
}

fn pipeline(frames: &FrameSet, scope: Scope) -> Pipeline {
    let labels = labels(frames, WindowSpec::new(OBSERVATION, 0, 5).unwrap());
    let split = chronological(&labels, Fractions::default()).unwrap();
    let features = Features::default()
        .with(Deltas::default().with_steps(3).unwrap())
        .with(Ewma::half_life(3.0).unwrap())
        .with(SeasonalResidual::new(60).unwrap())
        .with(Rolling::new(Statistic::Std, 7).unwrap());
    Pipeline::fit(features, split.train(), frames, Normalisation::ZScore, scope, 1).unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The state after it was saved and restored into a fresh one.
fn restarted(bound: &BoundPipeline, origin: Origin<'_>, live: &WindowState) -> WindowState {
    let mut saved = vec![9];
    live.save(&mut saved).unwrap();
    saved.push(8);
    // Where it starts is of no matter: when the next row is due was saved.
    let start = Timestamp::EPOCH;
    let mut fresh = bound.start(Origin { start, ..origin }).unwrap();
    let mut from = &saved[1..];
    fresh.restore(&mut from).unwrap();
    assert_eq!((from, fresh.next(), fresh.service()), (&[8][..], live.next(), origin.service));
    fresh
}

#[test]
fn live_windows_are_those_of_a_batch_with_their_service_and_time() {
    let frames = frames();
    for scope in [Scope::Service, Scope::Global] {
        let pipeline = pipeline(&frames, scope);
        let made = pipeline.apply(&frames).unwrap();
        let width = made.schema().len();
        let bound = pipeline.bind(frames.schema(), OBSERVATION).unwrap();
        for (index, frame) in frames.frames().enumerate() {
            let mut live = bound.start(frame.into()).unwrap();
            let rows = made.layout().services()[index].rows();
            let mut missing = 0;
            for row in 0..frame.rows() {
                if row % 101 == 100 {
                    live = restarted(&bound, frame.into(), &live);
                }
                let sample = frame.row(row).unwrap();
                // Rows of which nothing is known never come.
                if sample.iter().all(|value| value.is_nan()) {
                    missing += 1;
                    continue;
                }
                let pushed = live.push_at(frame.time(row), sample).unwrap();
                assert_eq!((pushed.missing_rows, pushed.restarted), (missing, false));
                missing = 0;
                assert_eq!(pushed.result.is_some(), row + 1 >= OBSERVATION);
                let Some(window) = pushed.result else { continue };
                let last_row = [(rows.start + row) as u32];
                let batch = Windows::new(made.schema(), made.values(), OBSERVATION, &last_row).unwrap();
                let batch = batch.with_layout(made.layout());
                assert_eq!(window.schema(), batch.schema());
                assert_eq!(
                    bits(window.get(0).unwrap()),
                    bits(batch.get(0).unwrap()),
                    "{row} of {width} columns"
                );
                assert_eq!(window.place(0), batch.place(0));
                assert_eq!(window.place(0), Some((frame.service(), frame.time(row))));
            }
        }
    }
}

#[test]
fn a_service_that_was_silent_too_long_begins_again() {
    let frames = frames();
    let bound = pipeline(&frames, Scope::Global).bind(frames.schema(), OBSERVATION).unwrap();
    let frame = frames.frame(0).unwrap();
    let start = |time| bound.start(Origin { service: "a", start: time, step: Step::MINUTE }).unwrap();
    let (mut live, mut fresh) = (start(frame.start()).with_longest_gap(20), start(frame.time(50)));
    for row in 0..10 {
        live.push_at(frame.time(row), frame.row(row).unwrap()).unwrap();
    }
    for row in 50..70 {
        let pushed = live.push_at(frame.time(row), frame.row(row).unwrap()).unwrap();
        assert_eq!((pushed.missing_rows, pushed.restarted), if row == 50 { (40, true) } else { (0, false) });
        let window = pushed.result.map(|window| (bits(window.get(0).unwrap()), window.place(0)));
        let expected = fresh.push_at(frame.time(row), frame.row(row).unwrap()).unwrap().result;
        assert_eq!(window, expected.map(|window| (bits(window.get(0).unwrap()), window.place(0))));
    }
}

#[test]
fn what_is_refused_leaves_a_service_as_it_was() {
    let frames = frames();
    let bound = pipeline(&frames, Scope::Service).bind(frames.schema(), OBSERVATION).unwrap();
    let frame = frames.frame(0).unwrap();
    let mut live = bound.start(frame.into()).unwrap();
    for row in 0..6 {
        live.push_at(frame.time(row), &[row as f32, 1.0]).unwrap();
    }
    let saved = |live: &WindowState| {
        let mut bytes = Vec::new();
        live.save(&mut bytes).unwrap();
        bytes
    };
    let before = saved(&live);
    let half_past = Timestamp::from_millis(frame.time(6).millis() + 30_000).unwrap();
    let text = |live: &mut WindowState, time, row: &[f32]| live.push_at(time, row).unwrap_err().to_string();
    assert_eq!(
        text(&mut live, frame.time(5), &[1.0, 1.0]),
        "a: the row at 2024-01-01T05:35:00Z is late or repeated: the next one is due at 2024-01-01T05:36:00Z"
    );
    assert!(text(&mut live, half_past, &[1.0, 1.0]).contains("is not on the clock"));
    assert!(text(&mut live, frame.time(6), &[1.0]).contains("a row has 1 values"));
    assert!(
        text(&mut live, frame.time(9), &[1.0, f32::INFINITY])
            .starts_with("a at 2024-01-01T05:39:00Z: y is inf")
    );
    assert_eq!(saved(&live), before);

    // Damage anywhere is seen, and a state of other settings is refused by name.
    for at in 0..before.len() {
        let mut changed = before.clone();
        changed[at] ^= 0x10;
        for mut bytes in [&changed[..], &before[..at]] {
            assert!(live.restore(&mut bytes).is_err(), "byte {at}");
        }
    }
    let other_length = pipeline(&frames, Scope::Service).bind(frames.schema(), OBSERVATION + 1).unwrap();
    let other_scope = pipeline(&frames, Scope::Global).bind(frames.schema(), OBSERVATION).unwrap();
    let other_service = Origin { service: "b", ..frame.into() };
    let other_step = Origin { step: Step::from_millis(30_000).unwrap(), ..frame.into() };
    for mut other in [
        other_length.start(frame.into()).unwrap(),
        other_scope.start(frame.into()).unwrap(),
        bound.start(other_service).unwrap(),
        bound.start(other_step).unwrap(),
    ] {
        let fresh = saved(&other);
        assert!(matches!(other.restore(&mut &before[..]), Err(CoreError::ForeignState { .. })));
        assert_eq!(saved(&other), fresh);
    }
    assert_eq!(saved(&live), before);
}

/// What a live service needs beside its window of 10 rows: the figure that the documentation gives for the default
/// features.
#[test]
fn the_state_of_default_features_is_small() {
    let schema = Schema::v1();
    let frame = Frame::new("s", schema.clone(), Timestamp::EPOCH, Step::MINUTE, vec![0.5; 10 * 400]).unwrap();
    let frames = FrameSet::from_frames(vec![frame]).unwrap();
    let labels = labels(&frames, WindowSpec::default());
    let split = chronological(&labels, Fractions::default()).unwrap();
    let pipeline =
        Pipeline::fit(Features::default(), split.train(), &frames, Normalisation::ZScore, Scope::Service, 1)
            .unwrap();
    let frame = frames.frame(0).unwrap();
    let mut live = pipeline.bind(&schema, 10).unwrap().start(frame.into()).unwrap();
    for row in 0..30 {
        live.push_at(frame.time(row), frame.row(row).unwrap()).unwrap();
    }
    let mut saved = Vec::new();
    live.save(&mut saved).unwrap();
    let window = 4 * 10 * 19;
    assert!((window..window + 100).contains(&saved.len()), "{} bytes", saved.len());
}
