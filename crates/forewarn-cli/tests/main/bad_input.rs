//! Nothing is overwritten, and nothing half-written is left.

use crate::support::{metrics, refused};
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
