//! Pipes, exit codes, and names that a terminal must not obey.

use crate::support::{done, forewarn, metrics, refused};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_forewarn"))
        .args(["simulate", "--simulate", "stress-walk", "--days", "30", "--quiet"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("timestamp") || line.starts_with("service"), "{line}");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_forewarn")).arg("man").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: "));
}

#[test]
fn a_wrong_command_line_is_two_and_wrong_data_is_one() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refused(folder.path(), 2, &["evaluate", "--no-such-option"]).contains("--no-such-option"));
    assert!(refused(folder.path(), 2, &["evaluate", "--models", "crystal_ball"]).contains("crystal_ball"));
    assert!(
        refused(folder.path(), 1, &["evaluate", "--input", "missing.csv", "--quiet"]).contains("missing.csv")
    );
    assert_eq!(forewarn(folder.path(), &["--help"]).status.code(), Some(0));
    assert!(done(folder.path(), &["--version"]).starts_with("forewarn "));
}

#[test]
fn results_go_to_standard_output_and_progress_to_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["simulate", "--simulate", "stress-walk", "--days", "1"];
    let output = forewarn(folder.path(), &arguments);
    assert!(!output.stderr.is_empty());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        done(folder.path(), &[&arguments[..], &["--quiet"]].concat())
    );
}

#[test]
fn escape_sequences_in_names_do_not_reach_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("metrics.csv"), metrics(&["\u{1b}[31mred"], 100)).unwrap();
    fs::write(folder.path().join("graph"), "\u{1b}[31mred \u{1b}[32mgreen\n").unwrap();
    for arguments in [
        &["check", "--input", "metrics.csv"][..],
        &["check", "--input", "metrics.csv", "--format", "json"],
        &["graph", "--topology", "graph"],
        &["evaluate", "--input", "metrics.csv", "--models", "trend", "--rule", "\u{1b}[31m >= 1"],
    ] {
        let output = forewarn(folder.path(), arguments);
        let all = [output.stdout, output.stderr].concat();
        assert!(!all.contains(&0x1b), "{arguments:?}: {}", String::from_utf8_lossy(&all));
    }
}

#[test]
fn scripts_and_the_manual_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(done(folder.path(), &["completions", "bash"]).contains("forewarn"));
    let manual = done(folder.path(), &["man"]);
    assert!(manual.contains(".TH") && manual.contains("EVALUATE"), "{manual}");
}
