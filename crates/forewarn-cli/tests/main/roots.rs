//! From metrics, graph, target and time to a ranking.

use crate::support::{done, refused};
use std::{fs, path::Path};

const START: usize = 1_704_067_200;

/// Latencies of four services over `minutes`, which are `slow` from minute 20 on.
fn metrics(minutes: usize, slow: &[(&str, f64)]) -> String {
    let mut csv = String::from("service,timestamp,mean_latency\n");
    for (service, level) in [("web", 200.0), ("api", 80.0), ("search", 40.0), ("database", 10.0)] {
        let by = slow.iter().find(|(name, _)| *name == service).map_or(0.0, |(_, by)| *by);
        for minute in 0..minutes {
            let noise = level * 0.01 * ((minute * 7) % 5) as f64;
            let latency = level + noise + if minute >= 20 { by } else { 0.0 };
            csv += &format!("{service},{},{latency}\n", START + 60 * minute);
        }
    }
    csv
}

fn write(folder: &Path) {
    fs::write(folder.join("graph.edges"), "web api\nweb search\napi database\n").unwrap();
    fs::write(folder.join("normal.csv"), metrics(300, &[])).unwrap();
    let slow = [("web", 90.0), ("api", 90.0), ("database", 90.0)];
    fs::write(folder.join("incident.csv"), metrics(35, &slow)).unwrap();
}

fn ask<'a>(input: &'a str, metric: &'a str, at: &'a str, format: &'a str) -> Vec<&'a str> {
    let files = ["roots", "--topology", "graph.edges", "--normal", "normal.csv", "--input", input];
    let question = ["--service", "web", "--metric", metric, "--at", at, "--format", format];
    files.into_iter().chain(question).collect()
}

#[test]
fn a_ranking_leads_with_the_root() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let at = (START + 20 * 60).to_string();
    let text = done(folder.path(), &ask("incident.csv", "latency", &at, "json"));
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 4);
    assert_eq!(list[0]["service"], "database");
    let scores: Vec<f64> =
        list.as_array().unwrap().iter().map(|one| one["score"].as_f64().unwrap()).collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{scores:?}");
    let text = done(folder.path(), &ask("incident.csv", "mean_latency", "2024-01-01T00:20:00Z", "text"));
    assert!(text.contains(" 1 ") && text.contains("database"), "{text}");
    assert!(!text.contains("search"), "a calm service is not a suspect: {text}");
}

#[test]
fn nothing_is_wrong_in_a_normal_period() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let at = "2024-01-01T01:00:00Z";
    assert_eq!(done(folder.path(), &ask("normal.csv", "latency", at, "json")).trim(), "[]");
    assert!(
        done(folder.path(), &ask("normal.csv", "latency", at, "text")).starts_with("Nothing is wrong at")
    );
}

#[test]
fn what_cannot_be_asked_is_said() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let error = refused(folder.path(), 1, &ask("incident.csv", "speed", "2024-01-01T00:20:00Z", "json"));
    assert!(error.contains("speed"), "{error}");
    let error = refused(folder.path(), 1, &ask("incident.csv", "latency", "2024-02-01T00:20:00Z", "json"));
    assert!(error.contains("has no row at"), "{error}");
    let error = refused(folder.path(), 2, &ask("incident.csv", "latency", "yesterday", "json"));
    assert!(error.contains("2024-01-01T10:00:00Z"), "{error}");
}
