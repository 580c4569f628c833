//! What `check` says of files.

use crate::support::{done, metrics, refused};
use serde_json::Value;
use std::fs;

fn json(folder: &std::path::Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&done(folder, &[&["check", "--format", "json"], arguments].concat())).unwrap()
}

#[test]
fn metrics_are_described_by_service() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("metrics.csv"), metrics(&["a", "b"], 600)).unwrap();
    let found = json(folder.path(), &["--input", "metrics.csv"]);
    assert_eq!(found["usable"], true);
    let service = &found["services"][1];
    assert_eq!(
        (&service["name"], &service["rows"], &service["step_secs"]),
        (&"b".into(), &600.into(), &60.0.into())
    );
    assert_eq!((&service["missing"], &service["episodes"]), (&0.into(), &10.into()));
    assert_eq!(service["first"], "2024-01-01T00:00:00Z");
    assert_eq!(service["last"], "2024-01-01T09:59:00Z");
    let left_out: u64 = service["left_out"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(service["windows"].as_u64().unwrap() + left_out, 600, "{service}");
}

#[test]
fn a_file_of_which_no_window_would_come_is_understood_and_not_usable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("short.csv"), metrics(&["a"], 5)).unwrap();
    let found = json(folder.path(), &["--input", "short.csv"]);
    assert_eq!(found["usable"], false);
    assert!(!found["reasons"].as_array().unwrap().is_empty());
    refused(folder.path(), 1, &["check", "--input", "short.csv", "--require-usable"]);
}

#[test]
fn a_rule_that_the_metrics_lack_is_told_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kpi.csv"), "timestamp,value\n1704067200,1\n1704067260,2\n").unwrap();
    let found = json(folder.path(), &["--input", "kpi.csv"]);
    let reason = found["reasons"][0].as_str().unwrap();
    assert!(reason.contains("--rule 'value") && reason.contains("--failure-column"), "{reason}");
}

#[test]
fn outages_that_look_like_gaps_are_told_with_a_rule_that_sees_them() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = |row: &str| row.replace(",100,0.01", ",0,");
    let csv: String = metrics(&["a"], 600).lines().map(|row| quiet(row) + "\n").collect();
    fs::write(folder.path().join("metrics.csv"), csv).unwrap();
    let found = json(folder.path(), &["--input", "metrics.csv"]);
    let notes: Vec<&str> = found["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let told = notes.iter().find(|note| note.contains("total outages look like gaps")).unwrap();
    let (_, rule) = told.split_once("the rule '").unwrap();
    done(folder.path(), &["check", "--input", "metrics.csv", "--rule", rule.trim_end_matches('\'')]);
    // An evaluation says so, too: in its error, where nothing else fails.
    let never = ["evaluate", "--input", "metrics.csv", "--rule", "error_rate >= 0.999"];
    let error = refused(folder.path(), 1, &never);
    assert!(error.contains("total outages look like gaps"), "{error}");
}

#[test]
fn rules_graphs_and_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("graph"), "web api\napi database\n").unwrap();
    let found = json(folder.path(), &["--rule", "error_rate >= 0.1 for 3 steps", "--topology", "graph"]);
    assert_eq!(found["graph"]["calls"], 2);
    assert!(found["rule"]["sentence"].as_str().unwrap().contains("0.1"), "{found}");
    assert!(refused(folder.path(), 2, &["check"]).contains("--input"));
    fs::write(folder.path().join("bad.toml"), "when = 3").unwrap();
    assert!(refused(folder.path(), 1, &["check", "--rule-file", "bad.toml"]).contains("bad.toml"));
}

#[test]
fn a_graph_of_other_names_is_not_usable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("metrics.csv"), metrics(&["web"], 100)).unwrap();
    fs::write(folder.path().join("graph"), "shop-web shop-api\n").unwrap();
    let found = json(folder.path(), &["--input", "metrics.csv", "--topology", "graph"]);
    assert_eq!(found["usable"], false);
    let reason = found["reasons"][0].as_str().unwrap();
    assert!(reason.contains("web") && reason.contains("shop-api"), "{reason}");
}

#[test]
fn sides_of_limits_say_what_all_values_say() {
    let folder = tempfile::tempdir().unwrap();
    let csv: String = metrics(&["a", "b"], 600)
        .lines()
        .enumerate()
        .filter(|(row, _)| row % 53 != 7)
        .map(|(row, line)| if row % 31 == 5 { line.replace(",100,0.01", ",0,") } else { line.to_owned() } + "\n")
        .collect();
    fs::write(folder.path().join("metrics.csv"), csv).unwrap();
    for rule in ["error_rate >= 0.05 for 2 steps", "not error_rate < 0.01 or request_count == 0"] {
        let asked = ["--input", "metrics.csv", "--rule", rule];
        let few = json(folder.path(), &asked);
        // Rows that are to be put together need their values.
        let all = json(folder.path(), &[&asked[..], &["--duplicates", "mean"]].concat());
        assert_eq!(few, all, "{rule}");
    }
}
