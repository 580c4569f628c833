//! A fleet on several processes: together they say what one says, also when it is divided otherwise in between.

use crate::support::{done, refused};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

const SERVICES: usize = 12;

/// Rows of a fleet of small shops, first the older half and then all of it, a model that warns often, and the graph.
fn prepare(folder: &Path) {
    let simulate = ["simulate", "--simulate", "shop", "--quiet"];
    let (mut header, mut rows) = (String::new(), Vec::new());
    for shop in 0..SERVICES / 4 {
        let seed = (10 + shop).to_string();
        done(folder, &[&simulate[..], &["--days", "2", "--seed", &seed, "--output", "shop.csv"]].concat());
        let text = fs::read_to_string(folder.join("shop.csv")).unwrap();
        let mut lines = text.lines();
        header = lines.next().unwrap().to_owned();
        rows.extend(lines.map(|line| {
            let (time, rest) = line.split_once(',').unwrap();
            format!("{time},shop-{shop}/{rest}")
        }));
    }
    rows.sort();
    let half = rows.iter().position(|row| row.as_str() >= "2024-01-02T00:00").unwrap();
    let file = |rows: &[String]| format!("{header}\n{}\n", rows.join("\n"));
    fs::write(folder.join("first.csv"), file(&rows[..half])).unwrap();
    fs::write(folder.join("all.csv"), file(&rows)).unwrap();
    let train = ["train", "--input", "all.csv", "--models", "logistic_snapshot", "--budget", "5/day"];
    done(folder, &[&train[..], &["--save", "model.safetensors", "--quiet"]].concat());
    let calls = (0..SERVICES / 4).flat_map(|shop| {
        [("gateway", "auth"), ("gateway", "user"), ("auth", "database"), ("user", "database")]
            .map(|(client, server)| format!("shop-{shop}/{client},shop-{shop}/{server}\n"))
    });
    fs::write(folder.join("calls.csv"), format!("client,server\n{}", calls.collect::<String>())).unwrap();
}

fn configure(folder: &Path, name: &str, shard: &str, rows: &str) -> String {
    let shard = if shard.is_empty() { String::new() } else { format!("shard = \"{shard}\"\n") };
    let config = format!(
        "{shard}[sharding]\ngraph = \"calls.csv\"\n[model]\npath = \"model.safetensors\"\n[source]\nkind = \"file\"\n\
         path = \"{rows}\"\n[store]\npath = \"{name}-store\"\n[events]\npath = \"{name}.ndjson\"\n\
         [budget]\nmode = \"static\"\n"
    );
    let file = format!("{name}.toml");
    fs::write(folder.join(&file), config).unwrap();
    file
}

/// Runs the services of these configurations side by side to their ends.
fn side_by_side(folder: &Path, configs: &[String]) {
    let start = |config: &String| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forewarn"));
        command.args(["watch", "--quiet", "--config", config]).current_dir(folder);
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    let children: Vec<Child> = configs.iter().map(start).collect();
    children.into_iter().for_each(|mut child| assert!(child.wait().unwrap().success()));
}

/// What was said of each service, in order, and whether a warning of it fires at the end.
fn said(folder: &Path, names: &[&str]) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let (mut by_service, mut firing) = (BTreeMap::<String, Vec<String>>::new(), Vec::new());
    for name in names {
        let text = fs::read_to_string(folder.join(format!("{name}.ndjson"))).unwrap();
        for line in text.lines() {
            let mut event: Value = serde_json::from_str::<Value>(line).unwrap()["event"].take();
            let kind = event["event"].as_str().unwrap().to_owned();
            if !["row", "score", "warning", "failure", "outcome"].contains(&kind.as_str()) {
                continue;
            }
            let fields = event.as_object_mut().unwrap();
            // A level says how much more probable a failure is than among all services of a process.
            for field in ["seq", "level", "per_step", "minutes_to_failure"] {
                fields.remove(field);
            }
            let service = event["service"].as_str().unwrap().to_owned();
            if kind == "warning" && event["state"] == "firing" {
                firing.push(service.clone());
            } else if kind == "warning" && event["state"] == "resolved" {
                firing.retain(|one| *one != service);
            }
            by_service.entry(service).or_default().push(event.to_string());
        }
    }
    for events in by_service.values_mut() {
        // Of several files: by time, and in the order of one file within a minute.
        events.sort_by_key(|event| serde_json::from_str::<Value>(event).unwrap()["time"].to_string());
    }
    firing.sort();
    (by_service, firing)
}

#[test]
fn two_shards_and_then_three_say_what_one_process_says() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    prepare(at);
    let whole = configure(at, "whole", "", "first.csv");
    done(at, &["watch", "--quiet", "--config", &whole]);
    let (_, firing) = said(at, &["whole"]);
    configure(at, "whole", "", "all.csv");
    done(at, &["watch", "--quiet", "--config", &whole]);
    let (expected, _) = said(at, &["whole"]);
    assert_eq!(expected.len(), SERVICES);
    assert!(expected.values().flatten().any(|event| event.contains("\"firing\"")));

    let two = [configure(at, "a", "1/2", "first.csv"), configure(at, "b", "2/2", "first.csv")];
    side_by_side(at, &two);
    let three = [
        configure(at, "a", "1/3", "all.csv"),
        configure(at, "b", "2/3", "all.csv"),
        configure(at, "c", "3/3", "all.csv"),
    ];
    // What is no longer theirs goes into files, which each of the three reads for its own.
    for name in ["a", "b"] {
        let (config, output) = (format!("{name}.toml"), format!("{name}.state"));
        let export = ["state", "export", "--config", &config, "--output", &output];
        let told = done(at, &export);
        assert!(told.contains("services in"), "{told}");
        assert!(refused(at, 1, &export).contains(".state"), "a file is not written over");
    }
    let mut taken = 0;
    for config in &three {
        let told = done(at, &["state", "import", "--config", config, "a.state", "b.state"]);
        taken += told.lines().map(|line| number_before(line, " services taken in")).sum::<usize>();
    }
    let moved = |name: &str| {
        let text = fs::read_to_string(at.join(format!("{name}.ndjson"))).unwrap();
        text.matches("\"service_released\"").count()
    };
    assert_eq!(taken, moved("a") + moved("b"), "each service that went came somewhere");
    assert!(taken > 0);
    side_by_side(at, &three);
    let (found, _) = said(at, &["a", "b", "c"]);
    assert!(found == expected, "the shards say something else; at the hand-over fired {firing:?}");
}

fn number_before(line: &str, text: &str) -> usize {
    let before = line.split(text).next().unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}
