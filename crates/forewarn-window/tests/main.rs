//! Splits and normalisation together, on labels made by hand.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]
use approx::assert_relative_eq;
use forewarn_core::{Label, Labels, Split, Target, WindowSpec};
use forewarn_schema::{Episodes, Frame, FrameSet, Metric, Schema, Step, Timestamp};
use forewarn_window::{Fractions, Scope, WindowError, ZScore, chronological};
use proptest::prelude::*;
use std::sync::Arc;

/// Services `a`, `b`, ... with these numbers of rows; column `x` counts rows, `y` is constant.
fn frames(rows: &[usize]) -> FrameSet {
    let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
    let names = ["a", "b", "c"];
    let frame = |(&rows, name): (&usize, &&str)| {
        let values = (0..rows).flat_map(|row| [row as f32, 0.1]).collect();
        Frame::new(*name, schema.clone(), Timestamp::EPOCH, Step::MINUTE, values).unwrap()
    };
    FrameSet::from_frames(rows.iter().zip(&names).map(frame).collect()).unwrap()
}

/// Every seventh row is positive.
fn labels(frames: &FrameSet, spec: WindowSpec) -> Labels {
    let layout = Arc::clone(frames.layout());
    let label = |row| if row % 7 == 0 { Label::Positive } else { Label::Negative };
    let (labels, services) = ((0..layout.rows()).map(label).collect(), layout.services().len());
    Labels::new(layout, spec, Target::Onset, 2, labels, vec![Episodes::default(); services]).unwrap()
}

#[test]
fn the_parts_follow_one_another_with_a_purge() {
    let frames = frames(&[1000]);
    let split = chronological(&labels(&frames, WindowSpec::default()), Fractions::default()).unwrap();
    // 991 windows end in rows 9..=999; the boundaries are rows 9 + 693 and 9 + 842.
    assert_eq!((split.train().rows()[0], *split.train().rows().last().unwrap()), (9, 702 - 17));
    assert_eq!((split.validation().rows()[0], *split.validation().rows().last().unwrap()), (702, 851 - 17));
    assert_eq!((split.test().rows()[0], *split.test().rows().last().unwrap()), (851, 999));
}

#[test]
fn what_cannot_be_split_says_why() {
    let tiny = labels(&frames(&[5]), WindowSpec::default());
    assert!(matches!(
        chronological(&tiny, Fractions::default()),
        Err(WindowError::TooShort { longest: 5, .. })
    ));
    let short = labels(&frames(&[40]), WindowSpec::default());
    let error = chronological(&short, Fractions::default()).unwrap_err().to_string();
    assert!(error.contains("validation part"), "{error}");
    assert_eq!("0.70, 0.15,0.15".parse::<Fractions>().unwrap(), Fractions::default());
    for wrong in ["", "0.7,0.3", "0.7,0.1,0.1,0.1", "0.7,x,0.15", "0.7,0.2,0.2"] {
        assert!(wrong.parse::<Fractions>().is_err(), "{wrong}");
    }
    for wrong in [[0.5, 0.5, 0.5], [1.0, 0.0, 0.0], [f64::NAN, 0.5, 0.5], [-0.2, 0.6, 0.6]] {
        assert!(Fractions::new(wrong[0], wrong[1], wrong[2]).is_err());
    }
}

#[test]
fn a_split_that_shares_windows_is_refused() {
    let frames = frames(&[300, 300]);
    let labels = labels(&frames, WindowSpec::default());
    let minute = |time: Timestamp| time.millis() / 60_000;
    let part = |from: i64, to: i64| labels.samples(move |_, time| (from..to).contains(&minute(time)));
    assert!(Split::new(part(0, 100), part(116, 200), part(216, 300), labels.purge()).is_ok());
    let close =
        Split::new(part(0, 100), part(115, 200), part(216, 300), labels.purge()).unwrap_err().to_string();
    assert!(close.contains("train and validation overlap: a has"), "{close}");
    assert!(Split::new(part(116, 200), part(0, 100), part(216, 300), labels.purge()).is_err());
    let interleaved = |of: i64| labels.samples(move |_, time| minute(time) % 3 == of);
    assert!(Split::new(interleaved(0), interleaved(1), interleaved(2), labels.purge()).is_err());
}

#[test]
fn moments_are_those_of_training_rows_alone() {
    let frames = frames(&[400, 200]);
    let labels = labels(&frames, WindowSpec::default());
    let split = chronological(&labels, Fractions::new(0.5, 0.25, 0.25).unwrap()).unwrap();
    // Training windows end in rows 9 ..= 9 + 195 - 17 of each service, so rows 0 ..= 187 are seen.
    let (mean, deviation) = (187.0 / 2.0, ((188.0 * 188.0 - 1.0) / 12.0f64).sqrt());
    for scope in [Scope::Service, Scope::Global] {
        let zscore = ZScore::fit(split.train(), &frames, scope).unwrap();
        let scored = zscore.apply(frames.clone()).unwrap();
        for (row, sample) in scored.frame(0).unwrap().values().chunks(2).enumerate() {
            assert_relative_eq!(f64::from(sample[0]), (row as f64 - mean) / deviation, epsilon = 1e-5);
            assert_eq!(sample[1], 0.0);
        }
        let mut row = [12.0, 0.1];
        zscore.apply_row("a", &mut row).unwrap();
        assert_eq!(row, scored.frame(0).unwrap().row(12).unwrap());
        // What comes after the training rows changes nothing.
        let mut later = frames.values().to_vec();
        later[188 * 2..400 * 2].fill(1e6);
        let changed = frames.derive(frames.schema().clone(), later).unwrap();
        assert_eq!(ZScore::fit(split.train(), &changed, scope).unwrap(), zscore);
        let json = serde_json::to_string(&zscore).unwrap();
        assert_eq!(serde_json::from_str::<ZScore>(&json).unwrap(), zscore);
        assert!(
            serde_json::from_str::<ZScore>(&json.replace("\"deviation\":1.0", "\"deviation\":0.0")).is_err()
        );
        assert!(zscore.apply_row("a", &mut [1.0]).is_err());
        let mut far = [1e6, f32::NAN];
        zscore.clone().with_limit(4.0).unwrap().apply_row("a", &mut far).unwrap();
        assert!(far[0] == 4.0 && far[1].is_nan());
        assert!(zscore.with_limit(f32::NAN).is_err());
    }
}

proptest! {
    #[test]
    fn no_split_shares_a_row_or_a_label(
        rows in proptest::collection::vec(60usize..400, 1..=3),
        (observation, lead, period) in (1usize..12, 0usize..5, 1usize..8),
        train in 0.3f64..0.7,
    ) {
        let frames = frames(&rows);
        let spec = WindowSpec::new(observation, lead, period).unwrap();
        let labels = labels(&frames, spec);
        let rest = (1.0 - train) / 2.0;
        if let Ok(split) = chronological(&labels, Fractions::new(train, rest, rest).unwrap()) {
            let parts = [&**split.train(), &**split.validation(), &**split.test()];
            // Rows that a window's features or its label, confirmation included, are made of.
            let used = |row: u32| i64::from(row) + 1 - observation as i64..=i64::from(row) + (spec.horizon() + 1) as i64;
            for (earlier, later) in [(0, 1), (1, 2)] {
                for service in frames.layout().services() {
                    let within = |row: &&u32| service.rows().contains(&(**row as usize));
                    let last = parts[earlier].rows().iter().filter(within).max().map(|&row| *used(row).end());
                    let first = parts[later].rows().iter().filter(within).min().map(|&row| *used(row).start());
                    if let (Some(last), Some(first)) = (last, first) {
                        prop_assert!(last < first);
                    }
                }
            }
        }
    }
}
