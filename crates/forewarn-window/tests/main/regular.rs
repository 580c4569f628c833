use forewarn_schema::{Frame, Kind, Metric, RawSample, Schema, Step, Timestamp, Unit, ValidRange};
use forewarn_window::{Aligner, Alignment, AlignmentCounts, Duplicates, GaugeRule, WindowError};
use proptest::prelude::*;

fn schema() -> Schema {
    let metric = |name: &str, kind| Metric::new(name, Unit::Dimensionless, kind, ValidRange::FINITE);
    Schema::new(vec![
        metric("gauge", Kind::Gauge),
        metric("delta", Kind::Delta),
        metric("counter", Kind::Counter),
        metric("ratio", Kind::Ratio),
        metric("outcome", Kind::Outcome),
    ])
    .unwrap()
}

fn at(seconds: i64, metric: usize, value: f64) -> RawSample {
    RawSample { metric, time: Timestamp::from_millis(seconds * 1000).unwrap(), value }
}

fn column(alignment: &Alignment, metric: usize, samples: &[RawSample]) -> (Vec<String>, AlignmentCounts) {
    shown(metric, alignment.frame("s", &schema(), samples.iter().copied()).unwrap())
}

fn shown(metric: usize, (frame, counts): (Frame, AlignmentCounts)) -> (Vec<String>, AlignmentCounts) {
    let shown = |&v: &f32| if v.is_nan() { "?".to_owned() } else { v.to_string() };
    (frame.view().values().iter().skip(metric).step_by(5).map(shown).collect(), counts)
}

#[test]
fn a_row_is_made_of_the_step_that_ends_in_it() {
    let alignment = Alignment::to(Step::MINUTE);
    let samples = [at(61, 0, 1.0), at(119, 0, 3.0), at(120, 0, 8.0), at(121, 0, 5.0), at(300, 0, 7.0)];
    let (frame, counts) = alignment.frame("s", &schema(), samples).unwrap();
    assert_eq!(frame.view().start().to_string(), "1970-01-01T00:02:00Z");
    assert_eq!(column(&alignment, 0, &samples).0, ["8", "5", "?", "7"]);
    assert_eq!(column(&alignment.clone().with_gauges(GaugeRule::Mean), 0, &samples).0, ["4", "5", "?", "7"]);
    assert_eq!((counts.samples, counts.missing), (5, 4 * 4 + 1));
    let shifted = alignment.with_offset_millis(59_000);
    assert_eq!(column(&shifted, 0, &samples).0, ["3", "5", "?", "?", "7"]);
    for wrong in [60_000, -1] {
        let alignment = Alignment::to(Step::MINUTE).with_offset_millis(wrong);
        assert!(alignment.frame("s", &schema(), samples).is_err(), "{wrong}");
        assert!(Aligner::new(&alignment, 0, "s", &schema()).is_err(), "{wrong}");
    }
}

#[test]
fn scrapes_on_both_sides_of_a_border_are_told_of() {
    let scraped = |scrapes_a_minute: i64, shift: i64, jitter: i64| {
        let sample = |scrape: i64| {
            // From -jitter to +jitter, in no order.
            let late = (scrape * 7919 % 101 - 50) * jitter / 50;
            let millis = scrape * 60_000 / scrapes_a_minute + shift + late;
            RawSample { metric: 0, time: Timestamp::from_millis(millis).unwrap(), value: 1.0 }
        };
        let gauge = Schema::new(vec![Metric::gauge("gauge")]).unwrap();
        let samples = (10..10 + 600 * scrapes_a_minute).map(sample);
        Alignment::to(Step::MINUTE).frame("s", &gauge, samples).unwrap().1
    };
    // With 2 ms of jitter a quarter of the rows and more are empty.
    let counts = scraped(1, 0, 2);
    assert!(counts.missing > 120, "{counts:?}");
    let warning = counts.border_warning().unwrap();
    assert!(warning.contains("600 samples") && warning.contains("with_offset_millis"), "{warning}");
    // Exactly at the border, half a step from it, or four times a row: all is there.
    for counts in [scraped(1, 0, 0), scraped(1, 30_000, 2), scraped(1, 30_000, 20_000), scraped(4, 0, 2)] {
        assert_eq!((counts.missing, counts.border_warning()), (0, None), "{counts:?}");
    }
}

#[test]
fn counters_become_increases_and_survive_resets() {
    let samples = [
        at(30, 2, 100.0),
        at(60, 2, 130.0),
        at(90, 2, 150.0),
        at(120, 2, 190.0),
        // The process began again, counted to 5, then to 25.
        at(150, 2, 5.0),
        at(180, 2, 25.0),
        // A step without a sample.
        at(300, 2, 60.0),
        at(360, 2, 61.0),
    ];
    let (made, counts) = column(&Alignment::to(Step::MINUTE), 2, &samples);
    assert_eq!(made, ["?", "60", "25", "?", "?", "1"]);
    assert_eq!(counts.resets, 1);
    let made = Alignment::to(Step::MINUTE).schema(&schema()).unwrap();
    assert_eq!((made.metrics()[2].kind, &made.metrics()[2].unit), (Kind::Delta, &Unit::CountPerStep));
}

#[test]
fn a_counter_is_as_exact_when_it_is_large() {
    let rows = 0..240;
    for total in [0.0, 1e9, 1e12, 9e15] {
        let samples = rows.clone().scan(total, |total, row| {
            *total += f64::from(row % 7 + 1);
            Some(at(i64::from(row) * 60, 2, *total))
        });
        let (made, counts) = column(&Alignment::to(Step::MINUTE), 2, &samples.collect::<Vec<_>>());
        let counted = rows.clone().skip(1).map(|row| (row % 7 + 1).to_string());
        assert_eq!(made[1..], counted.collect::<Vec<_>>(), "from {total} on");
        assert_eq!(counts.resets, 0);
    }
}

#[test]
fn sums_weights_and_outcomes() {
    let samples = [
        at(10, 1, 90.0),
        at(10, 3, 0.1),
        at(20, 1, 10.0),
        at(20, 3, 0.5),
        at(20, 4, 1.0),
        at(30, 4, 0.0),
        at(70, 1, 0.0),
        at(70, 3, 0.7),
    ];
    let plain = Alignment::to(Step::MINUTE);
    let weighted = plain.clone().with_weigh_ratios_by("delta");
    assert_eq!(column(&plain, 1, &samples).0, ["100", "0"]);
    assert_eq!(column(&plain, 3, &samples).0, ["0.3", "0.7"]);
    // (90 x 0.1 + 10 x 0.5) / 100; no requests, no rate.
    assert_eq!(column(&weighted, 3, &samples).0, ["0.14", "?"]);
    assert_eq!(column(&plain, 4, &samples).0, ["1", "?"]);
    assert!(plain.with_weigh_ratios_by("requests").frame("s", &schema(), samples).is_err());
}

#[test]
fn duplicates_and_late_samples_follow_the_policy() {
    let samples =
        [at(10, 0, 1.0), at(10, 0, 2.0), at(70, 0, 3.0), at(200, 0, 4.0), at(65, 0, 9.0), at(15, 0, 8.0)];
    let alignment = Alignment::to(Step::MINUTE);
    let (made, counts) = column(&alignment, 0, &samples);
    assert_eq!(
        (made, counts.duplicates, counts.late),
        (vec!["8".into(), "3".into(), "?".into(), "4".into()], 1, 0)
    );
    let mean = alignment.clone().with_gauges(GaugeRule::Mean);
    assert_eq!(column(&mean.clone().with_duplicates(Duplicates::KeepLast), 0, &samples).0[0], "5");
    assert_eq!(column(&mean, 0, &samples).0[0], "4.5");
    // The row of the first minute is made when a sample comes from after the third.
    let live = |lateness| shown(0, mean.frame_as_live(lateness, "s", &schema(), samples).unwrap());
    let (made, counts) = live(1);
    assert_eq!((made[0].as_str(), made[1].as_str(), counts.late), ("1", "3", 2));
    assert_eq!(live(3).1.late, 0);
    let refused = alignment.with_duplicates(Duplicates::Refuse).frame("s", &schema(), samples).unwrap_err();
    assert_eq!(refused.to_string(), "s: metric 0 has two samples at 1970-01-01T00:00:10Z");
}

#[test]
fn what_cannot_be_aligned_says_why() {
    let alignment = Alignment::to(Step::MINUTE).with_longest_gap(100);
    let frame = |samples: &[RawSample]| alignment.frame("s", &schema(), samples.iter().copied());
    assert!(matches!(frame(&[]), Err(WindowError::NoSamples { .. })));
    assert!(matches!(frame(&[at(0, 0, f64::NAN)]), Err(WindowError::NoSamples { .. })));
    assert!(matches!(frame(&[at(0, 5, 1.0)]), Err(WindowError::Core(_))));
    let far = [at(0, 0, 1.0), at(1_000_000_000, 0, 1.0)];
    assert!(matches!(frame(&far), Err(WindowError::GapTooLong { .. })));
    let mut live = Aligner::new(&alignment, 1, "s", &schema()).unwrap();
    live.push(far[0]).unwrap();
    assert!(matches!(live.push(far[1]), Err(WindowError::GapTooLong { .. })));
    // A frame's end must lie within the calendar too.
    let at_the_end = |time: &str| RawSample { metric: 0, time: time.parse().unwrap(), value: 1.0 };
    assert!(frame(&[at_the_end("9999-12-30T21:58:30Z")]).is_ok());
    assert!(frame(&[at_the_end("9999-12-30T21:59:30Z")]).is_err());
    assert!(frame(&[at_the_end("9999-12-30T22:00:00.5Z")]).is_err());
    let infinite = frame(&[at(0, 0, 1.0), at(60, 0, f64::INFINITY)]).unwrap_err().to_string();
    let place = "s at 1970-01-01T00:01:00Z: gauge is inf, outside the finite numbers (dimensionless)";
    assert_eq!(infinite, place);
    // A live aligner is as it was before.
    for wrong in [at(1, 0, f64::INFINITY), at(1, 0, f64::NEG_INFINITY), at(1, 2, 1e39), at(1, 5, 0.0)] {
        assert!(live.push(wrong).is_err(), "{wrong:?}");
    }
    assert_eq!(live.counts().samples, 1);
}

#[test]
fn a_step_longer_than_the_calendar_is_an_error() {
    let longest = Step::from_millis(i64::MAX).unwrap();
    for offset in [0, 1, i64::MAX - 1] {
        let alignment = Alignment::to(longest).with_offset_millis(offset);
        let made = alignment.frame("s", &schema(), [at(1_700_000_000, 0, 1.0)]);
        assert!(made.is_err(), "{offset}: {made:?}");
    }
    let before = RawSample { metric: 0, time: "1969-01-01T00:00:00Z".parse().unwrap(), value: 1.0 };
    assert!(Alignment::to(longest).frame("s", &schema(), [before]).is_err());
}

/// An aligner gives rows while samples come, so what it holds does not grow with them.
#[test]
fn live_rows_are_there_as_soon_as_nothing_of_them_can_come() {
    let mut live = Aligner::new(&Alignment::to(Step::MINUTE), 2, "s", &schema()).unwrap();
    let mut given = Vec::new();
    for scrape in 0..1000 {
        live.push(at(scrape * 20, 0, scrape as f64)).unwrap();
        given.extend(std::iter::from_fn(|| live.pop()));
        // A sample from after the second minute that follows closes a row.
        let complete = (scrape * 20 - 1).div_euclid(60) - 1;
        assert_eq!(given.len() as i64, complete.max(0), "after {} s", scrape * 20);
    }
    let (rest, counts) = live.finish().unwrap();
    assert_eq!((given.len() + rest.len(), counts.samples), (334, 1000));
}

proptest! {
    /// An aligner that is saved and restored on the way makes the same rows.
    #[test]
    fn a_restored_aligner_goes_on_as_if_it_had_not_stopped(
        samples in proptest::collection::vec((0i64..4000, 0usize..5, 0f64..100.0), 1..100),
        stop in any::<prop::sample::Index>(), damaged in any::<prop::sample::Index>(),
    ) {
        let alignment = Alignment::to(Step::MINUTE);
        let fresh = || Aligner::new(&alignment, 30, "s", &schema()).unwrap();
        let (mut live, stop) = (fresh(), stop.index(samples.len()));
        for &(second, metric, value) in &samples[..stop] {
            live.push(at(second, metric, value)).unwrap();
        }
        let mut saved = Vec::new();
        live.save(&mut saved).unwrap();
        let mut restored = fresh();
        let mut changed = saved.clone();
        changed[damaged.index(saved.len())] ^= 1;
        prop_assert!(restored.restore(&mut &changed[..]).is_err());
        prop_assert!(restored.restore(&mut &saved[..damaged.index(saved.len())]).is_err());
        prop_assert!(Aligner::new(&alignment, 31, "s", &schema()).unwrap().restore(&mut &saved[..]).is_err());
        prop_assert!(Aligner::new(&alignment, 30, "t", &schema()).unwrap().restore(&mut &saved[..]).is_err());
        restored.restore(&mut &saved[..]).unwrap();
        for &(second, metric, value) in &samples[stop..] {
            live.push(at(second, metric, value)).unwrap();
            restored.push(at(second, metric, value)).unwrap();
        }
        let [(rows, counts), (expected, expected_counts)] = [restored, live].map(|live| live.finish().unwrap());
        prop_assert_eq!(counts, expected_counts);
        let shown = |rows: &[forewarn_window::AlignedRow]| format!("{rows:?}");
        prop_assert_eq!(shown(&rows), shown(&expected));
    }

    /// Samples that come in order of time make the same rows live, whatever the lateness, as all at once in any order.
    #[test]
    fn live_rows_equal_those_of_a_batch(
        mut samples in proptest::collection::vec((0i64..4000, 0usize..5, 0f64..100.0), 1..200),
        lateness in 0usize..4,
    ) {
        samples.sort_by_key(|sample| sample.0);
        let samples: Vec<_> = samples.iter().map(|&(s, metric, value)| at(s, metric, value)).collect();
        let alignment = Alignment::to(Step::MINUTE).with_duplicates(Duplicates::KeepFirst);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let (batch, _) = alignment.frame("s", &schema(), samples.clone()).unwrap();
        let (live, counts) = alignment.frame_as_live(lateness, "s", &schema(), samples.clone()).unwrap();
        prop_assert_eq!(counts.late, 0);
        prop_assert_eq!(batch.view().start(), live.view().start());
        prop_assert_eq!(bits(batch.view().values()), bits(live.view().values()));
        let last = alignment.clone().with_duplicates(Duplicates::KeepLast);
        let (turned, _) = last.frame("s", &schema(), samples.into_iter().rev()).unwrap();
        prop_assert_eq!(bits(batch.view().values()), bits(turned.view().values()));
    }
}
