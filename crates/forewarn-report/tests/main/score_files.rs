//! Scores of any predictor, from files good and bad.

use crate::minute;
use forewarn_core::{WindowSpec, table::DateOrder};
use forewarn_eval::{
    EpisodeClasses, EpisodeFile, EvalError, FileSettings, JudgedScores, KnownFailures, LabelMeaning,
    LeftOutReason, Report, ScoreFile,
};
use forewarn_report::{GivenScores, Present};
use forewarn_schema::{Episodes, Step};
use std::{collections::BTreeMap, io::Read};

const EPISODES: &str = "service,onset,end\na,1970-01-01T00:10:00Z,1970-01-01T00:13:00Z\n";

fn scores(rows: std::ops::Range<i64>) -> String {
    let lines = rows.map(|t| format!("a,{},0.{}\n", minute(t), t % 10));
    format!("service,timestamp,score\n{}", lines.collect::<String>())
}

fn refusal(text: &str) -> String {
    ScoreFile::read(text.as_bytes()).unwrap_err().to_string()
}

/// The scores of a file without models.
fn read(text: &str) -> ScoreFile {
    ScoreFile::read(text.as_bytes()).unwrap().remove("").unwrap()
}

fn listed(
    text: &str,
    episodes: &BTreeMap<String, Episodes>,
    meaning: LabelMeaning,
) -> Result<JudgedScores, EvalError> {
    let (spec, step) = (WindowSpec::default(), Some(Step::MINUTE));
    read(text).judge(KnownFailures::List { episodes, spec, step }, meaning)
}

fn left_out(judged: &JudgedScores, service: usize) -> Vec<(LeftOutReason, usize)> {
    judged.services[service].left_out.iter().map(|left| (left.reason, left.rows)).collect()
}

#[test]
fn labels_come_from_failures() {
    let failures = EpisodeFile::read(EPISODES.as_bytes()).unwrap().episodes;
    let file = read(&scores(0..30));
    assert_eq!((file.step(), file.services().collect::<Vec<_>>()), (Some(Step::MINUTE), vec!["a"]));
    let judged = listed(&scores(0..30), &failures, LabelMeaning::Begins).unwrap();
    // Minutes 10 to 12 are in the failure, 25 to 29 speak about time after the last score.
    assert_eq!((judged.set.windows(), judged.set.positives()), (22, 5));
    assert_eq!(left_out(&judged, 0), [(LeftOutReason::Ongoing, 3), (LeftOutReason::Censored, 5)]);
    let series = &judged.set.series()[0];
    let positive: Vec<_> =
        series.times().iter().zip(series.positive()).filter(|(_, p)| **p).map(|(t, _)| *t).collect();
    assert_eq!(positive, [5, 6, 7, 8, 9].map(minute));
    let (early, late) = judged.set.split_after(minute(4), 0).unwrap();
    assert_eq!((early.windows(), late.windows()), (5, 17));
    assert_eq!(judged.set.split_after(minute(4), 1).unwrap().1.windows(), 16);
}

#[test]
fn labels_in_the_file_agree_with_the_failures_or_are_refused() {
    let failures = EpisodeFile::read(EPISODES.as_bytes()).unwrap().episodes;
    let file = |means: &dyn Fn(i64) -> bool| {
        let rows = (0..30).map(|t| format!("{},0.5,{},a\n", u8::from(means(t)), 60 * t));
        format!("label,score,timestamp,service\n{}", rows.collect::<String>())
    };
    let begins = file(&|t| (5..10).contains(&t));
    let failing = file(&|t| (10..13).contains(&t));
    // Labels know what follows the last score, the list of failures does not.
    assert_eq!(listed(&begins, &failures, LabelMeaning::Begins).unwrap().set.windows(), 27);
    assert_eq!(listed(&failing, &failures, LabelMeaning::Failing).unwrap().set.windows(), 22);
    for (text, meaning, at) in [(&failing, LabelMeaning::Begins, 5), (&begins, LabelMeaning::Failing, 5)] {
        let error = listed(text, &failures, meaning).unwrap_err();
        assert!(matches!(&error, EvalError::LabelContradicts { time, .. } if *time == minute(at)), "{error}");
    }
    // Without a list, the labels of a failing service are one; a gap of the file is not known.
    let (spec, step) = (WindowSpec::default(), None);
    let alone = read(&failing).judge(KnownFailures::InScores { spec, step }, LabelMeaning::Failing).unwrap();
    assert_eq!(alone.set, listed(&failing, &failures, LabelMeaning::Failing).unwrap().set);
    let gap: String =
        failing.lines().filter(|line| !line.contains(",1200,")).map(|line| format!("{line}\n")).collect();
    let alone = read(&gap).judge(KnownFailures::InScores { spec, step }, LabelMeaning::Failing).unwrap();
    assert_eq!(
        left_out(&alone, 0),
        [(LeftOutReason::Ongoing, 3), (LeftOutReason::Censored, 5), (LeftOutReason::Unknown, 5)]
    );
    let none = read(&scores(0..9)).judge(KnownFailures::InScores { spec, step }, LabelMeaning::Failing);
    assert!(matches!(none, Err(EvalError::MissingColumn { column: "label", .. })));
}

#[test]
fn a_service_of_which_nothing_is_known_is_no_service_without_failures() {
    let text = scores(0..30) + &scores(0..30).replace("a,", "B,").replace("service,timestamp,score\n", "");
    let known = EpisodeFile::read(EPISODES.as_bytes()).unwrap().episodes;
    let judged = listed(&text, &known, LabelMeaning::Begins).unwrap();
    assert_eq!((judged.set.series().len(), judged.set.windows()), (1, 22));
    let names: Vec<_> = judged.services.iter().map(|counts| counts.service.as_str()).collect();
    assert_eq!(names, ["B", "a"]);
    assert_eq!(left_out(&judged, 0), [(LeftOutReason::UnknownService, 30)]);
    // A row without times says that it was watched.
    let known = EpisodeFile::read(format!("{EPISODES}B,,\n").as_bytes()).unwrap().episodes;
    assert_eq!(listed(&text, &known, LabelMeaning::Begins).unwrap().set.windows(), 22 + 25);
}

#[test]
fn models_of_one_file_are_told_apart() {
    let text = "service,timestamp,label,model,score\na,60,0,x,0.5\na,120,0,x,0.5\na,60,0,y,0.1\n";
    let models = ScoreFile::read(text.as_bytes()).unwrap();
    assert_eq!(models.keys().collect::<Vec<_>>(), ["x", "y"]);
}

#[test]
fn a_file_without_end_is_refused() {
    let endless = "service,timestamp,score\n".as_bytes().chain(std::io::repeat(0));
    let error = ScoreFile::read(endless).unwrap_err();
    assert!(error.to_string().contains("binary data"), "{error}");
    let endless = "service,timestamp,score\n\"".as_bytes().chain(std::io::repeat(b'x'));
    let error = ScoreFile::read(endless).unwrap_err();
    assert!(error.to_string().contains("has no end within"), "{error}");
    let error = EpisodeFile::read(std::io::repeat(0)).unwrap_err();
    assert!(error.to_string().contains("binary data"), "{error}");
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(
        refusal("service,score\na,1\n"),
        "column \"timestamp\" is missing: the file has service, score"
    );
    let row = |row: &str| refusal(&format!("service,timestamp,score,label\na,60,0.5,0\n{row}\n"));
    assert_eq!(row("a,120,1.5,0"), "line 3, column score: \"1.5\" is not a number in 0..=1");
    assert_eq!(row("a,120,low,0"), "line 3, column score: \"low\" is not a number in 0..=1");
    assert_eq!(row("a,120,0.5,perhaps"), "line 3, column label: \"perhaps\" is not 0 or 1, or yes or no");
    assert_eq!(
        row("a,noon,0.5,1"),
        "line 3, column timestamp: \"noon\" is not seconds since 1970, as in the rows before"
    );
    assert_eq!(
        row("a,60,0.5,1"),
        "line 3: a: the score at 1970-01-01T00:01:00Z follows the one at 1970-01-01T00:01:00Z: times must ascend"
    );
    assert!(
        row("b,0,0.5,1\na,60,0.5,0\na,30,0.1,0\na,60,0.2,0").contains("a: the score at 1970-01-01T00:01:00Z")
    );
    assert!(row("a,120").starts_with("not a CSV file"));
    assert_eq!(refusal("service,timestamp,score\n"), "the input has no rows");
}

#[test]
fn failures_belong_to_the_scores() {
    let failures = EpisodeFile::read(EPISODES.as_bytes()).unwrap().episodes;
    let error = listed(&scores(20..40), &failures, LabelMeaning::Begins).unwrap_err();
    assert!(matches!(error, EvalError::EpisodeOutside { .. }), "{error}");
    assert!(
        error.to_string().starts_with("a: the failure that begins at 1970-01-01T00:10:00Z lies outside"),
        "{error}"
    );
    let both = BTreeMap::from(["b", "c"].map(|name| (name.to_owned(), failures["a"].clone())));
    let none = listed(&scores(0..9), &both, LabelMeaning::Begins).unwrap_err();
    assert_eq!(
        none.to_string(),
        "scores and failures have no service in common: scores of a, failures of b, c"
    );
    let other = BTreeMap::from(["a", "c"].map(|name| (name.to_owned(), failures["a"].clone())));
    let other = listed(&scores(0..30), &other, LabelMeaning::Begins).unwrap_err();
    assert!(matches!(other, EvalError::UnknownService { .. }));
    // One service on either side is the same one, which is said.
    let renamed = BTreeMap::from([("b".to_owned(), failures["a"].clone())]);
    let judged = listed(&scores(0..30), &renamed, LabelMeaning::Begins).unwrap();
    assert_eq!((judged.set.windows(), judged.notes.len()), (22, 1));
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
    assert!(refusal("a,soon,90").starts_with("line 3, column onset: \"soon\" is not seconds since 1970"));
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
    let text = format!("service,timestamp,score\n{}", lines.collect::<String>());
    let rows = (1..99)
        .map(|i| format!("a,{},{},{}\n", 3000 * i, 3000 * i + 180, if i % 2 == 0 { "disk" } else { "leak" }));
    let failures = format!("service,onset,end,kind\n{}", rows.collect::<String>());
    let failures = EpisodeFile::read(failures.as_bytes()).unwrap();
    let set = listed(&text, &failures.episodes, LabelMeaning::Begins).unwrap().set;
    let predictors = [("vendor".to_owned(), set)];
    let given = GivenScores::new("scores.csv", "as listed").with_classes(&failures.classes);
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
        let error = given.clone().with_validation_share(share).report(&predictors).unwrap_err().to_string();
        assert!(error.contains("above 0 and below 1"), "{error}");
    }
    assert!(matches!(given.report(&[]), Err(EvalError::NoRows)));
    // The same from files, two of which share a name.
    let folder = tempfile::tempdir().unwrap();
    let files = ["x", "y"].map(|run| folder.path().join(run).join("scores.csv"));
    for file in &files {
        std::fs::create_dir(file.parent().unwrap()).unwrap();
        std::fs::write(file, &text).unwrap();
    }
    let (spec, step) = (WindowSpec::default(), None);
    let known = KnownFailures::List { episodes: &failures.episodes, spec, step };
    let (report, pictures) = given.judge(&files, known).unwrap();
    let names: Vec<_> = report.models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["x/scores", "y/scores"]);
    assert_eq!(report.input.by_service[0].rows, 5000);
    for text in [report.to_table(), report.to_html(&pictures)] {
        assert!(text.contains("in a failure already") && !text.contains("not known: the scores"), "{text}");
    }
}

#[test]
fn scores_are_read_as_people_have_them() {
    let plain =
        "service,timestamp,score,label\nweb,2024-01-01T00:00:00Z,0.25,0\nweb,2024-01-01T00:01:00Z,0.5,1\n";
    let expected = ScoreFile::read(plain.as_bytes()).unwrap();
    for text in [
        "\u{feff}Service;Time;Probability;Label\r\n\"web\";2024-01-01 00:01:00;0,5;yes\r\nweb;2024-01-01 00:00;0,25;no\r\n",
        "timestamp\tservice name\tscore\tlabel\n1704067200.0\tweb\t25%\tFalse\n1704067260.000\tweb\t50 %\tTRUE\n",
        "# scores\nhost,ts,prediction,label\nweb,1704067200,0.25,0.0\nweb,1704067260,0.5,1.0\n",
    ] {
        assert_eq!(ScoreFile::read(text.as_bytes()).unwrap(), expected, "{text}");
    }
    let one = ScoreFile::read("time,score\n0,0.5\n".as_bytes()).unwrap();
    assert_eq!(one[""].services().collect::<Vec<_>>(), ["service"]);
    // A column for each service, and for each model.
    let wide = ScoreFile::read("time,web,api\n0,0.5,0.25\n60,0.5,0.75\n".as_bytes()).unwrap();
    assert_eq!(wide[""].services().collect::<Vec<_>>(), ["api", "web"]);
    let models =
        ScoreFile::read("service,time,lstm,gru,label\nweb,0,0.5,0.25,0\nweb,60,0.5,0.75,1\n".as_bytes())
            .unwrap();
    assert_eq!(models.keys().collect::<Vec<_>>(), ["gru", "lstm"]);
    assert_eq!(
        models["gru"],
        ScoreFile::read("time,p,y_true,app\n0,0.25,0,web\n60,0.75,1,web\n".as_bytes()).unwrap()[""]
    );
}

#[test]
fn times_of_scores_and_failures_are_in_the_zone_that_is_named() {
    let berlin = FileSettings::default().with_timezone("Europe/Berlin");
    let scores =
        |text: &str, settings: &FileSettings| ScoreFile::read_with(text.as_bytes(), settings).unwrap();
    let utc = scores("time,score\n2024-07-01 10:00,0.5\n", &FileSettings::default());
    assert_eq!(scores("time,score\n2024-07-01 12:00,0.5\n", &berlin), utc);
    let failures = |text: &str, settings: &FileSettings| {
        EpisodeFile::read_with(text.as_bytes(), settings).unwrap().episodes
    };
    assert_eq!(
        failures("service,start,end\na,2024-10-27 02:30,2024-10-27 03:30\n", &berlin),
        failures("service,start,end\na,2024-10-27 00:30,2024-10-27 02:30\n", &FileSettings::default())
    );
    // The repeated hour: rows go on.
    let repeated = scores("time,score\n2024-10-27 02:59,0.5\n2024-10-27 02:00,0.5\n", &berlin);
    assert_eq!(
        repeated,
        scores("time,score\n2024-10-27 00:59,0.5\n2024-10-27 01:00,0.5\n", &FileSettings::default())
    );
    let order = FileSettings::default().with_date_order(DateOrder::MonthFirst);
    let ambiguous = "service,start,end\na,1/2/2024 1:00 PM,1/2/2024 2:00 PM\n";
    let error = EpisodeFile::read(ambiguous.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("--date-order"), "{error}");
    assert_eq!(
        failures(ambiguous, &order),
        failures("service,start,end\na,2024-01-02 13:00,2024-01-02 14:00\n", &FileSettings::default())
    );
    assert!(
        EpisodeFile::read_with(ambiguous.as_bytes(), &FileSettings::default().with_timezone("Mars")).is_err()
    );
}

#[test]
fn lists_of_incidents_are_read_as_people_have_them() {
    let read = |text: &str| EpisodeFile::read(text.as_bytes()).unwrap();
    let expected = read("service,onset,end\nweb,600,1200\napi,1800,2400\n").episodes;
    for text in [
        "service,start,duration_minutes\nweb,600,10\napi,1800,10\n",
        "Service;Started at;Duration\napi;1800;0:10:00\nweb;600;10m\n",
        "Number,Service Name,Created At,Resolved At\n1,api,1970-01-01 00:30,1970-01-01 00:40\n2,web,1970-01-01 00:10,1970-01-01 00:20\n",
    ] {
        assert_eq!(read(text).episodes, expected, "{text}");
    }
    for cell in ["\"web,api\"", "web | api", "web;api", "\"[\"\"web\"\", \"\"api\"\"]\""] {
        let several = read(&format!("services,start,end\n{cell},600,1200\n"));
        assert_eq!(several.episodes.keys().collect::<Vec<_>>(), ["api", "web"], "{cell}");
        assert_eq!(several.episodes["api"], several.episodes["web"]);
    }
    let starts = read("service,start\nweb,600\nweb,630\n");
    let ends: Vec<i64> = starts.episodes["web"].iter().map(|episode| episode.end().millis() / 1000).collect();
    assert_eq!((ends, starts.notes.len()), (vec![630, 690], 1));
    assert!(starts.notes[0].contains("does not say when 2 failures end: each was taken to last 1 min"));
    // One that has not ended goes on to the end of the scores.
    let open = read("service,start,end\nweb,600,ongoing\n");
    let scores: String = (0..30).map(|minute| format!("web,{},0.5\n", minute * 60)).collect();
    let scores = ScoreFile::read(format!("service,time,score\n{scores}").as_bytes()).unwrap();
    let known =
        KnownFailures::List { episodes: &open.episodes, spec: WindowSpec::new(2, 0, 3).unwrap(), step: None };
    let judged = scores[""].judge(known, LabelMeaning::Begins).unwrap();
    assert_eq!((judged.set.windows(), judged.set.positives()), (10, 3));
    let end = judged.set.series()[0].episodes()[0].end();
    assert!(end.millis() < 2_400_000, "{end}");
    let error = EpisodeFile::read("service,start,duration\nweb,600,45\n".as_bytes()).unwrap_err().to_string();
    assert!(error.contains("a duration with its unit"), "{error}");
}

#[test]
fn scores_that_are_missing_are_left_out_and_counted() {
    let known =
        EpisodeFile::read("App;Start;Resolved at\na;1970-01-01 00:10:00;1200\n".as_bytes()).unwrap().episodes;
    assert_eq!(known, EpisodeFile::read("service,onset,end\na,600,1200\n".as_bytes()).unwrap().episodes);
    let text = scores(0..30);
    let lines: Vec<&str> = text.lines().collect();
    let header = lines[0];
    assert!(header.starts_with("service,timestamp,score"), "{header}");
    let rows: Vec<String> = lines[1..]
        .iter()
        .enumerate()
        .map(|(row, line)| {
            let cells: Vec<&str> = line.split(',').collect();
            let score = if row < 5 { "" } else { cells[2] };
            format!("{},{},{score}", cells[0], cells[1])
        })
        .collect();
    let text = format!("service,timestamp,score\n{}\n", rows.join("\n"));
    let judged = listed(&text, &known, LabelMeaning::Begins).unwrap();
    assert!(
        judged.notes.contains(&"5 rows without a score or a label were left out".to_owned()),
        "{:?}",
        judged.notes
    );
}
