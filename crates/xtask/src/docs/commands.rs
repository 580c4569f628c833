//! Whether what pages have a reader type is there: commands of this crate, packages, features, examples, benchmarks and
//! tests that cargo is told of, scripts of npm. What the program `forewarn` is given is checked beside its command
//! line.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};

use super::pages::blocks;
use crate::command;

/// Where a command of a guide is run or checked, unless it stands in a block of `bash`, or of `sh` in the tutorial: a
/// page, how its line begins, and a file that names the page.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("connect-prometheus.md", "forewarn ", "crates/forewarn-cli/tests/main/real_servers/typed.rs"),
    ("connect-prometheus.md", "grep ", "crates/forewarn-cli/tests/main/real_servers/typed.rs"),
    ("deploy.md", "", "crates/xtask/src/delivery/deploy/guide.py"),
    // What it installs takes half a gigabyte, and its releases are no part of the workspace.
    ("gate.md", "python3 -m venv", "docs/how-to/gate.md"),
    ("gate.md", "forewarn gate --python", "docs/how-to/gate.md"),
    ("hand-over.md", "receiver.py", "crates/xtask/src/delivery/deploy/check.py"),
    ("notebooks.md", "", "crates/xtask/src/peers/wheel.rs"),
    ("run-on-spark.md", "forewarn train", "crates/forewarn-python/tests/test_spark.py"),
    ("demo.md", "curl", "crates/forewarn-cli/tests/main/requests.rs"),
    ("secure.md", "", "crates/forewarn-cli/tests/main/requests.rs"),
    ("webhooks.md", "curl", "crates/forewarn-cli/tests/main/requests.rs"),
];

/// What a line of a block begins with where it is a command.
const PROGRAMS: &[&str] = &[
    "cargo",
    "curl",
    "docker",
    "forewarn",
    "grep",
    "gzip",
    "helm",
    "install",
    "kubectl",
    "maturin",
    "mkdir",
    "mv",
    "node",
    "npm",
    "pip",
    "python3",
    "receiver.py",
    "systemctl",
    "tar",
];

/// Pages that git knows, with their text.
fn pages() -> Vec<(PathBuf, String)> {
    let root = crate::root();
    let mut git = Command::new("git");
    let names = command::output(git.current_dir(root).args(["ls-files", "--cached", "*.md"])).unwrap();
    let pages = names.lines().filter(|name| *name != "CHANGELOG.md");
    pages.map(|name| (PathBuf::from(name), fs::read_to_string(root.join(name)).unwrap())).collect()
}

/// The command lines of a page that begin with this program, in blocks and in sentences; remarks are left out, lines
/// that end in a backslash joined.
fn lines_of(page: &str, program: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in blocks(page) {
        let text = block.text.replace("\\\n", " ");
        found.extend(text.lines().map(|line| line.trim().trim_start_matches("$ ").to_owned()));
    }
    let mut is_block = false;
    let prose = page.lines().filter(|line| {
        is_block ^= line.trim_start().starts_with("```");
        !is_block
    });
    let prose = prose.collect::<Vec<_>>().join(" ");
    found.extend(prose.split('`').skip(1).step_by(2).map(str::to_owned));
    let commands = found.iter().filter_map(|line| line.split([';', '|']).next()?.split(" #").next());
    let is_of = |line: &&str| line.split_whitespace().next() == Some(program);
    commands.map(str::trim).filter(is_of).map(str::to_owned).collect()
}

/// What is wrong with a command line of cargo.
fn refusal(metadata: &Metadata, sources: &str, line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.get(1) == Some(&"xtask") {
        return crate::parse(lexopt::Parser::from_args(words.get(2..)?)).err().map(|error| error.to_string());
    }
    let end = words.iter().position(|word| *word == "--").unwrap_or(words.len());
    let (own, passed_on) = words.split_at(end);
    let targets = || metadata.packages.iter().flat_map(|package| &package.targets);
    let features: BTreeSet<&str> =
        metadata.packages.iter().flat_map(|package| package.features.keys().map(String::as_str)).collect();
    let is_one_of_ours = matches!(own.get(1), Some(&("run" | "test" | "bench" | "install" | "clippy")));
    for pair in own.windows(2).filter(|_| is_one_of_ours) {
        let is_there = match pair[0] {
            "-p" | "--package" => metadata.packages.iter().any(|package| *package.name == *pair[1]),
            "--example" | "--bench" | "--bin" | "--test" => {
                let kind = pair[0].trim_start_matches('-');
                targets().any(|target| {
                    target.name == pair[1] && target.kind.iter().any(|found| found.to_string() == kind)
                })
            }
            "--features" => {
                pair[1].split(',').all(|name| features.contains(name.rsplit('/').next().unwrap_or(name)))
            }
            "--path" | "--manifest-path" => crate::root().join(pair[1]).exists(),
            _ => true,
        };
        if !is_there {
            return Some(format!("there is no {} {}", pair[0], pair[1]));
        }
    }
    // Of a filter that no test has in its name nothing would be run, and nobody told.
    let is_test = own.get(1) == Some(&"test");
    let values = ["--test-threads"];
    let filters = passed_on
        .iter()
        .zip(passed_on.iter().skip(1))
        .filter(|(before, word)| is_test && !word.starts_with('-') && !values.contains(before));
    let missing = filters.map(|(_, filter)| filter).find(|filter| !sources.contains(**filter))?;
    Some(format!("no test has {missing} in its name"))
}

/// The names of functions and modules of all crates, each on a line.
fn names_in_sources() -> String {
    let mut git = Command::new("git");
    let files =
        command::output(git.current_dir(crate::root()).args(["ls-files", "--cached", "*.rs"])).unwrap();
    let mut names = String::new();
    for file in files.lines() {
        let Ok(text) = fs::read_to_string(crate::root().join(file)) else { continue };
        for line in text.lines().map(str::trim) {
            if line.contains("fn ") || line.starts_with("mod ") {
                names.extend([line, "\n"]);
            }
        }
    }
    names
}

#[test]
fn cargo_is_told_of_what_is_there() {
    let root = crate::root();
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec().unwrap();
    let sources = names_in_sources();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (page, text) in pages() {
        for line in lines_of(&text, "cargo") {
            seen += 1;
            wrong.extend(
                refusal(&metadata, &sources, &line).map(|what| format!("{}: {line}: {what}", page.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 60, "{seen} command lines");
    for line in [
        "cargo xtask nothing",
        "cargo run --example no_such",
        "cargo bench -p forewarn-benches --bench no_such",
        "cargo test -p forewarn-eval -- --ignored no_such_test_as_this",
        "cargo test --features no-such-feature",
    ] {
        assert!(refusal(&metadata, &sources.replace("no_such_test_as_this", ""), line).is_some(), "{line}");
    }
}

#[test]
fn npm_and_node_are_told_of_scripts_that_are_there() {
    let web = crate::root().join("crates/forewarn-dashboard/web");
    let package = fs::read_to_string(web.join("package.json")).unwrap();
    let mut seen = 0;
    for (page, text) in pages() {
        for line in lines_of(&text, "npm") {
            let words: Vec<&str> = line.split_whitespace().collect();
            let script = if words.get(1) == Some(&"run") { words.get(2) } else { words.get(1) };
            let script = script.unwrap_or_else(|| panic!("{}: {line}", page.display()));
            seen += 1;
            let is_own = ["install", "ci"].contains(script);
            assert!(is_own || package.contains(&format!("\"{script}\": ")), "{}: {line}", page.display());
        }
        for line in lines_of(&text, "node").iter().filter(|line| line.contains(".mjs")) {
            let script = line.split_whitespace().nth(1).unwrap_or_default();
            assert!(web.join(script).is_file(), "{}: {line}", page.display());
        }
    }
    assert!(seen >= 3, "{seen} command lines");
}

#[test]
fn every_command_of_the_guides_is_run_by_something() {
    let guides = |page: &Path| page.starts_with("docs/how-to") || page.starts_with("docs/tutorial");
    let (mut untested, mut elsewhere) = (Vec::new(), BTreeSet::new());
    for (page, text) in pages().iter().filter(|(page, _)| guides(page)) {
        for block in blocks(text) {
            let is_run = match block.language.as_str() {
                "bash" => page.starts_with("docs/how-to"),
                "sh" => page.starts_with("docs/tutorial"),
                // In no other language are lines commands of a shell.
                "text" | "console" | "" => false,
                _ => continue,
            };
            let lines = block.text.lines().map(|line| line.trim_start_matches("$ "));
            let commands = lines.filter(|line| {
                let first = line.split_whitespace().next().unwrap_or_default();
                PROGRAMS.contains(&first) && !line.contains(" = ")
            });
            for line in commands.filter(|_| !is_run) {
                let covered =
                    ELSEWHERE.iter().find(|(name, begin, _)| page.ends_with(name) && line.starts_with(begin));
                match covered {
                    Some(found) => drop(elsewhere.insert(found)),
                    None => untested.push(format!("{}: {line}", page.display())),
                }
            }
        }
    }
    assert!(untested.is_empty(), "{}", untested.join("\n"));
    for entry in ELSEWHERE {
        let (page, begin, by) = entry;
        assert!(elsewhere.contains(entry), "{page} has no line that begins with {begin:?}");
        let text = fs::read_to_string(crate::root().join(by)).unwrap();
        assert!(
            by.ends_with(page) || text.contains(page.trim_end_matches(".md")),
            "{by} does not name {page}"
        );
    }
}

#[test]
fn command_lines_are_found_in_blocks_and_in_sentences() {
    let page = "Say `cargo test\n-p a` or `cargo`.\n```sh\ncargo bench --bench b \\\n  -- c   # once\nnpm test\n```\n";
    assert_eq!(lines_of(page, "cargo"), ["cargo bench --bench b    -- c", "cargo test -p a", "cargo"]);
    assert_eq!(lines_of(page, "npm"), ["npm test"]);
}
