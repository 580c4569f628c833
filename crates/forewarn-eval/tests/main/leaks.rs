//! Leaks that were put in on purpose are found, and honest work is left alone.

use crate::minute;
use forewarn_core::{CoreError, LabelledWindows, Score, WindowSpec, Windows};
use forewarn_eval::{EvalError, Finding, LeakAudit, LeakFindings, ScoredSeries, ScoredSet, ShuffledFuture};
use forewarn_schema::{Episodes, Frame, FrameSet, Metric, Schema, Step};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Two services over 4,000 minutes, 2 % of the windows positive in the first and 20 % in the second.
fn scored(score: impl Fn(usize, bool, f32) -> f32) -> ScoredSet {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let series = [0.02, 0.2].iter().enumerate().map(|(service, &share)| {
        let positive: Vec<bool> = (0..4000).map(|_| random.random_bool(share)).collect();
        let scores =
            positive.iter().map(|&label| Score::new(score(service, label, random.random())).unwrap());
        let scores = scores.collect();
        let times = (0..4000).map(minute).collect();
        ScoredSeries::new(service.to_string(), times, scores, positive, Episodes::default()).unwrap()
    });
    ScoredSet::new(WindowSpec::default(), Step::MINUTE, series.collect()).unwrap()
}

fn finding(verdict: &LeakFindings, name: &str) -> Finding {
    verdict.checks.iter().find(|check| check.name == name).expect("the check was made").finding
}

#[test]
fn a_score_that_knows_only_the_service_is_found() {
    let honest = scored(|_, label, u| if label { 0.2 + 0.8 * u } else { 0.8 * u });
    let verdict = LeakAudit::new().with_scores(&honest).run().unwrap();
    assert!(verdict.is_clean(), "{verdict}");
    let service =
        scored(|service, label, u| 0.5 * service as f32 + 0.1 * u + if label { 0.005 } else { 0.0 });
    let verdict = LeakAudit::new().with_scores(&service).run().unwrap();
    assert_eq!(finding(&verdict, "service alone"), Finding::Suspect, "{verdict}");
    assert!(verdict.to_string().contains("SUSPECT  service alone: "), "{verdict}");
    let guess = LeakAudit::new().with_scores(&scored(|_, _, u| u)).run().unwrap().to_string();
    assert!(guess.contains("no better than with labels shifted"), "{guess}");
    let perfect = scored(|_, label, _| f32::from(u8::from(label)));
    assert_eq!(finding(&LeakAudit::new().with_scores(&perfect).run().unwrap(), "too good"), Finding::Suspect);
}

fn frames() -> FrameSet {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let schema = Schema::new(vec![Metric::gauge("x"), Metric::gauge("y")]).unwrap();
    let frame = |name: &str| {
        let values = (0..400).map(|_| random.random()).collect();
        Frame::new(name, schema.clone(), minute(0), Step::MINUTE, values).unwrap()
    };
    FrameSet::from_frames(["a", "b"].map(frame).into()).unwrap()
}

/// Each row's score is the mean of `x` in rows from `back` before it to `ahead` after it.
fn smoothed(frames: &FrameSet, back: usize, ahead: usize) -> Result<Vec<Option<Score>>, CoreError> {
    let mut scores = Vec::new();
    for frame in frames.frames() {
        let x: Vec<f32> = frame.column("x")?.collect();
        for row in 0..x.len() {
            let around = &x[row.saturating_sub(back)..(row + ahead + 1).min(x.len())];
            scores.push(Some(Score::new(around.iter().sum::<f32>() / around.len() as f32)?));
        }
    }
    Ok(scores)
}

#[test]
fn a_model_that_sees_the_future_is_found() {
    let frames = frames();
    let future = ShuffledFuture::new(&frames, minute(100)).unwrap();
    let verdict = |ahead: usize| {
        let scores = |frames: &FrameSet| smoothed(frames, 3, ahead).unwrap();
        let (before, after) = (scores(&frames), scores(future.frames()));
        LeakAudit::new().with_future(&future, &before, &after).run().unwrap()
    };
    assert!(verdict(0).is_clean());
    let leaking = verdict(1);
    assert_eq!(finding(&leaking, "shuffled future"), Finding::Suspect);
    assert!(leaking.to_string().contains("2 of 202 scores"), "{leaking}");
    assert!(leaking.to_string().contains("the first at 1970-01-01T01:40:00Z of a"), "{leaking}");
    assert!(LeakAudit::new().with_future(&future, &[], &[]).run().is_err());
}

/// A check says how many scores it looked at, and does not call clean what it did not look at.
#[test]
fn rows_without_a_score_are_not_looked_at() {
    let frames = frames();
    let future = ShuffledFuture::new(&frames, minute(100)).unwrap();
    let rows = frames.layout().rows();
    let check = |before: &[Option<Score>], after: &[Option<Score>]| {
        LeakAudit::new().with_future(&future, before, after).run().map(|verdict| verdict.to_string())
    };
    let some = |picked: &[usize]| {
        let mut scores = vec![None; rows];
        picked.iter().for_each(|&row| scores[row] = Some(Score::ONE));
        scores
    };
    // Row 150 lies after the cut, row 205 is the sixth of the second service.
    let three = some(&[7, 100, 150, 205]);
    let text = check(&three, &three).unwrap();
    assert!(text.contains("none of 3 scores up to 1970-01-01T01:40:00Z changed"), "{text}");
    let text = check(&three, &some(&[7, 150, 205])).unwrap();
    assert!(text.contains("1 of 3 scores") && text.contains("SUSPECT"), "{text}");
    let nothing = check(&some(&[150]), &some(&[150])).unwrap_err();
    assert!(matches!(nothing, EvalError::NothingScored { cut } if cut == minute(100)), "{nothing}");
}

/// The same windows under noise of a millionth, as another export of the same data has it.
#[test]
fn windows_that_differ_by_rounding_are_found() {
    let frames = frames();
    let noisy: Vec<f32> =
        frames.values().iter().enumerate().map(|(i, value)| value + (i % 7) as f32 * 3e-7 - 1e-6).collect();
    let noisy = frames.derive(frames.schema().clone(), noisy).unwrap();
    let (early, later) = ((4..100).collect::<Vec<u32>>(), (50..180).collect::<Vec<u32>>());
    let labels = |count: usize| (0..count).map(|i| i % 3 == 0).collect::<Vec<bool>>();
    let (train_labels, test_labels) = (labels(early.len()), labels(later.len()));
    let train = LabelledWindows::new(windows(&frames, &early), &train_labels).unwrap();
    let test = LabelledWindows::new(windows(&noisy, &later), &test_labels).unwrap();
    let found = LeakAudit::new().with_windows(train, test).run().unwrap();
    assert_eq!(finding(&found, "duplicate windows"), Finding::Suspect, "{found}");
}

fn windows<'a>(frames: &'a FrameSet, ends: &'a [u32]) -> Windows<'a> {
    Windows::new(frames.schema(), frames.values(), 5, ends).unwrap()
}

#[test]
fn shared_windows_and_telling_features_are_found() {
    let frames = frames();
    let ends = |from: u32, to: u32| (from..to).collect::<Vec<_>>();
    let (early, late, overlapping) = (ends(4, 100), ends(104, 200), ends(90, 180));
    let verdict = |test: &[u32], label: &dyn Fn(&[f32]) -> bool| {
        let (train, test) = (windows(&frames, &early), windows(&frames, test));
        let labels = |windows: Windows<'_>| windows.iter_last().map(label).collect::<Vec<bool>>();
        let (train_labels, test_labels) = (labels(train), labels(test));
        let train = LabelledWindows::new(train, &train_labels).unwrap();
        LeakAudit::new().with_windows(train, LabelledWindows::new(test, &test_labels).unwrap()).run().unwrap()
    };
    let noise = |row: &[f32]| (row[0] * 1e4) as i64 % 7 == 0;
    let clean = verdict(&late, &noise);
    assert!(clean.is_clean(), "{clean}");
    let shared = verdict(&overlapping, &noise);
    assert_eq!(finding(&shared, "duplicate windows"), Finding::Suspect, "{shared}");
    assert!(shared.to_string().contains("10 of 90 test windows"), "{shared}");
    let telling = verdict(&late, &|row| row[1] < 0.1);
    assert_eq!(finding(&telling, "telling feature"), Finding::Suspect, "{telling}");
    assert!(telling.to_string().contains("y alone has a ROC-AUC of 1.0000"), "{telling}");
}
