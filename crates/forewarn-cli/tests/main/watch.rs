//! The live service as a process: it ends by itself, goes on after a kill, and says the same as a replay.

use crate::support::{done, forewarn, refused};
use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// A simulated day and a half of the shop, and a model for it.
fn prepare(folder: &Path) {
    let simulate = ["simulate", "--simulate", "shop", "--quiet"];
    done(folder, &[&simulate[..], &["--days", "8", "--seed", "3", "--output", "past.csv"]].concat());
    done(folder, &[&simulate[..], &["--days", "1", "--seed", "4", "--output", "day.csv"]].concat());
    let train =
        ["train", "--input", "past.csv", "--models", "logistic_snapshot", "--save", "model.safetensors"];
    done(folder, &[&train[..], &["--quiet"]].concat());
}

fn configure(folder: &Path, name: &str, source: &str) -> String {
    let config = format!(
        "[model]\npath = \"model.safetensors\"\n[source]\n{source}\n[store]\npath = \"{name}-store\"\n\
         checkpoint_minutes = 100\n[events]\npath = \"{name}.ndjson\"\n"
    );
    let file = format!("{name}.toml");
    fs::write(folder.join(&file), config).unwrap();
    file
}

const DAY: &str = "kind = \"file\"\npath = \"day.csv\"";

#[test]
fn killed_and_started_again_it_writes_each_event_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    prepare(at);
    let whole = configure(at, "whole", DAY);
    let summary = done(at, &["watch", "--config", &whole]);
    assert!(summary.starts_with("1440 minutes and 5760 rows after 0 replayed records"), "{summary}");
    let expected = fs::read(at.join("whole.ndjson")).unwrap();
    assert!(String::from_utf8_lossy(&expected).contains("\"event\":\"score\""));

    let killed = configure(at, "killed", DAY);
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forewarn"));
        command.args(["watch", "--config", &killed]).current_dir(at);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut kills = 0;
    for round in 0..20_u64 {
        let mut child = start();
        // Some kills come while it starts, some in mid-run, wherever that is on this machine.
        thread::sleep(Duration::from_millis(5 + 37 * round % 211));
        child.kill().unwrap();
        kills += usize::from(!child.wait().unwrap().success());
    }
    assert!(kills > 0, "no run was killed before its end");
    done(at, &["watch", "--config", &killed]);
    let found = fs::read(at.join("killed.ndjson")).unwrap();
    assert!(found == expected, "after {kills} kills the events differ");

    // What was journaled says the same again, whatever restarts lie between.
    let replay = ["replay", "--model", "model.safetensors", "--quiet"];
    let from_file = done(at, &[&replay[..], &["--input", "day.csv"]].concat());
    assert_eq!(done(at, &[&replay[..], &["--input", "day.csv", "--restart-every", "7"]].concat()), from_file);
}

#[test]
fn a_simulation_is_watched_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let config = configure(folder.path(), "shop", "kind = \"simulator\"\nminutes = 120\nseed = 5");
    let summary = done(folder.path(), &["watch", "--config", &config]);
    assert!(summary.starts_with("120 minutes and 480 rows"), "{summary}");
    // Nothing is left to do, and nothing is done twice.
    let again = done(folder.path(), &["watch", "--config", &config]);
    assert!(again.starts_with("0 minutes and 0 rows"), "{again}");
}

#[test]
fn what_standard_input_brings_late_is_counted_and_can_be_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    prepare(at);
    let config = configure(at, "late", "kind = \"stdin\"");
    let day = fs::read_to_string(at.join("day.csv")).unwrap();
    let (header, rows) = day.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    // By minute, as a service that measures would write them.
    rows.sort_by_key(|row| row.split(',').next().unwrap());
    let late = rows.remove(40);
    let mut child = Command::new(env!("CARGO_BIN_EXE_forewarn"))
        .args(["watch", "--config", &config])
        .current_dir(at)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut write = |rows: &[&str]| writeln!(input, "{}", rows.join("\n")).unwrap();
    let events = || fs::read_to_string(at.join("late.ndjson")).unwrap_or_default();
    write(&[header]);
    write(&rows[..400]);
    while !events().contains("\"event\":\"score\"") {
        assert!(child.try_wait().unwrap().is_none(), "it ended before its input");
        thread::sleep(Duration::from_millis(20));
    }
    write(&[late]);
    write(&rows[400..]);
    drop(input);
    assert!(child.wait().unwrap().success());
    let (events, service) = (events(), late.split(',').nth(1).unwrap());
    let told: Vec<&str> = events.lines().filter(|line| line.contains("\"event\":\"late\"")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&format!("\"service\":\"{service}\",\"count\":1")), "{told:?}");
    // The model is not what is asked about, and a day may have too few failures for one.
    let train = ["train", "--journal", "late-store", "--live-model", "model.safetensors", "--keep-late"];
    let output = forewarn(at, &[&train[..], &["--models", "trend", "--save", "new.safetensors"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("10 values that came late filled in, 0 not"), "{said}");
}

#[test]
fn a_changed_model_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    prepare(at);
    let config = configure(at, "day", DAY);
    done(at, &["watch", "--config", &config]);
    let train =
        ["train", "--input", "past.csv", "--models", "logistic_window", "--save", "model.safetensors"];
    done(at, &[&train[..], &["--quiet"]].concat());
    let error = refused(at, 1, &["watch", "--config", &config]);
    assert!(error.contains("empty store folder"), "{error}");
    fs::write(at.join("wrong.toml"), "[model]\npath = 3").unwrap();
    let error = refused(at, 1, &["watch", "--config", "wrong.toml"]);
    assert!(error.contains("wrong.toml") && error.contains("line 2"), "{error}");
}
