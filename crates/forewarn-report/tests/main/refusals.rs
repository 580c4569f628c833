//! What is wrong with the input is said, and never comes out as NaN.

use crate::{minute, report, scores};
use forewarn_core::average_precision;
use forewarn_core::{Score, WindowSpec};
use forewarn_eval::{
    EvalError, KnownFailures, LabelMeaning, RankedWindows, ScoreFile, ScoredSeries, ScoredSet,
    best_f1_threshold, brier, log_loss, precision_recall_curve, roc_auc,
};
use forewarn_report::{Pictures, Present};
use forewarn_schema::{Episode, Episodes, Step};
use std::collections::BTreeMap;

type Figure = fn(&[Score], &[bool]) -> Result<(), EvalError>;

const FIGURES: [(&str, Figure); 7] = [
    ("average_precision", |s, p| Ok(average_precision(s, p).map(drop)?)),
    ("roc_auc", |s, p| roc_auc(s, p).map(drop)),
    ("precision_recall_curve", |s, p| precision_recall_curve(s, p).map(drop)),
    ("best_f1_threshold", |s, p| best_f1_threshold(s, p).map(drop)),
    ("brier", |s, p| brier(s, p).map(drop)),
    ("log_loss", |s, p| log_loss(s, p).map(drop)),
    ("RankedWindows", |s, p| RankedWindows::new(s, p).map(drop)),
];

#[test]
fn a_single_class_is_named_with_its_count() {
    let scores = scores(&[0.1, 0.2, 0.3]);
    for (name, figure) in FIGURES {
        for (labels, positives) in [([false; 3], 0), ([true; 3], 3)] {
            let error = figure(&scores, &labels).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{positives} positive windows of 3: both classes are needed")),
                "{name}: {error}"
            );
        }
    }
}

#[test]
fn lengths_that_differ_are_both_named() {
    for (name, figure) in FIGURES {
        let error = figure(&scores(&[0.1, 0.2, 0.3]), &[true, false]).unwrap_err().to_string();
        assert!(error.contains("expected 3, got 2"), "{name}: {error}");
    }
}

#[test]
fn a_score_that_is_no_probability_is_named() {
    for (value, shown) in [(f32::NAN, "NaN"), (1.5, "1.5"), (-0.1, "-0.1"), (f32::INFINITY, "inf")] {
        let error = Score::new(value).unwrap_err().to_string();
        assert!(error.contains(shown), "{error}");
    }
}

#[test]
fn times_that_do_not_ascend_are_named_with_service_and_time() {
    for (times, shown) in [
        ([3, 2], "gateway: the score at 1970-01-01T00:02:00Z follows the one at 1970-01-01T00:03:00Z"),
        ([3, 3], "gateway: the score at 1970-01-01T00:03:00Z follows the one at 1970-01-01T00:03:00Z"),
    ] {
        let times = times.map(minute).to_vec();
        let series =
            ScoredSeries::new("gateway", times, scores(&[0.1, 0.2]), vec![true, false], Episodes::default());
        let error = series.unwrap_err().to_string();
        assert_eq!(error, format!("{shown}: times must ascend"));
    }
}

#[test]
fn a_failure_outside_the_scores_is_named_with_their_span() {
    let text = "service,timestamp,score\na,600,0.5\na,660,0.25\n";
    let failure = Episode::new(minute(100), minute(100), minute(101)).unwrap();
    let failures = BTreeMap::from([("a".to_owned(), Episodes::new(vec![failure]).unwrap())]);
    let file = &ScoreFile::read(text.as_bytes()).unwrap()[""];
    let (spec, step) = (WindowSpec::default(), Some(Step::MINUTE));
    let known = KnownFailures::List { episodes: &failures, spec, step };
    let error = file.judge(known, LabelMeaning::Begins).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a: the failure that begins at 1970-01-01T01:40:00Z lies outside the scores, which go from 1970-01-01T00:10:00Z to \
         1970-01-01T00:11:00Z"
    );
}

#[test]
fn sets_that_do_not_follow_one_another_are_not_joined() {
    let part = |service: &str, from: i64, period: usize| {
        let times = (from..from + 4).map(minute).collect();
        let labels = vec![true, false, false, false];
        let series =
            ScoredSeries::new(service, times, scores(&[0.5; 4]), labels, Episodes::default()).unwrap();
        ScoredSet::new(WindowSpec::new(10, 0, period).unwrap(), Step::MINUTE, vec![series]).unwrap()
    };
    let (early, late) = (part("a", 0, 5), part("a", 10, 5));
    let joined = ScoredSet::join(&[&early, &late]).unwrap();
    assert_eq!((joined.windows(), joined.positives(), joined.series().len()), (8, 2, 1));
    assert_eq!(joined.between(minute(10), minute(13)).unwrap(), late);
    assert_eq!(ScoredSet::join(&[&early, &part("b", 0, 5)]).unwrap().series().len(), 2);
    assert!(matches!(ScoredSet::join(&[&late, &early]), Err(EvalError::TimeOrder { .. })));
    assert!(
        ScoredSet::join(&[&early, &part("a", 10, 6)]).unwrap_err().to_string().contains("another window")
    );
    assert!(ScoredSet::join(&[]).is_err());
}

#[test]
fn no_figure_of_a_report_is_nan() {
    // The example holds a model that never speaks, so much that could be divided by zero is.
    let (report, pictures) = report::example();
    // A NaN or an infinity would be written as null, and come back as another report.
    let json = report.to_json().unwrap();
    assert_eq!(forewarn_eval::Report::from_json(&json).unwrap(), report);
    for text in [report.to_table(), report.to_html(&pictures), report.to_html(&Pictures::default())] {
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
        assert!(words.all(|word| !["NaN", "inf", "-inf"].contains(&word)));
    }
}
