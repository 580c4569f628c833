//! Scores and lists of failures in every form that metrics come in.

use crate::support::{done, metrics, refused};
use serde_json::{Value, json};
use std::{fmt::Write as _, fs, path::Path};

const START: i64 = 1_704_067_200;
const MINUTES: i64 = 900;

fn score(minute: i64) -> f64 {
    f64::from(u8::from((35..43).contains(&(minute % 60)))) * 0.75 + 0.001 * (minute % 7) as f64
}

/// Scores of two services as rows of service, seconds and score.
fn rows() -> impl Iterator<Item = (&'static str, i64, f64)> {
    let of = |service| (0..MINUTES).map(move |minute| (service, START + 60 * minute, score(minute)));
    ["a", "b"].into_iter().flat_map(of)
}

/// What the report says of the scores of `file`.
fn judged(folder: &Path, file: &str, more: &[&str]) -> [Value; 2] {
    done(folder, &[&["judge", "--scores", file, "--output", "out", "--quiet"], more].concat());
    let report: Value = serde_json::from_slice(&fs::read(folder.join("out/report.json")).unwrap()).unwrap();
    let mut models = report["models"].clone();
    models[0]["name"] = Value::Null;
    [models, report["input"]["by_service"].clone()]
}

#[test]
fn scores_and_lists_come_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("metrics.csv", &metrics(&["a", "b"], MINUTES as usize));
    let (mut csv, mut lines, mut records) =
        ("service,timestamp,score\n".to_owned(), String::new(), Vec::new());
    let mut parts = [("a", "timestamp,score\n".to_owned()), ("b", "timestamp,score\n".to_owned())];
    let (mut day, mut apart) = (1, "date,time,region,service,score\n".to_owned());
    for (service, time, score) in rows() {
        writeln!(csv, "{service},{time},{score}").unwrap();
        let record =
            json!({"meta": {"host": "x", "tags": [1]}, "service": service, "ts": time, "probability": score});
        writeln!(lines, "{record}").unwrap();
        records.push(record);
        for (name, part) in &mut parts {
            if *name == service {
                writeln!(part, "{time},{score}").unwrap();
            }
        }
        let minute = (time - START) / 60;
        day = day.max(1 + minute / 1440);
        writeln!(apart, "2024-01-0{day},{:02}:{:02},eu,{service},{score}", minute / 60, minute % 60).unwrap();
    }
    write("scores.csv", &csv);
    write("scores.jsonl", &lines);
    write("scores.json", &serde_json::to_string(&records).unwrap());
    write("answer.json", &json!({"status": "ok", "data": records}).to_string());
    for (service, part) in &parts {
        write(&format!("parts/service={service}/part-0.csv"), part);
    }
    write("apart.csv", &apart);
    let by_metrics = ["--metrics", "metrics.csv"];
    let expected = judged(folder.path(), "scores.csv", &by_metrics);
    assert!(expected[1].as_array().unwrap().len() == 2 && expected[0][0]["name"].is_null());
    for file in ["scores.jsonl", "scores.json", "answer.json", "parts"] {
        assert_eq!(judged(folder.path(), file, &by_metrics), expected, "{file}");
    }

    let onset = |minute: i64| START + 60 * minute;
    let (mut list, mut incidents) = ("service,start,end\n".to_owned(), Vec::new());
    for service in ["a", "b"] {
        for minute in (40..MINUTES).step_by(60) {
            writeln!(list, "{service},{},{}", onset(minute), onset(minute + 3)).unwrap();
            incidents.push(
                json!({"service": service, "started_at": onset(minute), "resolved_at": onset(minute + 3)}),
            );
        }
    }
    write("list.csv", &list);
    write("incidents.json", &json!({"incidents": incidents}).to_string());
    let expected = judged(folder.path(), "scores.csv", &["--episodes", "list.csv"]);
    for file in ["scores.csv", "scores.jsonl"] {
        assert_eq!(judged(folder.path(), file, &["--episodes", "incidents.json"]), expected, "{file}");
    }
    // Times and names in several columns.
    let joined = ["--time-column", "date", "--time-column", "time"];
    let found = judged(folder.path(), "apart.csv", &[&["--episodes", "list.csv"], &joined[..]].concat());
    assert_eq!(found, expected);
    let joined = [&joined[..], &["--service-column", "region", "--service-column", "service"]].concat();
    write(
        "list.csv",
        &list.replace("service,", "region,service,").replace("\na,", "\neu,a,").replace("\nb,", "\neu,b,"),
    );
    let [models, services] =
        judged(folder.path(), "apart.csv", &[&["--episodes", "list.csv"], &joined[..]].concat());
    assert_eq!(models[0]["pr_auc"], expected[0][0]["pr_auc"]);
    assert_eq!(services[0]["service"], "eu/a");
}

#[test]
fn errors_of_records_name_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("metrics.csv", &metrics(&["a"], 900));
    let first = "{\"service\":\"a\",\"time\":0,\"score\":0.5}\n";
    for (scores, expected) in [
        (
            format!("{first}{{\"service\":\"a\",\"time\":60,\"score\":1.5}}\n"),
            "line 2, column score: \"1.5\"",
        ),
        (
            format!("{first}{{\"service\":\"a\",\"time\":60,\"score\":[1]}}\n"),
            "line 2, column \"score\": is an array",
        ),
        (format!("{first}{{\"service\":\"a\",\"time\":\"soon\",\"score\":1}}\n"), "line 2, column timestamp"),
        (
            (0..300).map(|row| first.replace(":0,", &format!(":{},", 60 * row))).collect::<String>()
                + "{\"service\":\"a\",\"time\":60000,\"score\":1,\"label\":1}\n",
            "field \"label\" is in none of the first records",
        ),
    ] {
        write("s.jsonl", &scores);
        let error = refused(
            folder.path(),
            1,
            &["judge", "--scores", "s.jsonl", "--metrics", "metrics.csv", "--quiet"],
        );
        assert!(error.contains("s.jsonl") && error.contains(expected), "{error}");
        assert_eq!(error.matches("s.jsonl").count(), 1, "{error}");
    }
}

#[test]
fn no_option_is_ignored_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("scores.csv", "service,time,score,label\na,0,0.5,0\n");
    write("list.csv", "service,start,end\na,0,60\n");
    write("graph", "web api\n");
    for (arguments, option, instead) in [
        (
            &["judge", "--scores", "scores.csv", "--episodes", "list.csv", "--counter", "x"][..],
            "--counter",
            "--metrics",
        ),
        (
            &["judge", "--scores", "scores.csv", "--episodes", "list.csv", "--shape", "long"],
            "--shape",
            "--metrics",
        ),
        (
            &["judge", "--scores", "scores.csv", "--label-means", "failing", "--rule", "x > 1"],
            "rule",
            "--metrics",
        ),
        (&["evaluate", "--timezone", "Europe/Berlin"], "--timezone", "--input"),
        (&["train", "--duplicates", "last"], "--duplicates", "--input"),
        (&["train", "--prometheus", "http://127.0.0.1:1", "--drop", "x"], "--drop", "--prometheus"),
        (&["graph", "--topology", "graph", "--unit", "a=s"], "--unit", "--input"),
        (&["check", "--topology", "graph", "--columns", "a"], "--columns", "--input"),
        (&["check", "--topology", "graph", "--require-usable"], "--input", "--require-usable"),
        (
            &["check", "--topology", "graph", "--recording-rules", "r.yml"],
            "--recording-rules",
            "--prometheus",
        ),
        (&["replay", "--model", "m", "--journal", "j", "--missing", "x"], "--missing", "journal"),
        (&["train", "--sample", "s", "--metric", "x"], "--metric", "--sample"),
    ] {
        let error = refused(folder.path(), 2, &[arguments, &["--quiet"]].concat());
        assert!(error.contains(option) && error.contains(instead), "{arguments:?}: {error}");
    }
}
