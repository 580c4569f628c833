//! Scores of any predictor, from files good and bad.

use crate::minute;
use forewarn_core::WindowSpec;
use forewarn_eval::{EpisodeClasses, EpisodeFile, EvalError, Outside, Report, ScoreFile};
use forewarn_report::{GivenScores, Present};
use forewarn_schema::Step;
use std::collections::BTreeMap;

const EPISODES: &str = "service,onset,end\na,1970-01-01T00:10:00Z,1970-01-01T00:13:00Z\n";

fn scores(rows: std::ops::Range<i64>) -> String {
    let lines = rows.map(|t| format!("a,{},0.{}\n", minute(t), t % 10));
    format!("service,timestamp,score\n{}", lines.collect::<String>())
}

fn refusal(text: &str) -> String {
    ScoreFile::read(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn labels_come_from_failures_or_from_the_file() {
    let failures = EpisodeFile::read(EPISODES.as_bytes()).unwrap().episodes;
    let file = ScoreFile::read(scores(0..30).as_bytes()).unwrap();
    assert_eq!((file.step(), file.services().collect::<Vec<_>>()), (Some(Step::MINUTE), vec!["a"]));
    let set = file.judge(WindowSpec::default(), Step::MINUTE, &failures, Outside::Refuse).unwrap();
    // Minutes 10 to 12 are in the failure, 25 to 29 speak about time after the last score.
    assert_eq!((set.windows(), set.positives()), (22, 5));
    let series = &set.series()[0];
    let positive: Vec<_> =
        series.times().iter().zip(series.positive()).filter(|(_, p)| **p).map(|(t, _)| *t).collect();
    assert_eq!(positive, [5, 6, 7, 8, 9].map(minute));
    // With labels nothing is derived, and seconds do as well as text.
    let labelled = "label,score,timestamp,service\n1,0.5,60,a\n0,0.25,120,a\n";
    let set = ScoreFile::read(labelled.as_bytes()).unwrap();
    let set = set.judge(WindowSpec::default(), Step::MINUTE, &failures, Outside::Ignore).unwrap();
    assert_eq!((set.windows(), set.series()[0].positive()), (2, &[true, false][..]));
    let (early, late) = set.split_after(minute(1), 0).unwrap();
    assert_eq!((early.windows(), late.windows()), (1, 1));
    assert_eq!(set.split_after(minute(1), 1).unwrap().1.windows(), 0);
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(
        refusal("service,score\na,1\n"),
        "column \"timestamp\" is missing: the file has service, score"
    );
    let row = |row: &str| refusal(&format!("service,timestamp,score,label\na,60,0.5,0\n{row}\n"));
    assert_eq!(row("a,120,1.5,0"), "line 3, column score: \"1.5\" is not a number in 0..=1");
    assert_eq!(row("a,120,NaN,0"), "line 3, column score: \"NaN\" is not a number in 0..=1");
    assert_eq!(row("a,120,0.5,yes"), "line 3, column label: \"yes\" is not 0 or 1");
    assert_eq!(
        row("a,noon,0.5,1"),
        "line 3, column timestamp: \"noon\" is not a time such as 2024-01-01T00:00:00Z"
    );
    assert_eq!(
        row("a,60,0.5,1"),
        "line 3: a: the score at 1970-01-01T00:01:00Z follows the one at 1970-01-01T00:01:00Z: times must ascend"
    );
    assert!(row("a,0,0.5,1").starts_with("line 3: a: the score at 1970-01-01T00:00:00Z follows"), "unsorted");
    assert!(row("a,120").starts_with("not a CSV file"));
    assert_eq!(refusal("service,timestamp,score\n"), "the input has no rows");
}

#[test]
fn failures_belong_to_the_scores() {
    let failures = EpisodeFile::read(EPISODES.as_bytes()).unwrap().episodes;
    let judge = |text: String, outside| {
        ScoreFile::read(text.as_bytes()).unwrap().judge(
            WindowSpec::default(),
            Step::MINUTE,
            &failures,
            outside,
        )
    };
    let error = judge(scores(20..40), Outside::Refuse).unwrap_err();
    assert!(matches!(error, EvalError::EpisodeOutside { .. }), "{error}");
    assert!(
        error.to_string().starts_with("a: the failure that begins at 1970-01-01T00:10:00Z lies outside"),
        "{error}"
    );
    assert!(judge(scores(20..40), Outside::Ignore).is_ok());
    let other = judge("service,timestamp,score\nb,60,0.5\n".to_owned(), Outside::Refuse).unwrap_err();
    assert!(matches!(other, EvalError::UnknownService { .. }));
    let both = BTreeMap::from(["b", "c"].map(|name| (name.to_owned(), failures["a"].clone())));
    let none = ScoreFile::read(scores(0..9).as_bytes()).unwrap().matched(&both).unwrap_err();
    assert_eq!(none.to_string(), "no service is the same: scores of a, failures of b, c");
    // One service on either side is the same one.
    let renamed = BTreeMap::from([("b".to_owned(), failures["a"].clone())]);
    assert_eq!(ScoreFile::read(scores(0..9).as_bytes()).unwrap().matched(&renamed).unwrap(), failures);
}

#[test]
fn wrong_failures_name_their_line() {
    let refusal = |rows: &str| {
        EpisodeFile::read(format!("service,onset,end\na,0,60\n{rows}\n").as_bytes()).unwrap_err().to_string()
    };
    assert_eq!(
        refusal("a,180,120"),
        "line 3: episode out of order: onset 1970-01-01T00:03:00Z, confirmed at 1970-01-01T00:03:00Z, end 1970-01-01T00:02:00Z"
    );
    assert!(refusal("a,30,90").starts_with("line 3: episode 1, onset 1970-01-01T00:00:30Z, begins before"));
    assert!(refusal("a,soon,90").starts_with("line 3, column onset: \"soon\" is not a time"));
    assert!(
        EpisodeFile::read(b"service,end\n".as_slice())
            .unwrap_err()
            .to_string()
            .contains("\"onset\" is missing")
    );
}

#[test]
fn files_are_named_with_what_is_wrong_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.csv");
    let error = ScoreFile::open(&path).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: cannot be opened: ", path.display())), "{error}");
    std::fs::write(&path, "service,timestamp,score\na,60,0.5\na,120,2\n").unwrap();
    let error = ScoreFile::open(&path).unwrap_err().to_string();
    assert_eq!(error, format!("{}: line 3, column score: \"2\" is not a number in 0..=1", path.display()));
    std::fs::write(&path, EPISODES).unwrap();
    assert_eq!(EpisodeFile::open(&path).unwrap(), EpisodeFile::read(EPISODES.as_bytes()).unwrap());
}

#[test]
fn failures_may_say_what_they_are_of() {
    let text = "service,onset,end,kind,rule\na,60,120,memory leak,slow\na,180,240,,slow\n";
    let file = EpisodeFile::read(text.as_bytes()).unwrap();
    let by: Vec<_> = file.classes.iter().map(EpisodeClasses::by).collect();
    assert_eq!(by, ["fault kind", "failure rule"]);
    let of = |classes: usize, episode: usize| -> Vec<&str> {
        file.classes[classes].of("a", &file.episodes["a"][episode]).into_iter().collect()
    };
    assert_eq!((of(0, 0), of(0, 1), of(1, 1)), (vec!["memory leak"], vec![], vec!["slow"]));
    assert!(EpisodeFile::read(EPISODES.as_bytes()).unwrap().classes.is_empty());
}

#[test]
fn scores_that_were_given_make_a_report() {
    // A day: the service fails every fifty minutes, and the score rises before.
    let lines = (0..5000).map(|t| {
        let ahead = 50 - t % 50;
        format!("a,{},{}\n", minute(t), if ahead <= 5 { 0.9 } else { f64::from(t as i32 * 7 % 11) / 20.0 })
    });
    let file = ScoreFile::read(format!("service,timestamp,score\n{}", lines.collect::<String>()).as_bytes())
        .unwrap();
    let rows = (1..99)
        .map(|i| format!("a,{},{},{}\n", 3000 * i, 3000 * i + 180, if i % 2 == 0 { "disk" } else { "leak" }));
    let failures = format!("service,onset,end,kind\n{}", rows.collect::<String>());
    let failures = EpisodeFile::read(failures.as_bytes()).unwrap();
    let set = file.judge(WindowSpec::default(), Step::MINUTE, &failures.episodes, Outside::Refuse).unwrap();
    let predictors = [("vendor".to_owned(), set)];
    let given = GivenScores::new("scores.csv", "as listed").classes(&failures.classes);
    let (report, pictures) = given.report(&predictors).unwrap();
    assert_eq!((report.split.train, report.models[0].fit_seconds), (None, None));
    assert_eq!(report.models[0].event_recall, Some(1.0));
    let names: Vec<_> = report.models[0].classes.iter().filter_map(|class| class.class.as_deref()).collect();
    assert_eq!(names, ["disk", "leak"]);
    assert!(!report.audit.is_empty());
    let page = report.to_html(&pictures);
    assert!(
        page.contains("its scores were given") && page.contains("what they were trained on is not known")
    );
    assert!(!page.contains("fitted in"));
    assert!(report.to_table().contains("not known: the scores were given"), "{}", report.to_table());
    assert_eq!(Report::from_json(&report.to_json().unwrap()).unwrap(), report);
    for share in [0.0, 1.0, f64::NAN] {
        let error = given.clone().validation_share(share).report(&predictors).unwrap_err().to_string();
        assert!(error.contains("above 0 and below 1"), "{error}");
    }
    assert!(matches!(given.report(&[]), Err(EvalError::NoRows)));
}
