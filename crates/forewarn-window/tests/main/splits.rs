use crate::support::{frames, labels};
use forewarn_core::{CoreError, Label, Labels, Samples, Separation, Split, Target, WindowSpec};
use forewarn_schema::{Episode, Episodes, FrameSet, Timestamp};
use forewarn_window::{
    Fractions, TestSpan, TrainSpan, WalkForward, WindowError, grouped_by_incident, leave_each_out,
    leave_services_out,
};
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::Arc};

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_millis(minute * 60_000).unwrap()
}

/// Labels that know failures of ten minutes with these onsets.
fn failing(frames: &FrameSet, onsets: &[&[i64]]) -> Labels {
    let layout = Arc::clone(frames.layout());
    let episode = |&onset: &i64| Episode::new(minute(onset), minute(onset + 1), minute(onset + 10)).unwrap();
    let episodes = onsets.iter().map(|o| Episodes::new(o.iter().map(episode).collect()).unwrap()).collect();
    let labels = vec![Label::Negative; layout.rows()];
    Labels::new(layout, WindowSpec::default(), Target::Onset, 2, labels, episodes).unwrap()
}

fn parts(split: &Split) -> [&Samples; 3] {
    [split.train(), split.validation(), split.test()]
}

/// Rows that a window or its label is made of, written from the definition.
fn used(samples: &Samples, labels: &Labels) -> BTreeSet<(usize, i64)> {
    let (spec, confirmation) = (labels.spec(), labels.purge() - labels.spec().purge(0));
    let span = -(spec.observation() as i64 - 1)..(spec.horizon() + confirmation) as i64;
    samples
        .places()
        .flat_map(|(service, time)| span.clone().map(move |o| (service, time.millis() / 60_000 + o)))
        .collect()
}

fn share_nothing(split: &Split, labels: &Labels) -> bool {
    let used = parts(split).map(|samples| used(samples, labels));
    used[0].is_disjoint(&used[1]) && used[1].is_disjoint(&used[2]) && used[0].is_disjoint(&used[2])
}

#[test]
fn a_walk_forward_tests_every_minute_of_the_end_once() {
    let frames = frames(&[1000, 1000]);
    let labels = labels(&frames, WindowSpec::default());
    let expanding = WalkForward::new(4, 100, 80);
    let rolling = expanding.with_train_span(TrainSpan::Rolling { steps: 300 });
    for (walk, lengths) in [(expanding, [495, 595, 695, 795]), (rolling, [284; 4])] {
        let folds = walk.split(&labels).unwrap();
        let tested: Vec<u32> = folds.iter().flat_map(|fold| fold.test().rows()[..100].to_vec()).collect();
        assert_eq!(tested, (600..1000).collect::<Vec<_>>());
        for (fold, length) in folds.iter().zip(lengths) {
            assert!(share_nothing(fold, &labels));
            assert_eq!(fold.train().len() / 2, length);
            assert_eq!(fold.validation().len() / 2, 80 - 16);
            assert_eq!(fold.separation(), Separation::Order);
        }
    }
    let long = WalkForward::new(10, 100, 80).split(&labels).unwrap_err();
    assert!(
        matches!(long, WindowError::Fold { fold: 1, folds: 10, source: CoreError::EmptyPart { .. } }),
        "{long}"
    );
    let rolling = expanding.with_train_span(TrainSpan::Rolling { steps: 0 });
    for wrong in [WalkForward::new(0, 1, 1), WalkForward::new(1, 0, 1), WalkForward::new(1, 1, 0), rolling] {
        let error = wrong.split(&labels).unwrap_err();
        assert!(matches!(error, WindowError::Core(CoreError::InvalidSetting { .. })), "{error}");
    }
}

#[test]
fn services_that_are_left_out_are_proven_to_be() {
    let frames = frames(&[500, 500, 500]);
    let labels = labels(&frames, WindowSpec::default());
    let services = |samples: &Samples| samples.places().map(|(service, _)| service).collect::<BTreeSet<_>>();
    for (span, first) in [(TestSpan::Later, 426), (TestSpan::Whole, 9)] {
        let split = leave_services_out(&labels, &["b"], Fractions::default(), span).unwrap();
        assert_eq!(services(split.train()), BTreeSet::from([0, 2]));
        assert_eq!(services(split.test()), BTreeSet::from([1]));
        assert_eq!(split.test().rows()[0], 500 + first);
        assert_eq!(split.separation(), Separation::Services);
        assert!(share_nothing(&split, &labels));
    }
    let folds = leave_each_out(&labels, 3, Fractions::default(), TestSpan::Later).unwrap();
    let tested: BTreeSet<usize> = folds.iter().flat_map(|fold| services(fold.test())).collect();
    assert_eq!(tested, BTreeSet::from([0, 1, 2]));
    // The checker refuses a service in both, however far apart its windows are.
    let part =
        |from: i64, to: i64, keep: [bool; 3]| labels.samples_in(&[minute(from)..minute(to)], |s| keep[s]);
    let shared = Split::separated(
        part(0, 100, [true, true, true]),
        part(200, 300, [true, false, true]),
        part(400, 500, [false, true, false]),
        labels.purge(),
        Separation::Services,
    );
    let error = shared.unwrap_err().to_string();
    assert_eq!(error, "b has windows in train and in test: no service may be in both");
    let unknown = leave_services_out(&labels, &["d"], Fractions::default(), TestSpan::Later).unwrap_err();
    assert_eq!(unknown.to_string(), "there is no service \"d\": the labels have a, b, c");
    assert!(leave_services_out(&labels, &["a", "b", "c"], Fractions::default(), TestSpan::Later).is_err());
    assert!(leave_each_out(&labels, 4, Fractions::default(), TestSpan::Later).is_err());
}

#[test]
fn every_incident_is_tested_once_and_whole() {
    let frames = frames(&[2000, 2000]);
    // 300 in a and 312 in b are one cascade.
    let labels = failing(&frames, &[&[100, 300, 700, 1500], &[312, 1100, 1800]]);
    let folds = grouped_by_incident(&labels, 3, 30).unwrap();
    let onsets = [(0, 100), (0, 300), (1, 312), (0, 700), (1, 1100), (0, 1500), (1, 1800)];
    for (service, onset) in onsets {
        let tests: Vec<bool> = folds
            .iter()
            .map(|fold| {
                let times: BTreeSet<_> = fold.test().places().collect();
                let around =
                    (onset - 5..onset + 10).filter(|&m| times.contains(&(service, minute(m)))).count();
                assert!(around == 0 || around == 15, "{service} {onset}: {around}");
                around == 15
            })
            .collect();
        assert_eq!(tests.iter().filter(|&&tested| tested).count(), 1, "{service} {onset}");
    }
    for fold in &folds {
        assert!(share_nothing(fold, &labels));
        assert_eq!(fold.separation(), Separation::Apart { embargo: 30 });
    }
    assert!(matches!(
        grouped_by_incident(&labels, 7, 0),
        Err(WindowError::TooFewIncidents { incidents: 6, folds: 7 })
    ));
    assert!(grouped_by_incident(&labels, 2, 0).is_err());
}

#[test]
fn the_embargo_is_counted_after_what_is_tested() {
    let frames = frames(&[1000]);
    let labels = labels(&frames, WindowSpec::default());
    let part = |spans: &[(i64, i64)]| {
        let spans: Vec<_> = spans.iter().map(|&(a, b)| minute(a)..minute(b)).collect();
        labels.samples_in(&spans, |_| true)
    };
    // Train, test, train again, validation: purge is 17.
    let split = |resume: i64, embargo: usize| {
        Split::separated(
            part(&[(0, 200), (resume, 600)]),
            part(&[(700, 800)]),
            part(&[(300, 400)]),
            labels.purge(),
            Separation::Apart { embargo },
        )
    };
    assert!(split(399 + 17, 0).is_ok() && split(399 + 16, 0).is_err());
    assert!(split(399 + 17 + 50, 50).is_ok());
    let error = split(399 + 17 + 49, 50).unwrap_err().to_string();
    assert!(error.contains("test and train overlap") && error.contains("at least 67 steps"), "{error}");
    assert!(Split::new(part(&[(0, 200), (500, 600)]), part(&[(700, 800)]), part(&[(300, 400)]), 17).is_err());
}

proptest! {
    #[test]
    fn what_the_checker_lets_pass_shares_nothing(
        parts in proptest::collection::vec(0usize..4, 8..40),
        length in 5i64..40,
        embargo in 0usize..5,
    ) {
        let frames = frames(&[800, 300]);
        let labels = labels(&frames, WindowSpec::new(4, 1, 2).unwrap());
        let of = |part: usize| {
            let spans: Vec<_> = parts.iter().enumerate().filter(|&(_, &p)| p == part)
                .map(|(i, _)| minute(i as i64 * length)..minute((i as i64 + 1) * length)).collect();
            labels.samples_in(&spans, |_| true)
        };
        let split = Split::separated(of(0), of(1), of(2), labels.purge(), Separation::Apart { embargo });
        match split {
            Ok(split) => prop_assert!(share_nothing(&split, &labels)),
            // Part 3 belongs to no fold: with gaps that long between all parts, only sharing or emptiness is a reason.
            Err(CoreError::SharedWindows { .. } | CoreError::EmptyPart { .. }) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn spans_pick_the_same_windows_as_a_question_for_each(
        rows in proptest::collection::vec(0usize..120, 1..=3),
        mut cuts in proptest::collection::vec(-20i64..150, 4),
    ) {
        let frames = frames(&rows);
        let labels = labels(&frames, WindowSpec::default());
        cuts.sort_unstable();
        let spans = [minute(cuts[0])..minute(cuts[1]), minute(cuts[2])..minute(cuts[3])];
        let quick = labels.samples_in(&spans, |service| service != 1);
        let slow = labels.samples(|service, time| service != 1 && spans.iter().any(|span| span.contains(&time)));
        prop_assert_eq!(quick.rows(), slow.rows());
        prop_assert_eq!(quick.positive(), slow.positive());
        prop_assert_eq!(quick.excluded(), slow.excluded());
    }
}
