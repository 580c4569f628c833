use super::*;
use crate::Target;
use forewarn_schema::{Episodes, Frame, Metric, Schema, Step};
use proptest::prelude::*;

#[test]
fn soft_labels_go_where_their_windows_go() {
    let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
    let frame = Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, vec![0.0; 4]).unwrap();
    let frames = FrameSet::from_frames(vec![frame]).unwrap();
    let kinds = [Label::Negative, Label::Positive, Label::Negative, Label::Positive].to_vec();
    let layout = Arc::clone(frames.layout());
    let spec = WindowSpec::new(1, 0, 1).unwrap();
    let labels = Labels::new(layout, spec, Target::Onset, 1, kinds, vec![Episodes::default()]).unwrap();
    let samples = labels.samples(|_, _| true);
    let hard = samples.on(&frames).unwrap();
    assert_eq!((samples.soft_labels(), hard.soft_labels()), (None, None));
    assert_eq!([0, 1, 9].map(|index| hard.soft_label(index)), [0.0, 1.0, 0.0]);
    let soft = samples.with_soft_labels(vec![0.0, 0.25, 0.5, 1.0]).unwrap();
    assert_eq!(soft.positives(), 2, "the labels stay");
    let picked = soft.weighted_by_row(&[0.0, 2.0, 3.0, 0.0]).unwrap();
    assert_eq!((picked.soft_labels(), picked.weights()), (Some(&[0.25, 0.5][..]), Some(&[2.0, 3.0][..])));
    let windows = Windows::new(frames.schema(), &[7.0, 8.0], 1, &[0, 1]).unwrap();
    for labelled in [picked.on(&frames).unwrap(), picked.with_windows(windows).unwrap()] {
        assert_eq!([0, 1].map(|index| labelled.soft_label(index)), [0.25, 0.5]);
    }
}

#[test]
fn weights_go_where_their_windows_go() {
    let schema = Schema::new(vec![Metric::gauge("x")]).unwrap();
    let values = (0..6u8).map(f32::from).collect();
    let frame = Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, values).unwrap();
    let frames = FrameSet::from_frames(vec![frame]).unwrap();
    let spec = WindowSpec::new(2, 0, 1).unwrap();
    let layout = Arc::clone(frames.layout());
    let labels =
        Labels::new(layout, spec, Target::Onset, 1, vec![Label::Negative; 6], vec![Episodes::default()]);
    let samples = labels.unwrap().samples(|_, _| true);
    assert_eq!((samples.len(), samples.weights()), (5, None));
    assert_eq!(samples.on(&frames).unwrap().weight(3), 1.0);
    assert!(samples.on(&frames).unwrap().expect_unweighted("a model").is_ok());

    let weighted = samples.clone().with_weights(vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    let picked = weighted.select(&[1, 4]).unwrap();
    assert_eq!(picked.weights(), Some(&[2.0, 5.0][..]));
    let labelled = picked.on(&frames).unwrap();
    assert_eq!((labelled.weight(0), labelled.weight(1)), (2.0, 5.0));
    let error = labelled.expect_unweighted("a model").unwrap_err().to_string();
    assert!(error.contains("a model"), "{error}");
    assert_eq!(picked.clone().without_weights().weights(), None);

    // The same windows, copied elsewhere.
    let copies = [1.0, 2.0, 4.0, 5.0];
    let windows = Windows::new(frames.schema(), &copies, 2, &[1, 3]).unwrap();
    let copied = picked.with_windows(windows).unwrap();
    assert_eq!(copied.weights(), Some(&[2.0, 5.0][..]));
    assert_eq!(copied.windows().get(1), labelled.windows().get(1));
    assert!(picked.with_windows(Windows::new(frames.schema(), &copies, 1, &[1, 3]).unwrap()).is_err());
    assert!(picked.with_windows(Windows::new(frames.schema(), &copies, 2, &[1]).unwrap()).is_err());

    // Row 0 ends no window, rows 2 and 4 are left out.
    let by_row = weighted.weighted_by_row(&[9.0, 1.0, 0.0, 3.0, 0.0, 0.5]).unwrap();
    assert_eq!((by_row.rows(), by_row.weights()), (&[1, 3, 5][..], Some(&[1.0, 3.0, 0.5][..])));
    for wrong in [vec![1.0; 5], vec![-1.0; 6], vec![f32::NAN; 6], vec![f32::INFINITY; 6]] {
        assert!(samples.weighted_by_row(&wrong).is_err(), "{wrong:?}");
    }

    for wrong in [vec![1.0; 4], vec![0.0; 5], vec![f32::NAN; 5], vec![f32::INFINITY; 5], vec![-1.0; 5]] {
        assert!(samples.clone().with_weights(wrong.clone()).is_err(), "{wrong:?}");
        assert!(samples.on(&frames).unwrap().with_weights(&wrong).is_err(), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn spans_keep_what_a_question_for_each_row_keeps(
        stretches in proptest::collection::vec((0u8..3, 1usize..90), 1..8),
        (from, length) in (-20i64..300, 0i64..300),
    ) {
        let kind = |kind: u8| match kind {
            0 => Label::Negative,
            1 => Label::Positive,
            _ => Label::Excluded(Exclusion::Missing),
        };
        let of = stretches.iter().flat_map(|&(label, count)| std::iter::repeat_n(kind(label), count));
        let labels: Vec<Label> = of.collect();
        let places = ["a", "b"].map(|name| (name.to_owned(), Timestamp::EPOCH, labels.len()));
        let layout = Arc::new(forewarn_schema::Layout::new(Step::MINUTE, places).unwrap());
        let both = [labels.clone(), labels].concat();
        let spec = WindowSpec::new(3, 0, 1).unwrap();
        let none = vec![Episodes::default(); 2];
        let labels = Labels::new(layout, spec, Target::Onset, 1, both, none).unwrap();
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000 - 1).unwrap();
        let span = at(from)..at(from + length);
        let quick = labels.samples_in(std::slice::from_ref(&span), |service| service == 1);
        let slow = labels.samples(|service, time| service == 1 && span.contains(&time));
        prop_assert_eq!(quick.rows(), slow.rows());
        prop_assert_eq!(quick.positive(), slow.positive());
        prop_assert_eq!(quick.excluded(), slow.excluded());
        prop_assert_eq!(quick.partly_observed(), slow.partly_observed());
    }
}
