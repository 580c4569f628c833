//! Nothing is overwritten, and nothing half-written is left.

use crate::support::{done, metrics, refused};
use std::fs;

#[test]
fn an_input_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let csv = metrics(&["a"], 1200);
    fs::write(folder.path().join("predictions.csv"), &csv).unwrap();
    let evaluate = ["evaluate", "--input", "predictions.csv", "--models", "trend", "--quiet"];
    for more in [&["--output", "."][..], &["--output", "report", "--save", "./predictions.csv"]] {
        let error = refused(folder.path(), 1, &[&evaluate[..], more].concat());
        assert!(error.contains("overwritten"), "{error}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("predictions.csv")).unwrap(), csv);
}

#[test]
fn a_file_without_the_rules_metric_is_refused_with_what_to_write_for_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String =
        (0..50).map(|row| format!("{},{}.5,{}\n", 1_704_067_200 + 60 * row, row, row % 2)).collect();
    fs::write(folder.path().join("kpi.csv"), format!("timestamp,value,label\n{rows}")).unwrap();
    for command in ["evaluate", "train"] {
        let error = refused(folder.path(), 1, &[command, "--input", "kpi.csv", "--quiet"]);
        assert!(
            error.contains("--rule 'value >= LIMIT") && error.contains("--failure-column 'label'"),
            "{error}"
        );
    }
}

#[test]
fn latencies_that_look_like_seconds_are_not_taken_for_healthy() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("graph"), "web api\n").unwrap();
    let header = "timestamp,service,request_count,error_rate,p50_latency,p95_latency,p99_latency,cpu_usage,\
                  memory_usage,network_in,network_out,pod_restarts\n";
    let row = |service: &str| format!("1704067200,{service},100,0.01,0.8,1.6,2.5,0.3,0.4,10,10,0\n");
    let csv = format!("{header}{}{}", row("api"), row("web"));
    fs::write(folder.path().join("seconds.csv"), csv).unwrap();
    let graph = ["graph", "--topology", "graph", "--input", "seconds.csv"];
    assert!(refused(folder.path(), 1, &graph).contains("--unit p99_latency=s"));
    done(folder.path(), &[&graph[..], &["--unit", "p99_latency=s"]].concat());
}

#[test]
fn a_run_that_fails_leaves_no_model_file() {
    let folder = tempfile::tempdir().unwrap();
    let never = metrics(&["a"], 300).replace(",0.2\n", ",0.01\n");
    fs::write(folder.path().join("metrics.csv"), never).unwrap();
    let error = refused(
        folder.path(),
        1,
        &["evaluate", "--input", "metrics.csv", "--models", "trend", "--save", "model", "--quiet"],
    );
    assert!(error.contains("metrics.csv") && error.contains("error_rate >= 0.05"), "{error}");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("model")), "{left:?}");
}

#[test]
fn a_sample_says_what_it_says_once() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ["train", "--quiet", "--sample", "sample"];
    for more in [&["--rule", "a > 1"][..], &["--input", "a.csv"], &["--period", "9"], &["--unit", "a=s"]] {
        let error = refused(folder.path(), 2, &[&asked[..], more].concat());
        assert!(error.contains("cannot be used with"), "{error}");
    }
    let error = refused(folder.path(), 1, &asked);
    assert!(error.contains("label_and_sample") && error.contains("sample"), "{error}");
}

#[test]
fn scores_alone_are_refused_with_all_that_says_what_became_of_the_services() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String =
        (0..400).map(|row| format!("web,{},0.{},{}\n", 60 * row, row % 10, u8::from(row % 40 < 4))).collect();
    fs::write(folder.path().join("scores.csv"), format!("service,timestamp,score,label\n{rows}")).unwrap();
    let judge = ["judge", "--scores", "scores.csv", "--quiet"];
    let error = refused(folder.path(), 2, &judge);
    for way in ["--metrics", "--rule", "--episodes", "--label-means failing"] {
        assert!(error.contains(way), "{error}");
    }
    let table = done(folder.path(), &[&judge[..], &["--label-means", "failing"]].concat());
    assert!(table.contains("as the labels of the scores say"), "{table}");
}
