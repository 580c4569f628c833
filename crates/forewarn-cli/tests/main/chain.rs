//! What one command writes, the next one reads.

use crate::support::{done, refused};
use std::fs;

#[test]
fn simulate_evaluate_replay_and_judge() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let simulate = ["simulate", "--simulate", "shop", "--days", "6", "--seed", "3", "--quiet"];
    done(at, &[&simulate[..], &["--output", "shop.csv", "--truth", "truth.csv"]].concat());
    done(at, &[&simulate[..], &["--output", "shop.parquet", "--truth", "truth.json"]].concat());
    let table = done(
        at,
        &[
            "evaluate",
            "--input",
            "shop.csv",
            "--models",
            "rolling_mean,logistic_snapshot",
            "--output",
            "report",
            "--save",
            "models/model.safetensors",
            "--quiet",
        ],
    );
    assert!(table.contains("logistic_snapshot") && table.contains("Saved"), "{table}");
    for file in ["report.json", "report.html", "predictions.csv"] {
        assert!(fs::metadata(at.join("report").join(file)).unwrap().len() > 100, "{file}");
    }

    let replay = ["replay", "--model", "models/model.safetensors", "--quiet"];
    let lines = done(at, &[&replay[..], &["--input", "shop.csv"]].concat());
    assert!(lines.starts_with("service,timestamp,event,score\n"), "{lines}");
    let scores = lines.lines().filter(|line| line.contains(",score,")).count();
    let engine = ["--input", "shop.csv", "--events", "engine", "--format", "ndjson"];
    let events = done(at, &[&replay[..], &engine[..]].concat());
    let events: Vec<serde_json::Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> = events.iter().filter(|event| event["event"] == "score").collect();
    assert_eq!(said.len(), 4 * 6 * 1440, "something is said of every row");
    let untold = said.iter().filter(|event| event["probability"].is_null());
    assert!(untold.clone().all(|event| !event["cannot_tell"].is_null()));
    let too_few = untold.clone().filter(|event| event["cannot_tell"] == "too_few_rows").count();
    assert_eq!((scores, too_few), (said.len() - untold.count(), 4 * 9));
    // Parquet holds the same numbers, so a replay of it says the same.
    assert_eq!(done(at, &[&replay[..], &["--input", "shop.parquet"]].concat()), lines);
    let json = done(at, &[&replay[..], &["--input", "shop.csv", "--format", "ndjson"]].concat());
    assert_eq!(json.lines().count() + 1, lines.lines().count());
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&first["event"], &first["service"]), (&"score".into(), &"auth".into()));

    done(
        at,
        &[&replay[..], &["--input", "shop.csv", "--events", "scores", "--output", "scores.csv"]].concat(),
    );
    for failures in [["--metrics", "shop.csv"], ["--episodes", "truth.csv"]] {
        let judged = done(
            at,
            &[&["judge", "--scores", "scores.csv", "--output", "judged", "--quiet"], &failures[..]].concat(),
        );
        assert!(judged.contains("scores"), "{judged}");
    }

    let truth: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(at.join("truth.json")).unwrap()).unwrap();
    let failures = truth["failures"].as_array().unwrap();
    assert!(failures.len() > 10 && failures.iter().any(|failure| !failure["kind"].is_null()));
    let rows = fs::read_to_string(at.join("truth.csv")).unwrap().lines().count();
    assert_eq!(rows, failures.len() + 1);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = |seed| {
        done(
            folder.path(),
            &["simulate", "--simulate", "stress-walk", "--days", "1", "--seed", seed, "--quiet"],
        )
    };
    assert_eq!(simulate("1"), simulate("1"));
    assert_ne!(simulate("1"), simulate("2"));
}

#[test]
fn a_scenario_file_is_simulated() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = "graph = \"shop\"\nminutes = 180\n\n[[inject]]\nat_minute = 60\nkind = \"memory-leak\"\n\
                    target = \"user\"\nseverity = 0.9\nduration_minutes = 90\n";
    fs::write(folder.path().join("leak.toml"), scenario).unwrap();
    let csv = done(folder.path(), &["simulate", "--simulate", "leak.toml", "--quiet"]);
    assert_eq!(csv.lines().count(), 1 + 4 * 180);
    let error = refused(folder.path(), 2, &["simulate", "--simulate", "nothing"]);
    assert!(error.contains("stress-walk") && error.contains(".toml"), "{error}");
}

#[test]
fn a_graph_is_scored() {
    let folder = tempfile::tempdir().unwrap();
    let edges = "traces_service_graph_request_total{client=\"web\",server=\"api\"} 100\n\
                 traces_service_graph_request_failed_total{client=\"web\",server=\"api\"} 60\n";
    fs::write(folder.path().join("graph.prom"), edges).unwrap();
    let text = done(folder.path(), &["graph", "--topology", "graph.prom"]);
    assert!(text.starts_with("2 services, 1 calls"), "{text}");
    assert!(text.contains("unknown"), "no latency is known: {text}");
    assert!(!text.contains("note:"), "{text}");
    fs::write(folder.path().join("more.prom"), edges.replace("} 60", "} 160")).unwrap();
    for command in ["graph", "check"] {
        let text = done(folder.path(), &[command, "--topology", "more.prom"]);
        assert!(text.contains("60 more failures than requests"), "{command}: {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&done(
        folder.path(),
        &["graph", "--topology", "graph.prom", "--format", "json"],
    ))
    .unwrap();
    assert_eq!(json["services"][0]["service"], "api");
    assert!(json["services"][0]["latency_millis"].is_null());
}
