//! Scores of any predictor, from files good and bad.

use crate::minute;
use forewarn_core::WindowSpec;
use forewarn_eval::{EvalError, Outside, ScoreFile, read_episodes};
use forewarn_schema::Step;

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
    let failures = read_episodes(EPISODES.as_bytes()).unwrap();
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
    assert!(row("a,60,0.5,1").contains("times must ascend"), "{}", row("a,60,0.5,1"));
    assert!(row("a,120").starts_with("not a CSV file"));
    assert_eq!(refusal("service,timestamp,score\n"), "the input has no rows");
}

#[test]
fn failures_belong_to_the_scores() {
    let failures = read_episodes(EPISODES.as_bytes()).unwrap();
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
    let backwards = "service,onset,end\na,180,120\n";
    assert!(read_episodes(backwards.as_bytes()).unwrap_err().to_string().contains("episode out of order"));
}
